"""Bytes per number of what is kept for a trained tensor."""

from dataclasses import dataclass

from sizewise.recipe import Recipe
from sizewise.states.tensors import TrainedTensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Widths:
    """Bytes of a number of the weight, its gradient, its optimizer state and its master copy (0: none)."""

    stored: int
    gradient: int
    state: int
    master: int


def widths(tensor: TrainedTensor, recipe: Recipe) -> Widths:
    """Return the widths that a recipe gives a trained tensor.

    Adapters as wide as the weights are treated as these. Adapters of another width have gradients and states
    of their own width and no master copy: torch makes both like the parameter.
    """
    precision, adapter = recipe.precision, recipe.adapter
    if tensor.adapter and adapter is not None and adapter.width != precision.stored:
        width = adapter.width
        return Widths(stored=width, gradient=width, state=width, master=0)
    return Widths(
        stored=precision.stored,
        gradient=precision.gradient,
        state=precision.state,
        master=precision.master,
    )
