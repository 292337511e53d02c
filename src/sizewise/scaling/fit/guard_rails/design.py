"""Mistakes of the design: rays (LAW10), few sizes and far answers (LAW11), windows of budgets (LAW12).

Letters: N parameters, D tokens, C FLOPs, h half the width of a window in ln N.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, log, log10

import numpy as np

from sizewise.errors import UsageError
from sizewise.scaling.budget import Optimum
from sizewise.scaling.finding import Finding, Findings
from sizewise.scaling.fit.layout import (
    FAR,
    FEWEST_RATIOS,
    FEWEST_SIZES,
    STRONGEST_CORRELATION,
    WORST_CONDITION,
    condition,
    distinct,
    line_of,
)
from sizewise.scaling.fit.points import COEFFICIENTS, Floats
from sizewise.scaling.forms.additive import Additive
from sizewise.scaling.run_files.runs import Runs

SAME_SIZE, SAME_RATIO = 0.02, 0.05  # of ln N and ln D/N: runs closer than that are one size
TOO_FAR = 3.0  # decades of C beyond the largest run
LARGEST_BIAS, LARGEST_DRIFT, WIDEST_BUDGET = 0.02, 0.05, 0.1  # of ln N; per ln C; of ln C
FEWEST_POINTS = 4
BARELY_APART = "the runs barely separate alpha from beta: best sizes and losses away from them rest on little"


def collinear(runs: Runs) -> Findings:
    """LAW10: N and D that move together (or against each other) in all runs."""
    logs = np.log(np.array([runs.params, runs.tokens]))
    if len(runs) < 2 or min(np.ptp(logs, axis=1)) == 0:
        return
    correlation = float(np.corrcoef(logs)[0, 1])
    if abs(correlation) > STRONGEST_CORRELATION:
        line = "D = k N" if correlation > 0 else "one budget"
        told = line_of(runs.params, runs.tokens) is None
        yield Finding(
            code="LAW10",
            message=f"correlation {correlation:.3f} of ln N and ln D: the runs lie near a line ({line})",
            effect=BARELY_APART
            if told
            else "the runs cannot separate alpha from beta; only predictions along the line are allowed",
            advice="add runs at several D/N of each size",
        )


def condition_number(params: Sequence[float], tokens: Sequence[float], law: Additive) -> float:
    """The condition number of d ln L / d(ln A, ln B, ln E, alpha, beta), ln N and ln D from their means."""
    log_n, log_d = np.log(params), np.log(tokens)
    term_n, term_d = law.A * np.exp(-law.alpha * log_n), law.B * np.exp(-law.beta * log_d)
    predicted = law.E + term_n + term_d
    share_n, share_d = term_n / predicted, term_d / predicted
    jacobian: Floats = np.stack(
        [
            share_n,
            share_d,
            law.E / predicted,
            -share_n * (log_n - log_n.mean()),
            -share_d * (log_d - log_d.mean()),
        ],
        axis=1,
    )
    return condition(jacobian)


def ill_conditioned(runs: Runs, law: Additive) -> Findings:
    """LAW10: a design in which a change of several coefficients together changes no loss."""
    number = condition_number(runs.params, runs.tokens, law)
    if not number <= WORST_CONDITION:
        yield Finding(
            code="LAW10",
            message=f"condition number {number:.2g} of the centred Jacobian (a 4 x 3 grid has about 50)",
            effect=BARELY_APART,
            advice="add runs at several D/N of each size",
        )


def too_few(runs: Runs) -> Findings:
    """LAW11: fewer than 5 sizes, 3 ratios D/N, or runs than coefficients and one more."""
    sizes = distinct(runs.params, SAME_SIZE)
    ratios = distinct(runs.tokens_per_param, SAME_RATIO)
    scarce = (
        (len(runs) <= COEFFICIENTS, f"{len(runs)} runs for {COEFFICIENTS} coefficients"),
        (sizes < FEWEST_SIZES, f"{sizes} different sizes (at least {FEWEST_SIZES})"),
        (ratios < FEWEST_RATIOS, f"{ratios} different D/N (at least {FEWEST_RATIOS})"),
    )
    seen = [what for few, what in scarce if few]
    if seen:
        yield Finding(
            code="LAW11",
            message="; ".join(seen),
            effect="E and the exponents trade against each other, and every extrapolation with them",
            advice="add sizes and lengths, or tie alpha = beta",
        )


def extrapolation(runs: Runs, optimum: Optimum, *, force: bool = False) -> Findings:
    """LAW11: an answer decades beyond the largest run, or at a D/N that no run has.

    Raises UsageError (bad_option) beyond three decades without ``force``.
    """
    decades, seen = _beyond(runs, optimum.flops, force=force)
    ratios = runs.tokens_per_param
    outside = not min(ratios) <= optimum.tokens_per_param <= max(ratios)
    if decades > FAR or outside:
        ratio = (
            f"D/N {optimum.tokens_per_param:.3g} is outside the runs' {min(ratios):.3g} to {max(ratios):.3g}"
        )
        yield Finding(
            code="LAW11",
            message="; ".join(([seen] if decades > FAR else []) + ([ratio] if outside else [])),
            effect=f"N* = {optimum.params:.3g} rests on the form of the law, not on runs near it",
            advice="give the interval of N* with it, and check with a run between",
        )


def far(runs: Runs, flops: float, *, force: bool = False) -> Findings:
    """LAW11: a loss along the line of the runs, decades beyond the largest. Raises as `extrapolation`."""
    decades, seen = _beyond(runs, flops, force=force)
    if decades > FAR:
        yield Finding(
            code="LAW11",
            message=seen,
            effect="the loss rests on the form of the law, not on runs near it",
            advice="give its interval with it, and check with a run between",
        )


def _beyond(runs: Runs, flops: float, *, force: bool) -> tuple[float, str]:
    """Return how many decades ``flops`` lie beyond the largest run, and that in words."""
    most = max(runs.compute)
    decades = log10(flops / most)
    seen = f"{flops:.3g} FLOPs extrapolate {decades:.1f} decades beyond the largest run"
    if decades > TOO_FAR and not force:
        raise UsageError("bad_option", f"LAW11: {seen} ({most:.3g}); force it (--force) if you mean it")
    return decades, seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One budget of an isoFLOP fit: ``flops``, the sampled N from ``low`` to ``high`` and the parabola.

    ``vertex`` is in parameters, ``curvature`` in loss per (ln N)^2; ``spread`` is the largest over the
    smallest C of its ``points``.
    """

    flops: float
    low: float
    high: float
    vertex: float
    curvature: float
    points: int
    spread: float = 1.0

    @property
    def rejected(self) -> bool:
        """Whether the budget shows no least loss."""
        inside = isfinite(self.vertex) and self.low < self.vertex < self.high
        return not (inside and self.curvature > 0 and self.points >= FEWEST_POINTS)

    @property
    def half_width(self) -> float:
        """Half the window in ln N."""
        return log(self.high / self.low) / 2

    @property
    def off_centre(self) -> float:
        """How far the middle of the window lies above the vertex in ln N."""
        return log(self.low) + self.half_width - log(self.vertex)


def isoflop_geometry(windows: Sequence[Window], alpha: float, beta: float) -> Findings:
    """LAW12: parabolas that miss the optimum by their windows, the more the further alpha is from beta."""
    used = [window for window in windows if not window.rejected]
    seen = []
    if len(used) < len(windows):
        seen.append(f"{len(windows) - len(used)} of {len(windows)} budgets rejected")
    bias = max((abs(alpha - beta) * window.half_width**2 / 10 for window in used), default=0.0)
    if bias > LARGEST_BIAS:
        seen.append(f"expected vertex bias (alpha - beta) h^2 / 10 up to {bias:.3f} of ln N")
    drift = _drift(used)
    if abs(drift) > LARGEST_DRIFT:
        seen.append(f"windows drift by {drift:+.2f} of ln N per ln C against the vertices")
    wide = sum(log(window.spread) > WIDEST_BUDGET for window in windows)
    if wide:
        seen.append(
            f"{wide} budgets bucket runs whose C differ by up to {max(w.spread for w in windows):.2f} times"
        )
    if seen:
        yield Finding(
            code="LAW12",
            message="; ".join(seen),
            effect="a constant window shifts N*, a drifting one its exponent",
            advice="centre the sizes of every budget on its optimum, or use the parametric fit",
        )


def _drift(used: Sequence[Window]) -> float:
    if len({window.flops for window in used}) < 3:
        return 0.0
    x = np.log([window.flops for window in used])
    y = np.array([window.off_centre for window in used])
    return float(np.polyfit(x - x.mean(), y, 1)[0])
