"""What the tensors of a checkpoint are: parameters, packed or not, and everything that files hold beside.

Names and dtypes decide; with a model its own tensors, depth and quantization settings do too. Logical
elements are parameters as the class has them, whatever their packing.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod

from sizewise.architecture import Architecture, Model
from sizewise.escaping import shorten
from sizewise.listing import Listing, Shape, TensorTable
from sizewise.notices import Notice
from sizewise.sources.content.kinds import (
    CORRECTIONS,
    COUNTERS,
    GGUF_BUFFERS,
    HEADS,
    NEVER_LEARNED,
    TABLES,
    Kind,
    buffer_kind,
    module_of,
    predicting_layers,
    predicts,
)
from sizewise.sources.content.packed import (
    Codes,
    Satellite,
    Unpacked,
    compiled,
    satellite,
    stated_bits,
    unpacked,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorGroup:
    """Tensors of one kind and, where they are packed or describe packed ones, of one format.

    ``stored`` counts their elements in the file, ``logical`` the numbers that they stand for.
    """

    kind: Kind
    format: str
    tensors: int
    stored: int
    logical: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LogicalTensor:
    """A tensor of a checkpoint: what it is, and the shape of what it stands for.

    ``format`` names the packing of its codes, or of those that it describes; empty: not packed.
    ``stored`` are its elements in the file, shared ones at their first tensor alone.
    """

    name: str
    kind: Kind
    format: str
    shape: Shape
    stored: int
    assumed: bool = False
    """The width of its codes was guessed."""

    @property
    def is_parameter(self) -> bool:
        """Tell whether it counts among the parameters; not where an earlier tensor shares its storage."""
        return self.kind == "parameter" and self.stored > 0

    @property
    def logical(self) -> int:
        """Count the numbers that it stands for; none where an earlier tensor holds them."""
        return prod(self.shape) if self.stored else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the other tensors and the model say about one of them."""

    satellites: Mapping[str, Satellite]
    contents: Mapping[str, Unpacked | None]
    """What each tensor stands for that others describe, None where no layout fits."""
    copies: frozenset[str]
    predicting: frozenset[int]
    own: frozenset[str]
    """Last parts of the names of the model's small tensors: these are parameters."""


def logical_tensors(listing: Listing, model: Model | None = None) -> Iterator[LogicalTensor]:
    """Yield every tensor of a checkpoint with what it is.

    Without a model a head beside an embedding of the same shape is a parameter: whether the two are tied
    only a configuration says.
    """
    around = _surroundings(listing.tensors, model)
    for name, dtype, shape, stored in _rows(listing.tensors):
        content = around.contents.get(name)
        yield LogicalTensor(
            name=name,
            kind=_kind(name, dtype, shape, around),
            format=_format(name, around),
            shape=shape if content is None else content.shape,
            stored=stored,
            assumed=content is not None and content.assumed,
        )


def logical_elements(listing: Listing, model: Model | None = None) -> int:
    """Count the parameters that a checkpoint holds, packed ones as what they stand for."""
    return sum(tensor.logical for tensor in logical_tensors(listing, model) if tensor.is_parameter)


def tensor_groups(listing: Listing, model: Model | None = None) -> tuple[TensorGroup, ...]:
    """Return the sums over the tensors of one kind and format."""
    sums: dict[tuple[Kind, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for tensor in logical_tensors(listing, model):
        entry = sums[tensor.kind, tensor.format]
        for place, amount in enumerate((1, tensor.stored, tensor.logical)):
            entry[place] += amount
    return tuple(
        TensorGroup(kind=kind, format=format, tensors=tensors, stored=stored, logical=logical)
        for (kind, format), (tensors, stored, logical) in sums.items()
    )


def recognition_notices(tensors: Iterable[LogicalTensor]) -> tuple[Notice, ...]:
    """Return warnings about tensors whose width was guessed and about those that nothing recognises."""
    texts = {
        "assumed_width": "have no stated width; 4 bits are assumed",
        "unknown_tensors": "are not recognised",
    }
    found: dict[str, list[str]] = {code: [] for code in texts}
    for tensor in tensors:
        if tensor.assumed:
            found["assumed_width"].append(tensor.name)
        elif tensor.kind == "other" and tensor.name.rpartition(".")[2] not in COUNTERS:
            found["unknown_tensors"].append(tensor.name)
    return tuple(
        Notice(code=code, message=f"{len(names)} tensors {texts[code]}, e.g. {shorten(names[0], 80)}")
        for code, names in found.items()
        if names
    )


def _rows(table: TensorTable) -> Iterator[tuple[str, str, Shape, int]]:
    return zip(table.names, table.dtypes, table.shapes, table.counted, strict=True)


def _surroundings(table: TensorTable, model: Model | None) -> Surroundings:
    satellites = _satellites(table)
    contents = _contents(table, model, satellites)
    predicting = predicting_layers(table.names, model.architecture.depth if model else None)
    weights = (weight for weight, _ in model.architecture.weights()) if model else ()
    return Surroundings(
        satellites=satellites,
        contents=contents,
        copies=_copies(table, model, contents, predicting),
        predicting=predicting,
        own=frozenset(weight.name.rpartition(".")[2] for weight in weights if weight.kind == "vector"),
    )


def _satellites(table: TensorTable) -> dict[str, Satellite]:
    """Return what describes a packed tensor, by name."""
    dtypes = dict(zip(table.names, table.dtypes, strict=True))
    found = ((name, satellite(name, dtypes)) for name in table.names)
    return {name: entry for name, entry in found if entry is not None}


def _contents(
    table: TensorTable, model: Model | None, satellites: Mapping[str, Satellite]
) -> dict[str, Unpacked | None]:
    """Return what each tensor stands for that others describe."""
    near: dict[str, dict[str, Shape]] = defaultdict(dict)
    for name, shape in zip(table.names, table.shapes, strict=True):
        if name in satellites:
            near[satellites[name].owner][satellites[name].ending] = shape
    rules = compiled(model.quantization if model else None)
    contents = {}
    for name, dtype, shape, _ in _rows(table):
        if name in near:
            bits = stated_bits(rules, name.rpartition(".")[0])
            contents[name] = unpacked(name, Codes(dtype=dtype, shape=shape, near=near[name], bits=bits))
    return contents


def _format(name: str, around: Surroundings) -> str:
    """Return the format of a packed tensor, or of the one that a tensor describes."""
    described = around.satellites.get(name)
    owner = name if described is None else described.owner
    if owner not in around.contents:
        return ""
    content = around.contents[owner]
    return content.format if content else "unknown"


def _kind(name: str, dtype: str, shape: Shape, around: Surroundings) -> Kind:
    if name in around.satellites:
        return around.satellites[name].kind
    written = GGUF_BUFFERS.get(module_of(name)) or GGUF_BUFFERS.get(name.rpartition(".")[2])
    if written is not None and not (written == "correction" and around.own & CORRECTIONS):
        return written
    leaf = name.rpartition(".")[2]
    buffer = buffer_kind(leaf, name, shape)
    if buffer is not None and leaf not in around.own - {"bias"}:
        return buffer
    if predicts(name, around.predicting):
        return "prediction"
    if name in around.copies:
        return "tied_copy" if module_of(name) in HEADS else "table_copy"
    recognised = around.contents.get(name) is not None
    return "other" if dtype in NEVER_LEARNED and not recognised else "parameter"


def _copies(
    table: TensorTable,
    model: Model | None,
    contents: Mapping[str, Unpacked | None],
    predicting: frozenset[int],
) -> frozenset[str]:
    """Return the tables of the vocabulary beyond those that the model has, heads first."""
    if model is None:
        return frozenset()
    size = model.architecture.vocabulary * model.architecture.hidden
    own = _own_tables(model.architecture, size)
    found = []
    for name, _, shape, stored in _rows(table):
        if module_of(name) in TABLES | HEADS and stored and not predicts(name, predicting):
            content = contents.get(name)
            if prod(content.shape if content else shape) == size:
                found.append(name)
    found.sort(key=lambda name: module_of(name) in HEADS)
    return frozenset(found[own:])


def _own_tables(architecture: Architecture, size: int) -> int:
    """Count the embeddings and heads of that many elements."""
    weights = architecture.weights()
    return sum(copies for w, copies in weights if w.role in ("embedding", "head") and w.elements == size)
