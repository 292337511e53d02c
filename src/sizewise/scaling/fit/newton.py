"""Damped Newton steps for many rows of coefficients at once.

Each row walks on its own. Rows that have arrived leave the batch.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sizewise.scaling.fit.elimination import solve_each
from sizewise.scaling.fit.huber import residual_scale
from sizewise.scaling.fit.objective import Misfit, misfit
from sizewise.scaling.fit.points import COEFFICIENTS, Flags, Floats, Points
from sizewise.scaling.fit.steps import ARRIVED, FLAT, SHORTEST_STEP, next_damping, not_worse, saddle_free_step

FREE: Floats = np.eye(COEFFICIENTS)  # the directions that a walk may take, (5, free)
TIED: Floats = np.delete(FREE, 3, axis=1) + np.outer(FREE[3], np.delete(FREE, 3, axis=1)[1])  # alpha = beta
ONE: Floats = np.array([[1.0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])  # and A = B: one power


def directions_of(points: Points, *, tied: bool) -> Floats:
    """Where a fit may walk, (5, free): ``tied`` along both exponents, along both terms if N and D are one."""
    if not tied:
        return FREE
    return ONE if np.array_equal(points.x, points.y) else TIED


@dataclass(frozen=True, slots=True, kw_only=True)
class Minima:
    """Where R walks ended: ``rows`` (R, 5), the ``misfit`` there and which of them ``arrived`` (R,)."""

    rows: Floats
    misfit: Misfit
    arrived: Flags


@np.errstate(all="ignore")  # a refused trial step may overflow
def minimise(
    starts: Floats,
    points: Points,
    weights: Floats,
    delta: float,
    *,
    directions: Floats = FREE,
    iterations: int = 200,
    arrival: float = ARRIVED,
) -> Minima:
    """Walk every row of ``starts`` (R, 5) downhill under its own ``weights`` (R, n) or shared ones (1, n)."""
    rows = np.array(starts, dtype=np.float64)
    here = _along(misfit(rows, points, weights, delta), directions)
    near = np.broadcast_to(arrival * residual_scale(delta) * weights.sum(axis=1), len(rows))
    damping = np.zeros(len(rows))
    walking = here.steepest > near
    for _ in range(iterations):
        at = np.flatnonzero(walking)
        if not len(at):
            break
        now = here.of(at)
        step, scale = _step(now, damping[at])
        step = step @ directions.T
        trial = _along(misfit(rows[at] + step, points, _own(weights, at), delta), directions)
        accepted = not_worse(trial, now)
        moved = at[accepted]
        rows[moved] += step[accepted]
        for kept, new in zip(_arrays(here), _arrays(trial), strict=True):
            kept[moved] = new[accepted]
        damping[at] = next_damping(damping[at], scale, accepted)
        stuck = ~accepted & (np.abs(step).max(axis=1) < SHORTEST_STEP)
        walking[at] = (here.steepest[at] > near[at]) & ~stuck
    return Minima(rows=rows, misfit=here, arrived=~walking & np.isfinite(here.value))


def _own(weights: Floats, rows: NDArray[np.intp]) -> Floats:
    return weights if len(weights) == 1 else weights[rows]


def _along(found: Misfit, directions: Floats) -> Misfit:
    """The misfit with its derivatives in the free directions alone."""
    if directions is FREE:
        return found
    return Misfit(
        value=found.value,
        gradient=found.gradient @ directions,
        hessian=directions.T @ found.hessian @ directions,
    )


def _step(now: Misfit, damping: Floats) -> tuple[Floats, Floats]:
    """The damped Newton step of every row, (R, free), and the largest curvature of each, (R,)."""
    scale = np.abs(now.hessian).max(axis=(1, 2))
    stiffer = (damping + FLAT * scale)[:, None, None] * np.eye(now.gradient.shape[1])
    step, definite = solve_each(now.hessian + stiffer, -now.gradient)
    odd = np.flatnonzero(~definite)
    if len(odd):
        spectrum = np.linalg.eigh(now.hessian[odd])
        step[odd] = saddle_free_step(now.gradient[odd], spectrum, damping[odd], scale[odd])
    return step, scale


def _arrays(at: Misfit) -> tuple[Floats, Floats, Floats]:
    return at.value, at.gradient, at.hessian
