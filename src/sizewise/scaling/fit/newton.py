"""Damped Newton steps for many rows of coefficients at once.

Each row walks on its own: the Hessian's eigenvalues are taken by their size, so that a saddle repels (Dauphin
et al. 2014, arXiv:1406.2572), and a step that would raise the objective is refused and shortened. Rows that
have arrived leave the batch.
"""

from dataclasses import dataclass

import numpy as np

from sizewise.scaling.fit.objective import Misfit, misfit, residual_scale
from sizewise.scaling.fit.points import COEFFICIENTS, Flags, Floats, Points

FLAT = 1e-12  # smallest curvature a step divides by, in the largest
ROUNDING = 1e-14  # a relative change of the objective that double precision cannot tell from none
ARRIVED = 1e-12  # a gradient below this part of the pull of all residuals ends a walk
SHORTEST_STEP = 1e-13


@dataclass(frozen=True, slots=True, kw_only=True)
class Minima:
    """Where R walks ended: ``rows`` (R, 5) and the ``misfit`` there."""

    rows: Floats
    misfit: Misfit


@np.errstate(all="ignore")  # a refused trial step may overflow
def minimise(
    starts: Floats, points: Points, weights: Floats, delta: float, *, iterations: int = 200
) -> Minima:
    """Walk every row of ``starts`` (R, 5) downhill under its own ``weights`` (R, n)."""
    rows = np.array(starts, dtype=np.float64)
    here = misfit(rows, points, weights, delta)
    arrived = ARRIVED * residual_scale(delta) * weights.sum(axis=1)
    damping = np.zeros(len(rows))
    walking = here.steepest > arrived
    for _ in range(iterations):
        at = np.flatnonzero(walking)
        if not len(at):
            break
        now = here.of(at)
        step, scale = _step(now, damping[at])
        trial = misfit(rows[at] + step, points, weights[at], delta)
        accepted = _not_worse(trial, now)
        moved = at[accepted]
        rows[moved] += step[accepted]
        for kept, new in zip(_arrays(here), _arrays(trial), strict=True):
            kept[moved] = new[accepted]
        damping[at] = _next_damping(damping[at], scale, accepted)
        stuck = ~accepted & (np.abs(step).max(axis=1) < SHORTEST_STEP)
        walking[at] = (here.steepest[at] > arrived[at]) & ~stuck
    return Minima(rows=rows, misfit=here)


def _step(now: Misfit, damping: Floats) -> tuple[Floats, Floats]:
    """The damped Newton step of every row, (R, 5), and the largest curvature of each, (R,)."""
    curvature, axes = np.linalg.eigh(now.hessian)
    size = np.abs(curvature)
    scale = size.max(axis=1)
    stiffness = np.maximum(size, FLAT * scale[:, None]) + damping[:, None]
    along = np.matmul(axes.transpose(0, 2, 1), now.gradient[:, :, None])[:, :, 0]
    step = np.matmul(axes, (along / stiffness)[:, :, None])[:, :, 0]
    return -step.reshape(-1, COEFFICIENTS), scale


def _not_worse(trial: Misfit, now: Misfit) -> Flags:
    """Rows whose trial is lower, or as low to rounding with a smaller gradient; never where it overflowed."""
    level = trial.value <= now.value * (1 + ROUNDING)
    return (trial.value < now.value) | (level & (trial.steepest < now.steepest))


def _next_damping(damping: Floats, scale: Floats, accepted: Flags) -> Floats:
    eased = np.where(damping > 1e-9 * scale, damping * 0.1, 0.0)
    return np.where(accepted, eased, np.maximum(damping * 6.0, 1e-5 * scale))


def _arrays(at: Misfit) -> tuple[Floats, Floats, Floats]:
    return at.value, at.gradient, at.hessian
