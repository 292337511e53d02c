"""Bytes of the weights of a model in a number format, as lines with their formulas.

Counted are the tensors with the weights and their scales and zero points. Not counted are the header
of the file and what is the same for every matrix (code tables, states: `constant_bytes`).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import get_args

from sizewise.architecture import Architecture
from sizewise.catalog.formats import Format, find_format
from sizewise.errors import InputError
from sizewise.formats.modules import told_apart
from sizewise.formats.quantization import Quantization
from sizewise.formats.scheme import Choice, Packing, Scheme, chosen_scheme, declared_scheme
from sizewise.formats.stored import DTYPE_BITS, Stored
from sizewise.ledger import Line, Status, leaf, total
from sizewise.notices import Notice
from sizewise.tensors import Role, Weight

UNIT = "bytes"
HALF = 0.5
"""Share of the weights below which a format is said to pack little."""

WORK_LIMIT = 400_000
"""Most steps of matching names with the patterns of quantization settings, about a microsecond each."""

_TOO_MUCH = (
    "the quantization settings name single modules among too many layers, experts and patterns; "
    "name a format with --quant to count the same model in it"
)
_NO_DTYPE = "the source names no dtype: bf16 assumed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWeight:
    """A weight with what it is stored as, ``tensors`` times over."""

    weight: Weight
    packing: Packing
    tensors: int

    @property
    def logical(self) -> int:
        """Count the logical weights of one tensor that the packing holds: its share of the matrices."""
        weight, packing = self.weight, self.packing
        if packing.tensors[0].name == "weight" and packing.tensors[0].shape == weight.shape:
            return weight.elements
        return weight.rows // weight.pieces * weight.columns * packing.copies


@dataclass(frozen=True, slots=True, kw_only=True)
class Reduction:
    """How many times smaller than fp32, and than the checkpoint's own 16 or 32 bits."""

    from_fp32: float
    from_checkpoint: float


def storage(
    architecture: Architecture,
    format: Format,
    base: str = "bf16",
    quantization: Quantization | None = None,
    *,
    assumed: bool = False,
) -> Scheme:
    """Return how a model's weights are stored in a format.

    ``base`` is the 16-bit format of what is not packed. Where the source itself declares this format,
    its own settings and exceptions (``quantization``) hold. ``assumed`` says that no dtype is named.
    """
    if quantization is not None and quantization.known and quantization.format == format.name:
        return declared_scheme(quantization, base)
    return replace(chosen_scheme(format, base, architecture.model_class), assumed=assumed)


def sixteen_bit(dtype: str | None) -> str:
    """Return the 16-bit format that goes with packed weights: fp16 where the source has fp16, else bf16.

    >>> sixteen_bit("fp16"), sixteen_bit("fp32"), sixteen_bit(None)
    ('fp16', 'bf16', 'bf16')
    """
    return "fp16" if dtype == "fp16" else "bf16"


def weight_bytes(
    architecture: Architecture,
    format: Format,
    base: str = "bf16",
    quantization: Quantization | None = None,
    *,
    assumed: bool = False,
) -> Line:
    """Return the bytes of the weights in a format (see `storage`): a part per role.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> llama = {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008}
    >>> llama |= {"num_hidden_layers": 32, "num_attention_heads": 32, "tie_word_embeddings": False}
    >>> weight_bytes(describe(Config(llama, "llama")), find_format("nf4")).value
    4167573504
    """
    return stored_bytes(architecture, storage(architecture, format, base, quantization, assumed=assumed))


@lru_cache(maxsize=128)
def stored_bytes(architecture: Architecture, scheme: Scheme) -> Line:
    """Return the bytes of the weights: a part per role, a leaf per kind of tensor and format."""
    groups: dict[tuple[Role, str, Format, tuple[Stored, ...]], int] = {}
    for entry in stored_weights(architecture, scheme):
        key = (entry.weight.role, _label(entry), entry.packing.format, _counted(entry.packing))
        groups[key] = groups.get(key, 0) + entry.tensors * entry.packing.copies
    parts: dict[Role, list[Line]] = {role: [] for role in get_args(Role)}
    for (role, name, format, tensors), copies in groups.items():
        parts[role].append(_leaf(name, format, tensors, copies, scheme))
    return total("weights", [total(role, lines, UNIT) for role, lines in parts.items() if lines], UNIT)


def stored_elements(architecture: Architecture, scheme: Scheme) -> int:
    """Count the stored elements, scales included, as counters of files do: 8 int4 in an I32 are one."""
    return sum(entry.packing.elements * entry.tensors for entry in stored_weights(architecture, scheme))


def packed_weights(architecture: Architecture, scheme: Scheme) -> dict[str, int]:
    """Count the logical weights in each format, by its name."""
    found: dict[str, int] = {}
    for entry in stored_weights(architecture, scheme):
        name = entry.packing.format.name
        found[name] = found.get(name, 0) + entry.logical * entry.tensors
    return found


def packing_notice(architecture: Architecture, scheme: Scheme) -> Notice | None:
    """Return a warning where the format asked for packs less than half of the weights."""
    if not scheme.packer:
        return None
    counts = packed_weights(architecture, scheme)
    share = 1 - counts.get(scheme.base.name, 0) / sum(counts.values())
    if share >= HALF:
        return None
    text = f"{scheme.packer} packs {share:.0%} of these weights, the rest stays at 16 bit"
    return Notice(code="little_packed", message=text)


def constant_bytes(architecture: Architecture, scheme: Scheme) -> int:
    """Return the bytes of code tables, states and markers that a file holds beside the weights.

    With nested scales (nf4-dq) it is uncertain by two bytes per matrix.
    """
    return sum(entry.packing.constant_bytes * entry.tensors for entry in stored_weights(architecture, scheme))


def reduction(architecture: Architecture, scheme: Scheme, dtype: str | None = None) -> Reduction:
    """Return how many times smaller the scheme is than fp32 and than the unpacked ``dtype`` (None: bf16)."""
    small = stored_bytes(architecture, scheme).value
    return Reduction(
        from_fp32=weight_bytes(architecture, find_format("fp32")).value / small,
        from_checkpoint=weight_bytes(architecture, find_format(dtype or "bf16")).value / small,
    )


def stored_weights(architecture: Architecture, scheme: Scheme) -> tuple[StoredWeight, ...]:
    """Return every kind of tensor with what it is stored as; layers that rules treat alike together.

    Raises InputError (too_many_entries) where rules and tensors are too many to match.
    """
    return _stored_weights(architecture, scheme)


@lru_cache(maxsize=8)
def _stored_weights(architecture: Architecture, scheme: Scheme) -> tuple[StoredWeight, ...]:
    return tuple(_matched(architecture, scheme))


def _matched(architecture: Architecture, scheme: Scheme) -> Iterator[StoredWeight]:
    layers, experts = scheme.layer_numbers(), scheme.expert_numbers()
    work = 0
    for place in architecture.placed():
        apart = tuple(told_apart(place.layers, layers))
        for weight in place.weights():
            work += len(apart) * scheme.work(weight, experts)
            if work > WORK_LIMIT:
                raise InputError("too_many_entries", _TOO_MUCH)
            choices: dict[Choice, int] = {}
            for layer, alike in apart:
                choice = scheme.choose(weight, place.full_name(weight, layer), experts)
                choices[choice] = choices.get(choice, 0) + alike
            for choice, tensors in choices.items():
                for packing in scheme.stored(weight, choice):
                    yield StoredWeight(weight=weight, packing=packing, tensors=tensors)


def _label(entry: StoredWeight) -> str:
    sizes = ", ".join(str(size) for size in entry.weight.shape)
    return f"{entry.weight.name} [{sizes}] {entry.packing.format.name}"


def _counted(packing: Packing) -> tuple[Stored, ...]:
    return tuple(tensor for tensor in packing.tensors if not tensor.constant)


def _leaf(name: str, format: Format, tensors: tuple[Stored, ...], copies: int, scheme: Scheme) -> Line:
    """Return the line of ``copies`` equal weights: elements of each stored tensor times its bytes."""
    guessed = scheme.assumed and format is scheme.base
    status: Status = "assumed" if guessed else format.status
    return leaf(
        name,
        copies * sum(tensor.bytes for tensor in tensors),
        UNIT,
        formula=f"tensors * ({' + '.join(_term(tensor) for tensor in tensors)})",
        inputs={"tensors": copies, **{tensor.name: tensor.elements for tensor in tensors}},
        status=status,
        source=_NO_DTYPE if guessed else format.source,
    )


def _term(tensor: Stored) -> str:
    bits = DTYPE_BITS[tensor.dtype]
    if bits < 8:
        return f"ceil({tensor.name} * {bits} / 8)"
    return tensor.name if bits == 8 else f"{tensor.name} * {bits // 8}"
