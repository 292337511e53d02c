"""Weights, master weights, gradients and moving averages of a recipe, as lines and per tensor.

All are of the architecture given, which may be what one device holds. Nothing is divided over replicas here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sizewise.architecture import Architecture
from sizewise.ledger import Line, Status, leaf, total
from sizewise.recipe import Recipe
from sizewise.states.optimizer import kept
from sizewise.states.tensors import TrainedTensor
from sizewise.states.trained import trainable
from sizewise.states.widths import Widths, widths

UNIT = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorBytes:
    """What is kept for one trained tensor, in bytes; there are ``tensor.copies`` of it."""

    tensor: TrainedTensor
    weight: int
    master: int
    gradient: int
    state: int


def tensor_bytes(architecture: Architecture, recipe: Recipe) -> Iterator[TensorBytes]:
    """Yield what is kept for every trained tensor: what replicas can share."""
    for tensor in trainable(architecture, recipe):
        width = widths(tensor, recipe)
        yield TensorBytes(
            tensor=tensor,
            weight=tensor.elements * width.stored,
            master=tensor.elements * width.master,
            gradient=tensor.elements * width.gradient,
            state=sum(entry.bytes for entry in kept(tensor, recipe)),
        )


def weights(architecture: Architecture, recipe: Recipe, base: Line | None = None) -> Line:
    """Return the bytes of the weights: the trained ones and the frozen ones.

    ``base`` are the weights of the model itself in the format in which they are frozen (QLoRA); without it
    they are as wide as ``recipe.precision.stored``.
    """
    assert base is not None or recipe.method != "qlora", "packed weights are counted by the caller"
    lines = list(_lines("trained", architecture, recipe, lambda width: width.stored))
    if base is not None:
        return total("weights", [*lines, base], UNIT)
    frozen = trainable(architecture, recipe).frozen
    if frozen:
        lines.append(_leaf("frozen", frozen, recipe.precision.stored, "exact"))
    return total("weights", lines, UNIT)


def master_weights(architecture: Architecture, recipe: Recipe) -> Line:
    """Return the bytes of the further copy of the trained weights that the optimizer updates."""
    return total(
        "master weights", [*_lines("copies", architecture, recipe, lambda width: width.master)], UNIT
    )


def gradients(architecture: Architecture, recipe: Recipe) -> Line:
    """Return the bytes of the gradients of all trained tensors; summing micro-batches adds none.

    Not counted: buckets in which replicas exchange them.
    """
    return total(
        "gradients", [*_lines("gradients", architecture, recipe, lambda width: width.gradient)], UNIT
    )


def ema(architecture: Architecture, recipe: Recipe) -> Line:
    """Return the bytes of a moving average of the weights, where the recipe keeps one.

    It is as wide as the weights that the optimizer updates and counted for trained tensors alone, which is
    assumed where others are frozen: torch.optim.swa_utils.AveragedModel copies these as well.
    """
    if not recipe.ema:
        return total("moving average", [], UNIT)
    status: Status = "assumed" if trainable(architecture, recipe).frozen else "derived"
    lines = _lines("average", architecture, recipe, lambda width: width.master or width.stored, status)
    return total("moving average", [*lines], UNIT)


def _lines(
    name: str,
    architecture: Architecture,
    recipe: Recipe,
    width_of: Callable[[Widths], int],
    status: Status = "exact",
) -> Iterator[Line]:
    """Yield a leaf per width of the numbers of all trained tensors; none for width 0."""
    numbers: dict[int, int] = {}
    for tensor in trainable(architecture, recipe):
        width = width_of(widths(tensor, recipe))
        numbers[width] = numbers.get(width, 0) + tensor.elements * tensor.copies
    for width, count in numbers.items():
        if width:
            yield _leaf(name, count, width, status)


def _leaf(name: str, numbers: int, number_bytes: int, status: Status) -> Line:
    return leaf(
        name,
        numbers * number_bytes,
        UNIT,
        formula="numbers * number_bytes",
        inputs={"numbers": numbers, "number_bytes": number_bytes},
        status=status,
    )
