"""The first tensor on which a checkpoint and a configuration disagree, in words.

Files may name tensors as their class does not, and keep stacks of matrices turned: only what cannot be
so is a disagreement.
"""

from collections.abc import Iterable, Mapping

from sizewise.architecture import Architecture
from sizewise.escaping import shorten
from sizewise.listing import Shape
from sizewise.sources.content.logical import LogicalTensor

COMPARED_LIMIT = 200_000
"""Tensors of a configuration that are looked up by name."""


def other_shape(tensors: Iterable[LogicalTensor], architecture: Architecture) -> str:
    """Return what the first tensor of another shape than the configuration's is, empty for none."""
    own = own_shapes(architecture)
    for tensor in tensors:
        shape = own.get(tensor.name)
        if shape is not None and _is_certain(tensor) and not _alike(tensor, shape):
            name = shorten(tensor.name, 120)
            return f"{name} is {list(tensor.shape)}, the configuration makes it {list(shape)}"
    return ""


def unmatched(tensors: Iterable[LogicalTensor], architecture: Architecture) -> str:
    """Return the first tensor that only one of the two has, empty where most names differ anyway."""
    own = own_shapes(architecture)
    held = [tensor.name for tensor in tensors if tensor.is_parameter]
    strange = [name for name in held if name not in own]
    if 2 * len(strange) > len(held):
        return ""
    if strange:
        return f"the configuration makes no {shorten(strange[0], 120)}"
    there = set(held)
    missing = next((name for name in own if name not in there), None)
    return f"the header has no {shorten(missing, 120)}" if missing else ""


def own_shapes(architecture: Architecture) -> Mapping[str, Shape]:
    """Return the shapes of the tensors of an architecture by name, of none where they are too many."""
    if sum(copies for _, copies in architecture.weights()) > COMPARED_LIMIT:
        return {}
    return {name: weight.shape for name, weight in architecture.tensors()}


def _is_certain(tensor: LogicalTensor) -> bool:
    return tensor.is_parameter and not tensor.assumed


def _alike(tensor: LogicalTensor, shape: Shape) -> bool:
    """Tell whether a shape can be the other's: packed tensors and stacks of matrices may be turned."""
    held, wanted = _axes(tensor.shape), _axes(shape)
    turned = tensor.format or len(wanted) > 2
    return sorted(held) == sorted(wanted) if turned else held == wanted


def _axes(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)
