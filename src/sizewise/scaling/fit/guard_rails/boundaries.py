"""Mistakes at the boundary: coefficients that are not identified (LAW15), decay constants (LAW17)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sizewise.scaling.finding import Finding, Findings
from sizewise.scaling.fit.layout import distinct
from sizewise.scaling.fit.solve import Fit
from sizewise.scaling.interval import Interval
from sizewise.scaling.run_files.runs import Runs

VANISHING = 1e-3  # of the lowest loss
NOT_APART = 0.05  # of the lowest loss: a lower end of E that cannot be told from none
EXPONENTS = (0.02, 3.0)
EDGE = 1.02
ONE_POWER = 3
"""Free coefficients of E + K C^-gamma."""
FEWEST_STARTS = 9
SAME_MINIMUM = 1e-3
SAME_DECAY = 0.02


def boundary_coefficients(runs: Runs, fit: Fit) -> Findings:
    """LAW15: E at the lowest loss or at zero, terms that vanish, exponents at an edge, a flat direction."""
    law, lowest = fit.law, min(runs.losses)
    low, high = EXPONENTS
    of_one_power = fit.free == ONE_POWER
    exponents = (("gamma", law.alpha),) if of_one_power else (("alpha", law.alpha), ("beta", law.beta))
    checks = (
        (lowest <= law.E, f"E {law.E:.4g} is not below the lowest loss {lowest:.4g}"),
        (VANISHING * lowest > law.E, f"E {law.E:.2g} vanishes beside the lowest loss {lowest:.4g}"),
        (law.A <= 0 or law.B <= 0, f"A {law.A:.3g} and B {law.B:.3g} are not both above 0"),
        *(
            (
                not low * EDGE < value < high / EDGE,
                f"{name} {value:.3g} is {'at the edge of' if low <= value <= high else 'outside'} "
                f"{low:g} to {high:g}",
            )
            for name, value in exponents
        ),
        (not fit.certificate.determined, "the misfit is flat in a direction of the coefficients"),
    )
    seen = [what for wrong, what in checks if wrong]
    named = [name for name in fit.certificate.at_bounds if not any(what.startswith(name) for what in seen)]
    seen += [f"{name} ran to its bound" for name in named]
    if seen:
        yield Finding(
            code="LAW15",
            message="; ".join(seen),
            effect="the form is at its edge: the runs identify no single coefficient, whatever its interval",
            advice="predict within the runs only, add runs that come nearer to the floor, or fix E",
        )


def floor_identified(runs: Runs, known: Interval) -> Findings:
    """LAW15: an interval of E that reaches zero."""
    if known.low < NOT_APART * min(runs.losses):
        yield Finding(
            code="LAW15",
            message=f"E is not identified: {known.level:.0%} interval ({known.low:.4g}, {known.high:.4g})",
            effect="E trades against the exponents; far extrapolations differ most",
            advice="give predictions with their intervals, and no E",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecayMinimum:
    """A local minimum of the misfit over the decay constants of repeated tokens and of excess parameters."""

    token_decay: float
    param_decay: float
    objective: float


def decay_constants(
    minima: Sequence[DecayMinimum], starts: int, published: float, interval: tuple[float, float]
) -> Findings:
    """LAW17: several minima in R*_D and R*_N, a better one than the ``published`` objective, or few starts.

    ``interval`` is that of R*_D; its end is infinite where repeating never saturates.
    """
    best = min(minima, key=lambda minimum: minimum.objective)
    places = distinct([minimum.token_decay for minimum in minima], SAME_DECAY)
    seen = []
    if starts < FEWEST_STARTS:
        seen.append(f"only {starts} starts (at least {FEWEST_STARTS})")
    if places > 1:
        seen.append(f"{places} local minima, R*_D from {_span([m.token_decay for m in minima])}")
    if published > best.objective * (1 + SAME_MINIMUM):
        seen.append(
            f"the published point is a local minimum, {published / best.objective:.4f} times the best "
            f"objective (R*_D {best.token_decay:.3g}, R*_N {best.param_decay:.3g})"
        )
    if seen:
        high = "infinity" if np.isinf(interval[1]) else f"{interval[1]:.3g}"
        yield Finding(
            code="LAW17",
            message="; ".join(seen),
            effect=f"R*_D lies in {interval[0]:.3g} to {high}: the worth of a repeated token is uncertain",
            advice="give the interval; never fit the decay constants from one start",
        )


def _span(values: Sequence[float]) -> str:
    return f"{min(values):.3g} to {max(values):.3g}"
