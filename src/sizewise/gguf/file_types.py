"""Which block type every tensor gets in a file type, as llama.cpp's quantizer decides it.

The quantizer visits those outside of the layers first, then layer by layer, by name. Some rules count the
tensors visited, others the layer; in models with experts always the layer.
Source: llama.cpp 0.5.0, llama-quant.cpp; the rules are rows of ``facts/gguf/file_types.toml``.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sizewise.catalog.ggml import BlockRule, FileType, block_types, file_type_rules
from sizewise.errors import UsageError
from sizewise.gguf.tensors import GgufShape, GgufTensor

FLOATS = frozenset({"f32", "f16", "bf16"})
NO_CATEGORY = ""
Rules = tuple[tuple[BlockRule, ...], tuple[BlockRule, ...]]
"""The rules of which the first that holds decides, and those that override it."""

NAMES_REMEMBERED = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A tensor when its turn comes: what the conditions of the rules look at.

    ``counted`` tensors of its category came before it; ``place`` of ``places`` is where the rules see
    it: its layer of all, or as counted.
    """

    shape: GgufShape
    tensor: GgufTensor
    own_block: str
    counted: int
    place: int
    places: int
    seventy: bool

    @property
    def eighth(self) -> int:
        """Count the layers of the first eighth."""
        return self.places // 8


CONDITIONS: Mapping[str, Callable[[Visit], bool]] = {
    "gqa_4": lambda visit: visit.shape.gqa >= 4,
    "experts_4": lambda visit: visit.shape.experts >= 4,
    "experts_8": lambda visit: visit.shape.experts == 8,
    "matrices": lambda visit: visit.tensor.matrices > 1,
    "ragged": lambda visit: not block_types()[visit.own_block].holds(visit.tensor.row),
    "first_eighth": lambda visit: visit.place < visit.eighth,
    "first_sixteenth": lambda visit: visit.place < visit.places // 16,
    "middle": lambda visit: visit.eighth <= visit.place < 7 * visit.places // 8,
    "more": lambda visit: (
        visit.place < visit.eighth
        or visit.place >= 7 * visit.places // 8
        or (visit.place - visit.eighth) % 3 == 2
    ),
    "early_eighth": lambda visit: visit.counted < visit.shape.layers // 8,
    "first_2": lambda visit: visit.counted < 2,
    "first_4": lambda visit: visit.counted < 4,
    "seventy": lambda visit: visit.seventy,
}
"""What the words of ``when`` in the rows mean."""

PLACED = frozenset(
    {"first_eighth", "first_sixteenth", "middle", "more", "early_eighth", "first_2", "first_4"}
)
"""The words that ask where a tensor stands."""


def quantizable(tensor: GgufTensor, architecture: str) -> bool:
    """Tell whether a file type changes a tensor at all."""
    return _is_weight(tensor.base, architecture) and any(size > 1 for size in tensor.dims[:-1])


@lru_cache(maxsize=NAMES_REMEMBERED)
def _is_weight(base: str, architecture: str) -> bool:
    return base.endswith("weight") and not any(
        kept.has(base) for kept in file_type_rules().kept if kept.architecture in ("", architecture)
    )


def blocks(
    shape: GgufShape, file_type: FileType, *, importance_matrix: bool = False
) -> Iterator[tuple[GgufTensor, str]]:
    """Yield every tensor with its block type, those of one category one after the other.

    ``importance_matrix`` says that the quantizer is given one; some rules hold only with or without.
    Raises UsageError (bad_option) where the file type cannot hold a tensor's rows.
    """
    tied = all(tensor.base != "output.weight" for tensor in shape.tensors)
    kinds: dict[tuple[str, tuple[int, ...]], tuple[str, bool]] = {}
    found: dict[str, list[GgufTensor]] = {}
    totals: Counter[str] = Counter()
    for tensor in shape.tensors:
        key = (tensor.base, tensor.dims)
        if key not in kinds:
            kinds[key] = _category(tensor.base, tied=tied), quantizable(tensor, shape.architecture)
        category, changes = kinds[key]
        totals[category] += 1
        if not changes:
            yield tensor, tensor.block
        elif file_type.block in FLOATS:
            yield tensor, file_type.block
        else:
            found.setdefault(category, []).append(tensor)
    seventy = _is_seventy(shape)
    for category, tensors in found.items():
        rules = _rules(file_type.name, shape.architecture, category, importance_matrix=importance_matrix)
        yield from _category_blocks(
            _Category(
                shape=shape,
                file_type=file_type,
                rules=rules,
                seventy=seventy,
                among=totals[category] if category == "attn_v" else None,
            ),
            tensors,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Category:
    """What tensors treated alike share; ``among`` counts them where they are placed among themselves."""

    shape: GgufShape
    file_type: FileType
    rules: Rules
    seventy: bool
    among: int | None


def _category_blocks(category: _Category, tensors: Sequence[GgufTensor]) -> Iterator[tuple[GgufTensor, str]]:
    """Yield the tensors of one category with their block types; equal ones are decided once."""
    decided: dict[tuple[str, tuple[int, ...], int | None], str] = {}
    placed = any(word in PLACED for rule in (*category.rules[0], *category.rules[1]) for word in rule.when)
    for counted, tensor in enumerate(sorted(tensors, key=_visiting_order) if placed else tensors):
        key = (tensor.base, tensor.dims, counted if placed else None)
        if key not in decided:
            decided[key] = _decide(category, tensor, counted)
        yield tensor, decided[key]


def _decide(category: _Category, tensor: GgufTensor, counted: int) -> str:
    """Return the block type by the first rule that holds, then by what overrides it, as far as it fits."""
    shape, own = category.shape, category.file_type.block
    place, places = counted, shape.layers if category.among is None else category.among
    if category.among is None and shape.experts > 1 and tensor.layer is not None:
        place = tensor.layer
    visit = Visit(
        shape=shape,
        tensor=tensor,
        own_block=own,
        counted=counted,
        place=place,
        places=places,
        seventy=category.seventy,
    )
    rules, overrides = category.rules
    chosen = next((rule.block or own for rule in rules if _holds(rule, visit)), own)
    for rule in overrides:
        if (not rule.replaces or chosen in rule.replaces) and _holds(rule, visit):
            chosen = rule.block
    return _fitting(chosen, tensor, category.file_type)


def tensor_bytes(tensor: GgufTensor, block: str) -> int:
    """Return the bytes of a tensor in a block type; its rows are whole blocks."""
    row = block_types()[block]
    return tensor.elements // row.weights * row.bytes


@lru_cache(maxsize=NAMES_REMEMBERED)
def _rules(file_type: str, architecture: str, category: str, *, importance_matrix: bool) -> Rules:
    """Return the rules and the overrides that can decide a category; those of every tensor first."""

    def concerning(rows: Sequence[BlockRule]) -> tuple[BlockRule, ...]:
        general = [rule for rule in rows if rule.category == "*" and category != "output"]
        own = [rule for rule in rows if rule.category == category]
        return tuple(
            rule
            for rule in (*general, *own)
            if rule.concerns(file_type, architecture, importance_matrix=importance_matrix)
        )

    return concerning(file_type_rules().rules), concerning(file_type_rules().overrides)


def _holds(rule: BlockRule, visit: Visit) -> bool:
    return all(CONDITIONS[word](visit) for word in rule.when)


def _visiting_order(tensor: GgufTensor) -> tuple[int, str]:
    return (-1 if tensor.layer is None else tensor.layer, tensor.base)


@lru_cache(maxsize=NAMES_REMEMBERED)
def _category(base: str, *, tied: bool) -> str:
    """Return the category of a tensor; without an output matrix the embedding is treated as one."""
    found = next((row.name for row in file_type_rules().categories if row.has(base)), NO_CATEGORY)
    return "output" if tied and found == "embedding" else found


def _is_seventy(shape: GgufShape) -> bool:
    return any(
        row.architecture == shape.architecture
        and row.layers == shape.layers
        and (shape.gqa > 1 or not row.fewer_kv_heads)
        for row in file_type_rules().seventy
    )


def _fitting(name: str, tensor: GgufTensor, file_type: FileType) -> str:
    """Return the block type, or the one that takes its place where it does not divide the row."""
    block = block_types()[name]
    if block.holds(tensor.row):
        return name
    if not block.fallback:
        text = f"{file_type.name} cannot hold {tensor.name}: its rows of {tensor.row:,} are no multiple of "
        raise UsageError("bad_option", f"{text}{block.weights}; choose another file type, e.g. q8_0")
    return block.fallback if block_types()[block.fallback].holds(tensor.row) else "f16"
