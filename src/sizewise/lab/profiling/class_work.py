"""FLOPs of what a class of transformers does in other operations than its model needs.

Scans without fused kernels run in chunks that are padded to their length (or element by element, of which
only the read-out is a product), convolutions cover a kernel's length more than the sequence, and some classes
send every token through every expert. Source: the modelling files of transformers 5.23, as recorded in
``sizewise.tape``.
"""

from dataclasses import dataclass

from sizewise.activations.pieces import Pieces
from sizewise.activations.saved import style_of
from sizewise.architecture import Model

OTHERWISE = ("scan", "convolution")
"""Kinds of operations that classes do in other ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """FLOPs that a class does more (or less) than its model needs, all sequences together, of a role."""

    role: str = ""
    forward: int = 0
    backward: int = 0
    unknown: bool = False
    """The model scans, and how its class does that is not recorded."""


def beside_need(model: Model, pieces: Pieces, *, tokens: int, fused: bool) -> Beside:
    """Return what a class does beside what its model needs for ``tokens``, those of all sequences.

    ``fused``: kernels are installed, whose products nobody sees.
    """
    experts = _unchosen_experts(model, tokens)
    needed = [(one, times) for one, times in model.architecture.operations() if one.kind in OTHERWISE]
    if not needed:
        return experts
    if fused:
        return Beside()
    steps = [step for piece in pieces.all for step in piece.steps]
    recorded = sum(step.macs > 0 for step in steps)
    if not recorded or any(step.name in OTHERWISE and not step.macs for step in steps):
        return Beside(unknown=any(one.kind == "scan" for one, _ in needed))
    need = 2 * tokens * sum(one.macs * times for one, times in needed)
    return Beside(
        role=needed[0][0].role,
        forward=2 * sum(step.macs for step in steps) - need,
        backward=2 * sum(step.backward_macs for step in steps) - 2 * need,
    )


def _unchosen_experts(model: Model, tokens: int) -> Beside:
    """Return the work of the experts that a token did not choose, where the class does it nevertheless."""
    if not style_of(model).routing.everywhere:
        return Beside()
    stacks = [weight for weight, _ in model.architecture.weights() if weight.experts > 1]
    factor = stacks[0].experts / stacks[0].active_experts if stacks else 1
    chosen = sum(one.macs * times for one, times in model.architecture.operations() if one.role == "expert")
    more = round(2 * tokens * chosen * (factor - 1))
    return Beside(role="expert", forward=more, backward=2 * more)
