"""Profiles: the lowest misfit for every value of one coefficient, and what values the runs rule out.

The misfit is no likelihood. Its rise is compared with a chi-square of one degree of freedom after dividing it
by mean psi^2 / mean psi' of the residuals (Huber and Ronchetti 2009, Robust Statistics, 13.3), which is the
variance where the loss is a square.
"""

from dataclasses import dataclass
from math import exp, inf, sqrt
from statistics import NormalDist
from typing import Literal, get_args

import numpy as np

from sizewise.errors import UsageError
from sizewise.scaling.fit.newton import FREE, minimise
from sizewise.scaling.fit.objective import misfit, residuals
from sizewise.scaling.fit.points import Floats
from sizewise.scaling.fit.solve import Fit

Coefficient = Literal["E", "A", "B", "alpha", "beta"]

LOGARITHMIC = ("E", "A", "B")
FARTHEST = 25.0  # how far ln E, ln A and ln B are followed; nothing there is left or all of the loss is
LARGEST_EXPONENT = 10.0
FIRST_STEP = 0.3  # of the distance where a parabola would reach the limit
GROWTH = 1.15  # of each further step
MOST_STEPS = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The lowest misfit ``rises`` above the optimum at rising ``values`` of one coefficient.

    ``low`` and ``high`` are where the rise passes ``limit``; 0 and infinity where it never does, so that the
    runs leave that side open.
    """

    coefficient: Coefficient
    value: float
    low: float
    high: float
    level: float
    limit: float
    values: tuple[float, ...]
    rises: tuple[float, ...]

    @property
    def identified(self) -> bool:
        """Whether the runs bound the coefficient on both sides."""
        return self.low > 0 and self.high < inf


def profile(fit: Fit, coefficient: Coefficient, *, level: float = 0.9) -> Profile:
    """Hold one coefficient at values around its best one and minimise the misfit over all others."""
    if coefficient not in get_args(Coefficient):
        raise UsageError(
            "bad_option", f"coefficient: expected {', '.join(get_args(Coefficient))}, not {coefficient!r}"
        )
    limit = allowed_rise(fit, level)
    lower, upper = (_side(fit, coefficient, sign, limit) for sign in (-1, 1))
    values = [value for value, _ in lower[::-1]] + [value for value, _ in upper[1:]]
    rises = [rise for _, rise in lower[::-1]] + [rise for _, rise in upper[1:]]
    logarithmic = coefficient in LOGARITHMIC
    low, high = _crossing(lower, limit), _crossing(upper, limit)
    if logarithmic:
        values = [exp(value) for value in values]
        low, high = (None if end is None else exp(end) for end in (low, high))
    return Profile(
        coefficient=coefficient,
        value=float(getattr(fit.coefficients, coefficient)),
        low=0.0 if low is None else low,
        high=inf if high is None else high,
        level=level,
        limit=limit,
        values=tuple(values),
        rises=tuple(rises),
    )


def allowed_rise(fit: Fit, level: float) -> float:
    """By how much the misfit may rise before a value of one coefficient is ruled out at ``level``."""
    if not 0 < level < 1:
        raise UsageError("bad_option", f"level: expected a part between 0 and 1, not {level!r}")
    if fit.loss == "lad":
        raise UsageError("bad_option", "profiles need a fit with a Huber or squared loss, not lad")
    residual = residuals(fit.row, fit.points)
    pull = np.clip(residual, -fit.delta, fit.delta)
    inside = max(1, int((np.abs(residual) <= fit.delta).sum()))
    variance = (pull**2).sum() / max(1, len(residual) - fit.free)
    chi_square = NormalDist().inv_cdf((1 + level) / 2) ** 2
    return float(chi_square / 2 * variance * len(residual) / inside)


def _side(fit: Fit, coefficient: Coefficient, sign: int, limit: float) -> list[tuple[float, float]]:
    """Values of a coefficient (ln E, ln A, ln B) from the best one to where the rise passes the limit."""
    fixed, free = _directions(fit, coefficient)
    start = _value(fit, coefficient, fit.row)
    row, step = fit.row.copy(), _first_step(fit, fixed, free, limit)
    found = [(start, 0.0)]
    ones = np.ones((1, len(fit.points)))
    best = float(misfit(fit.row[None], fit.points, ones, fit.delta).value[0])
    for _ in range(MOST_STEPS):
        row = row + sign * step * fixed
        value = _value(fit, coefficient, row)
        if not _allowed(coefficient, value, start):
            break
        reached = minimise(row[None], fit.points, ones, fit.delta, directions=free)
        row = reached.rows[0]
        found.append((value, max(0.0, float(reached.misfit.value[0]) - best)))
        if found[-1][1] > limit:
            break
        step *= GROWTH
    return found


def _allowed(coefficient: Coefficient, value: float, start: float) -> bool:
    if coefficient in LOGARITHMIC:
        return abs(value - start) < FARTHEST
    return 0 < value < LARGEST_EXPONENT


def _directions(fit: Fit, coefficient: Coefficient) -> tuple[Floats, Floats]:
    """The direction of a row that moves the coefficient by 1, (5,), and those that keep it, (5, free)."""
    points = fit.points
    slopes = {
        "E": [0.0, 0.0, 0.0, 0.0, 1.0],
        "A": [1.0, points.mean_log_params, 0.0, 0.0, 0.0],
        "B": [0.0, 0.0, 1.0, points.mean_log_tokens, 0.0],
        "alpha": [0.0, 1.0, 0.0, 0.0, 0.0],
        "beta": [0.0, 0.0, 0.0, 1.0, 0.0],
    }
    allowed = fit.directions
    slope = np.array(slopes[coefficient]) @ allowed
    _, _, rotation = np.linalg.svd(slope[None])
    return allowed @ slope / (slope @ slope), allowed @ rotation[1:].T


def _value(fit: Fit, coefficient: Coefficient, row: Floats) -> float:
    if coefficient in LOGARITHMIC:
        return float(fit.points.log_scales(row[None])[0][LOGARITHMIC.index(coefficient)])
    return float(row[1 if coefficient == "alpha" else 3])


def _first_step(fit: Fit, fixed: Floats, free: Floats, limit: float) -> float:
    """Part of the way to where a parabola through the optimum would reach the limit."""
    ones = np.ones((1, len(fit.points)))
    bend = misfit(fit.row[None], fit.points, ones, fit.delta).hessian[0]
    across = free.T @ bend @ fixed
    left = fixed @ bend @ fixed - across @ np.linalg.pinv(free.T @ bend @ free, hermitian=True) @ across
    return float(FIRST_STEP * np.clip(np.sqrt(2 * limit / max(left, 1e-30)), 1e-6, 1.0))


def _crossing(side: list[tuple[float, float]], limit: float) -> float | None:
    """Where the rise, a square of the distance nearby, passes the limit, or None if it does not."""
    if side[-1][1] <= limit:
        return None
    (inner, below), (outer, above) = side[-2:]
    return inner + (outer - inner) * (sqrt(limit) - sqrt(below)) / (sqrt(above) - sqrt(below))


def surface(fit: Fit, alphas: Floats, betas: Floats) -> Floats:
    """The lowest misfit over A, B and E at every pair of exponents, (alphas, betas)."""
    pairs = np.stack(np.meshgrid(alphas, betas, indexing="ij"), axis=-1).reshape(-1, 2)
    rows = np.repeat(fit.row[None], len(pairs), axis=0)
    rows[:, [1, 3]] = pairs
    ones = np.ones((1, len(fit.points)))
    found = minimise(rows, fit.points, ones, fit.delta, directions=FREE[:, [0, 2, 4]])
    lowest: Floats = found.misfit.value.reshape(len(alphas), len(betas))
    return lowest
