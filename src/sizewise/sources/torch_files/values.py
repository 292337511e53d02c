"""What the names in a torch checkpoint stand for: storages, views of them, and nothing that runs.

Source: torch 2.13, ``torch/_utils.py`` (``_rebuild_*``) and ``torch/serialization.py``, read 2026-10.
"""

from dataclasses import dataclass
from itertools import takewhile
from math import prod
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Shape
from sizewise.sources.dtypes import TORCH_DTYPES, TORCH_STORAGES

RANK_LIMIT = 8
_LARGEST = 2**63


@dataclass(frozen=True, slots=True)
class Global:
    """A name that may be called, or a constant; only ever compared."""

    name: str


@dataclass(frozen=True, slots=True)
class ElementType:
    """A dtype and the bits of one element."""

    dtype: str
    bits: int


@dataclass(frozen=True, slots=True)
class StorageType:
    """The class of a storage; an untyped one counts bytes."""

    element: ElementType


@dataclass(frozen=True, slots=True)
class Storage:
    """A storage of the archive: its key, its element type and its bytes."""

    key: str
    element: ElementType
    bytes: int


@dataclass(frozen=True, slots=True)
class View:
    """A tensor: a shape laid over a storage from ``offset`` (elements) on; None holds no data (meta)."""

    element: ElementType
    shape: Shape
    strides: Shape
    offset: int
    storage: Storage | None

    @property
    def elements(self) -> int:
        """Count the elements of the shape."""
        return prod(self.shape)


_CALLABLE = frozenset(
    {
        "collections.OrderedDict",
        "torch.Size",
        "torch.device",
        "torch.serialization._get_layout",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch._tensor._rebuild_from_type_v2",
        "torch._utils._rebuild_meta_tensor_no_storage",
        "torch._utils._rebuild_qtensor",
        "torch._utils._rebuild_sparse_tensor",
    }
)
_CONSTANTS = frozenset({"torch.per_tensor_affine", "torch.per_channel_affine", "torch.Tensor"})


def named(full: str, where: str) -> Global | ElementType | StorageType:
    """Return what a dotted name stands for; names are compared whole and never looked up.

    Raises InputError (blocked_global) for a name that is not on the list.
    """
    if full in _CALLABLE or full in _CONSTANTS:
        return Global(full)
    if full == "torch.storage.UntypedStorage":
        return StorageType(ElementType("U8", 8))
    parent, _, name = full.rpartition(".")
    if parent == "torch" and name in TORCH_STORAGES:
        return StorageType(ElementType(*TORCH_DTYPES[TORCH_STORAGES[name]]))
    if parent == "torch" and name in TORCH_DTYPES:
        return ElementType(*TORCH_DTYPES[name])
    raise InputError(
        "blocked_global",
        f"{where} names {shorten(full, 100)!r}, which loading would run; save only tensors, as safetensors",
    )


def called(function: Any, arguments: Any, where: str) -> Any:
    """Return what calling a name of the list gives, as inert data.

    Raises InputError: blocked_opcode, bad_field, overflow, bad_offsets.
    """
    if type(function) is not Global or function.name not in _CALLABLE or type(arguments) is not tuple:
        raise InputError("blocked_opcode", f"{where} calls what is no known name")
    match function.name.rpartition(".")[2], arguments:
        case "OrderedDict", ():
            value: Any = {}
        case "Size", (tuple() as value,):
            pass
        case (("device" | "_get_layout"), (str(), *_)):
            value = None
        case "_rebuild_tensor_v2", (Storage() as storage, offset, size, stride, _, _, *_):
            value = view_of(storage, storage.element, offset, size, stride, where=where)
        case "_rebuild_tensor_v3", (
            Storage() as storage,
            offset,
            size,
            stride,
            _,
            _,
            ElementType() as element,
            *_,
        ):
            value = view_of(storage, element, offset, size, stride, where=where)
        case "_rebuild_qtensor", (Storage() as storage, offset, size, stride, tuple(), _, _):
            value = view_of(storage, storage.element, offset, size, stride, where=where)
        case (("_rebuild_parameter" | "_rebuild_parameter_with_state"), (View() as value, _, _, *_)):
            pass
        case "_rebuild_from_type_v2", (Global() as rebuild, Global("torch.Tensor"), tuple() as inner, _):
            value = _with_attributes(rebuild, inner, where)
        case "_rebuild_meta_tensor_no_storage", (ElementType() as element, size, stride, _):
            value = view_of(None, element, 0, size, stride, where=where)
        case "_rebuild_sparse_tensor", (None, tuple() as parts) if _SPARSE.get(len(_views(parts))):
            value = dict(zip(_SPARSE[len(_views(parts))], parts, strict=False))
        case _:
            raise InputError(
                "bad_field", f"{where} calls {function.name} in a way that torch.save never does"
            )
    return value


_SPARSE = {2: ("indices", "values"), 3: ("compressed_indices", "plain_indices", "values")}
"""The tensors of coordinates, and of compressed rows or columns, by how many they are."""


def _views(parts: tuple[Any, ...]) -> list[View]:
    """Return the tensors that a sparse one is made of, which come first."""
    return list(takewhile(lambda part: type(part) is View, parts))


def _with_attributes(rebuild: Global, arguments: tuple[Any, ...], where: str) -> Any:
    """Return a tensor that carries attributes of its own (a buffer does), without them."""
    if not rebuild.name.startswith("torch._utils._rebuild_"):
        raise InputError("blocked_opcode", f"{where} rebuilds a tensor by {rebuild.name}")
    return called(rebuild, arguments, where)


def view_of(
    storage: Storage | None, element: ElementType, offset: Any, size: Any, stride: Any, *, where: str
) -> View:
    """Return a view that lies inside its storage.

    Raises InputError: bad_field, overflow, bad_offsets.
    """
    shape, strides = _sizes(size, where), _sizes(stride, where)
    if type(offset) is not int or offset < 0 or len(shape) != len(strides) or len(shape) > RANK_LIMIT:
        raise InputError(
            "bad_field", f"{where} holds a tensor whose shape, strides and offset do not go together"
        )
    view = View(element=element, shape=shape, strides=strides, offset=offset, storage=storage)
    count = 1
    for length in shape:
        count *= length
        if count * element.bits >= 8 * _LARGEST:
            raise InputError("overflow", f"{where} holds a tensor of more than 2^63 bytes")
    if storage is not None and count and (offset + span(view)) * element.bits > 8 * storage.bytes:
        raise InputError(
            "bad_offsets",
            f"{where}: a tensor {list(shape)} reaches beyond its storage {shorten(storage.key)!r}",
        )
    return view


def span(view: View) -> int:
    """Count the elements from the first to the last one that a view with elements touches."""
    last = 0
    for size, stride in zip(view.shape, view.strides, strict=True):
        last += (size - 1) * stride
    return 1 + last


def _sizes(value: Any, where: str) -> Shape:
    sizes = value if type(value) is tuple else (None,)
    if any(type(size) is not int or not 0 <= size < _LARGEST for size in sizes):
        raise InputError("bad_field", f"{where} holds a tensor whose sizes are no integers >= 0")
    return sizes
