"""Count the parameters of a live ``torch.nn.Module``; the module is only looked at, never changed.

Nothing of torch is imported: parameters are taken by what they offer (shape, strides, storage,
requires_grad). Storage that several parameters share counts once. A packed 4-bit parameter of
bitsandbytes counts by its logical shape. Source: torch 2.13, ``nn/modules/module.py``; bitsandbytes
0.48, ``nn/modules.py`` (``Params4bit.quant_state``).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any, Protocol

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Listing, Shape
from sizewise.notices import Notice
from sizewise.sources.dtypes import TORCH_DTYPES
from sizewise.sources.torch_files.archive import listed
from sizewise.sources.torch_files.values import ElementType, Storage, View

_PACKED_BUFFERS = (".qweight", ".weight_packed", ".W_q")


class Module(Protocol):
    """What is asked of a module."""

    def named_parameters(self, **options: Any) -> Iterable[tuple[str, Any]]:
        """Yield (name, parameter)."""

    def named_buffers(self, **options: Any) -> Iterable[tuple[str, Any]]:
        """Yield (name, buffer)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModuleListing:
    """The parameters and the buffers of a module; counts are of elements, shared storage once.

    A storage is trainable when any parameter that looks at it is.
    """

    parameters: Listing
    buffers: Listing
    trainable: int

    @property
    def total(self) -> int:
        """Count the parameters; buffers are no parameters."""
        return self.parameters.elements

    @property
    def non_trainable(self) -> int:
        """Count the parameters that need no gradient."""
        return self.total - self.trainable


def listing_of_module(module: Module) -> ModuleListing:
    """Return what a module holds.

    Raises InputError: bad_field for a parameter that has no shape yet, unknown_dtype.
    """
    parameters = _named(module.named_parameters)
    buffers = _named(module.named_buffers)
    views = [(name, _view(name, parameter)) for name, parameter in parameters]
    name = f"module {type(module).__name__}"
    listing = listed(views, name)
    return ModuleListing(
        parameters=Listing(
            tensors=listing.tensors, notices=(*listing.notices, *_packed(name, buffers)), files=()
        ),
        buffers=Listing(tensors=listed([(key, _view(key, value)) for key, value in buffers], name).tensors),
        trainable=_trainable(views, [bool(parameter.requires_grad) for _, parameter in parameters]),
    )


def _named(items: Callable[..., Iterable[tuple[str, Any]]]) -> list[tuple[str, Any]]:
    """Return all names, those of tied parameters too where this torch can tell them."""
    try:
        return list(items(remove_duplicate=False))
    except TypeError:
        return list(items())


def _view(name: str, tensor: Any) -> View:
    """Return how a tensor looks at its storage."""
    shape = _shape(name, tensor)
    key, size = _storage(tensor)
    packed = getattr(tensor, "quant_state", None)
    if packed is not None and getattr(packed, "shape", None) is not None:
        element = ElementType(str(getattr(packed, "quant_type", "4-bit")).upper(), 4)
        shape = _shape(name, packed)
        return View(element, shape, _contiguous(shape), 0, Storage(key, element, size))
    element = _element(name, str(tensor.dtype))
    try:
        strides = tuple(int(stride) for stride in tensor.stride())
        offset = int(tensor.storage_offset())
    except (RuntimeError, AttributeError, TypeError, NotImplementedError):
        strides, offset = _contiguous(shape), 0
    return View(element, shape, strides, offset, Storage(key, element, size))


def _shape(name: str, tensor: Any) -> Shape:
    try:
        return tuple(int(size) for size in tensor.shape)
    except (RuntimeError, AttributeError, TypeError, ValueError):
        raise InputError(
            "bad_field", f"{shorten(name)!r} has no shape yet; run the module once on an input"
        ) from None


def _storage(tensor: Any) -> tuple[str, int]:
    """Return what tells a tensor's storage from others, and its bytes; a tensor without one is its own."""
    try:
        storage = tensor.untyped_storage()
        return f"{tensor.device}:{storage._cdata}", int(storage.nbytes())
    except (RuntimeError, AttributeError, TypeError, NotImplementedError):
        return f"object:{id(tensor)}", prod(tensor.shape) * int(tensor.element_size())


def _contiguous(shape: Shape) -> Shape:
    """Return the strides of a tensor without gaps.

    >>> _contiguous((2, 3, 4))
    (12, 4, 1)
    """
    return tuple(prod(shape[place + 1 :]) for place in range(len(shape)))


def _element(name: str, dtype: str) -> ElementType:
    found = TORCH_DTYPES.get(dtype.removeprefix("torch."))
    if found is None:
        raise InputError("unknown_dtype", f"{shorten(name)!r} has the unknown dtype {shorten(dtype, 40)!r}")
    return ElementType(*found)


def _trainable(views: list[tuple[str, View]], wanted: list[bool]) -> int:
    """Count the elements of storages that a trainable parameter looks at."""
    used = zip(views, wanted, strict=True)
    keys = {view.storage.key for (_, view), trains in used if trains and view.storage}
    return listed(
        [(name, view) for name, view in views if view.storage and view.storage.key in keys], ""
    ).elements


def _packed(name: str, buffers: list[tuple[str, Any]]) -> Iterator[Notice]:
    """Say when buffers hold packed weights, which are not among the parameters."""
    found = [key for key, _ in buffers if f".{key}".endswith(_PACKED_BUFFERS)]
    if found:
        yield Notice(
            code="unknown_quantization",
            message=f"{shorten(name)} holds packed weights in {len(found):,} buffers; they are not counted as"
            " parameters",
        )
