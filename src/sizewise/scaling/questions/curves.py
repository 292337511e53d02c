"""A law around a budget as points to draw: equal budgets, equal losses, best sizes, and small models.

N parameters, D tokens, C = 6ND FLOPs, L nats per token.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, log

from sizewise.errors import UsageError
from sizewise.scaling.budget import FLOPS_PER_PARAM_AND_TOKEN, Optimum, near_optimum, spent
from sizewise.scaling.questions.allocation import Allocated, best_use, loss_function
from sizewise.scaling.questions.grounds import LARGEST_BUDGET
from sizewise.scaling.questions.over_training import OverTrained, least_size_factor, resized
from sizewise.scaling.questions.surface import Surface, surface
from sizewise.scaling.registry import Law

NEIGHBOURS = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Decades between the asked budget and those whose curves are drawn."""
FRONTIER = (-2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0)
"""Decades between the asked budget and those whose best sizes are drawn, each with its line of equal loss."""
EXCESS = 0.05
"""Curves of a budget reach to sizes that cost this share of the loss."""
STEPS = 16
"""A curve of a budget has so many points on either side of the best one."""
WIDE_STEPS = 56
"""A line of equal loss, which spans all budgets, is made of so many pieces at most."""
SIZES = (0.9, 0.8, 0.7, 0.6, 0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2)
"""Parameters of smaller models as shares of the compute-optimal ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetCurve:
    """Ways to spend one budget, from the fewest parameters to the most; ``best`` is one of them."""

    best: Optimum
    points: tuple[Optimum, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LossCurve:
    """Pairs (N, D) that reach one loss, from the fewest parameters to the most; ``best`` is one of them."""

    best: Optimum
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LawCurves:
    """A law around a budget.

    ``contours`` and ``small`` are empty for a law without closed inverses. ``small`` are models of the asked
    budget's loss with fewer parameters than are best, from the largest to the smallest.
    """

    budgets: tuple[BudgetCurve, ...]
    frontier: tuple[Optimum, ...]
    contours: tuple[LossCurve, ...]
    small: tuple[OverTrained, ...]


def law_curves(law: Law, answer: Allocated) -> LawCurves:
    """Return the curves of a published law around the budget of its answer."""
    return _curves(answer.best, loss_function(law), lambda flops: best_use(law, flops), _surface(law))


def surface_curves(losses: Surface, flops: float) -> LawCurves:
    """Return the curves of a law of one's own around a budget. Raises UsageError as `Surface.optimum`."""
    return _curves(losses.optimum(flops), losses.loss, losses.optimum, losses)


def _curves(
    best: Optimum,
    loss: Callable[[float, float], float],
    optimum: Callable[[float], Optimum],
    losses: Surface | None,
) -> LawCurves:
    fewest, most = near_optimum(loss, best, EXCESS)
    ratios = _ratios(fewest / best.params, most / best.params)
    found = {shift: _optimum(optimum, best, shift) for shift in FRONTIER}
    around = {shift: one for shift, one in found.items() if one is not None}
    frame = [min(one.params for one in around.values()) * ratios[0]]
    frame.append(max(one.params for one in around.values()) * ratios[-1])
    return LawCurves(
        budgets=tuple(_budget(loss, around[shift], ratios) for shift in NEIGHBOURS if shift in around),
        frontier=tuple(around.values()),
        contours=() if losses is None else tuple(_contour(losses, one, frame) for one in around.values()),
        small=() if losses is None else smaller(losses, best.loss),
    )


def _optimum(optimum: Callable[[float], Optimum], best: Optimum, shift: float) -> Optimum | None:
    """Return the best use of a neighbouring budget; None where it pays for nothing or is out of range."""
    if not shift:
        return best
    flops = best.flops * 10**shift
    if not FLOPS_PER_PARAM_AND_TOKEN <= flops <= LARGEST_BUDGET:
        return None
    try:
        return optimum(flops)
    except UsageError:
        return None


def _surface(law: Law) -> Surface | None:
    try:
        return surface(law)
    except UsageError:
        return None


def _ratios(low: float, high: float) -> list[float]:
    """Return factors from low to high, 1 among them, at equal ratios on either side."""
    below = [exp(log(low) * (STEPS - place) / STEPS) for place in range(STEPS)]
    return [*below, 1.0, *(exp(log(high) * (place + 1) / STEPS) for place in range(STEPS))]


def _budget(loss: Callable[[float, float], float], best: Optimum, ratios: Sequence[float]) -> BudgetCurve:
    """Return the ways to spend a budget that have at least one parameter and one token."""
    most = best.flops / FLOPS_PER_PARAM_AND_TOKEN
    sizes = [best.params * ratio for ratio in ratios if ratio != 1 and 1 <= best.params * ratio <= most]
    points = [best, *(spent(loss, best.flops, size) for size in sizes)]
    return BudgetCurve(best=best, points=tuple(sorted(points, key=lambda point: point.params)))


def _contour(losses: Surface, best: Optimum, frame: Sequence[float]) -> LossCurve:
    """Return what reaches the loss of ``best`` with parameters of the frame."""
    low, high = log(frame[0]), log(frame[1])
    sizes = [exp(low + (high - low) * place / WIDE_STEPS) for place in range(WIDE_STEPS + 1)]
    points = [(best.params, best.tokens)]
    for size in sizes:
        try:
            points.append((size, losses.tokens_for(best.loss, size)))
        except UsageError:  # too small to reach the loss on any number of tokens
            continue
    return LossCurve(best=best, points=tuple(sorted(points)))


def smaller(losses: Surface, loss: float) -> tuple[OverTrained, ...]:
    """Return models of a loss (nats per token) with fewer parameters than are best, the largest first."""
    least = least_size_factor(losses)
    found = []
    for factor in (size for size in SIZES if size > least):
        try:
            found.append(resized(losses, loss, factor))
        except UsageError:  # more tokens than a question takes
            break
    return tuple(found)
