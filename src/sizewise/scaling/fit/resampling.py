"""Refitting a law to resampled runs: the spread of its coefficients.

A replicate starts where the full fit would move to if the objective were a parabola. The minimum near that
is not always the lowest. Therefore a pilot is solved from cold as well; where that finds anything lower, so
are all others, and the lower minimum counts. Only a block of weights is held at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sizewise.errors import UsageError
from sizewise.scaling.fit.certificate import VANISHING
from sizewise.scaling.fit.cold_start import Grid, followed
from sizewise.scaling.fit.huber import residual_scale
from sizewise.scaling.fit.newton import Minima, minimise
from sizewise.scaling.fit.objective import LARGEST_EXPONENT, misfit, residuals, slopes
from sizewise.scaling.fit.points import Flags, Floats, Points
from sizewise.scaling.fit.schemes import FEWEST_REPLICATES, Kind, Labels, Scheme, drawn, left_out
from sizewise.scaling.fit.solve import Fit

Progress = Callable[[int, int], None]

ROWS_AT_ONCE = 512
MOST_WORK, FEWEST_DRAWS = 40_000_000, 20  # runs times draws; draws that any number of runs is given
PILOT_WORK = 2_000_000  # runs times pilots that are solved from cold
MOST_COLD = 20_000  # runs up to which all replicates are solved from cold where a pilot found a miss
WEIGHTS_AT_ONCE = 1 << 17  # of an (R, n) array
CHECK_GRID = Grid(lowest=0.05, highest=1.5, size=12, starts=2)
LOWER = 1e-6  # of the objective of a replicate (1e-9 for Huber losses of 1e-3): a different minimum
SMOOTHER = 2.0  # bound of the parabola, in bounds of the objective: few residuals are within the latter
RESAMPLED_BOUNDS = (1e-3, 1e-4, 1e-5, 1e-6)  # stands for absolute deviations: 1e-6 of ln L is far below noise
LONGEST_START = 1.0  # of ln A or an exponent: a parabola is trusted no further
DETERMINED = 1e-6  # curvatures below this part of the largest move no start


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicates:
    """Refits of resampled runs of a ``fit``: ``coefficients`` (R, 5) with columns E, A, B, alpha and beta.

    ``objectives`` (R,) are in the unit of the fit's. ``units`` independent units were resampled: runs, or
    groups of them. The first ``checked`` replicates were solved from cold as
    well, and ``missed`` of them had a lower minimum than the one near the full fit; ``solved_cold`` where
    that made it necessary for all. In ``unconverged`` the gradient did not vanish.
    """

    fit: Fit
    kind: Kind
    coefficients: Floats
    objectives: Floats
    units: int
    checked: int
    missed: int
    solved_cold: bool
    unconverged: int

    def __len__(self) -> int:
        """The number of replicates."""
        return len(self.coefficients)

    @property
    def drawn(self) -> bool:
        """Whether the replicates spread as the fit does: draws do, leaving one unit out does not."""
        return self.kind in ("runs", "groups", "given")


def affordable(replicates: int, runs: int) -> int:
    """How many of the ``replicates`` so many runs allow.

    >>> affordable(4000, 240), affordable(4000, 100_000)
    (4000, 400)
    """
    return min(replicates, max(FEWEST_DRAWS, MOST_WORK // runs))


def bootstrap(
    fit: Fit,
    *,
    replicates: int = 4000,
    seed: int = 42,
    groups: Labels | None = None,
    copies: bool = False,
    pilot: int = 100,
    progress: Progress | None = None,
) -> Replicates:
    """Refit ``replicates`` draws with replacement of the runs, or of whole ``groups`` of them.

    Runs that share a size or a seed are not independent: name the group of every run. Draws of too few groups
    to determine a law are left out. ``copies`` says that each group is one run, given several times. The
    first ``pilot`` replicates are solved from cold as well; ``progress`` is told how many of how many are
    done.
    """
    scheme = drawn(len(fit.points), replicates=replicates, seed=seed, groups=groups, copies=copies)
    return refitted(fit, scheme, pilot=pilot, progress=progress)


def jackknife(fit: Fit, *, groups: Labels | None = None, progress: Progress | None = None) -> Replicates:
    """Refit without each run in turn, or without each of the ``groups``."""
    scheme = left_out(len(fit.points), groups=groups)
    return refitted(fit, scheme, progress=progress)


def refitted(fit: Fit, scheme: Scheme, *, pilot: int = 100, progress: Progress | None = None) -> Replicates:
    """Refit every replicate of a scheme of weights; the first ``pilot`` from cold as well."""
    if isinstance(pilot, bool) or not isinstance(pilot, int) or pilot < 0:
        raise UsageError("bad_option", f"pilot: expected a whole number from 0, not {pilot!r}")
    influence = _influence(fit)
    pilot = min(pilot, max(1, PILOT_WORK // len(fit.points)))
    all_cold = len(fit.points) <= MOST_COLD
    ends, checked, missed, seen = [], 0, 0, 0
    for block in scheme.blocks(_rows_at_once(len(fit.points))):
        weights = scheme.telling(block)
        seen += len(block)
        near = _near(fit, weights, influence)
        first = min(max(pilot - checked, 0), len(weights))
        for part in (slice(0, first), slice(first, len(weights))):
            if part.stop > part.start and (part.stop == first or (missed and all_cold)):
                missed += _replace_higher(near, part, _from_cold(fit, weights[part]))
                checked += part.stop - part.start
        ends.append(near)
        if progress is not None:
            progress(seen, scheme.replicates)
    coefficients = _coefficients(np.concatenate([end.rows for end in ends]), fit.points)
    if scheme.kind == "groups" and len(coefficients) < FEWEST_REPLICATES:
        raise UsageError("bad_option", "replicates: no draw holds enough groups for a law; draw more")
    return Replicates(
        fit=fit,
        kind=scheme.kind,
        coefficients=coefficients,
        objectives=np.concatenate([end.values for end in ends]),
        units=scheme.units,
        checked=checked,
        missed=missed,
        solved_cold=checked == len(coefficients),
        unconverged=sum(int((~end.converged).sum()) for end in ends),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ends:
    """Where the walks of a block ended: ``rows`` (R, 5), the objectives (R,) and which ``converged`` (R,)."""

    rows: Floats
    values: Floats
    converged: Flags


def _near(fit: Fit, weights: Floats, influence: Floats) -> _Ends:
    """The minima of replicates near the full fit."""
    rows = fit.row + np.clip((weights - 1.0) @ influence, -LONGEST_START, LONGEST_START)
    for bound in _bounds(fit):
        found = minimise(rows, fit.points, weights, bound, directions=fit.directions)
        rows = found.rows
    return _ends(fit, weights, found)


def _from_cold(fit: Fit, weights: Floats) -> _Ends:
    """The lowest minimum of every replicate from the best cells of a grid of its own."""
    found = followed(fit.points, weights, _bounds(fit)[-1], CHECK_GRID, fit.directions, once=True)
    starts = len(found.rows) // len(weights)
    ends = _ends(fit, np.repeat(weights, starts, axis=0), found)
    values = np.nan_to_num(ends.values, nan=np.inf).reshape(-1, starts)
    best = values.argmin(axis=1) + starts * np.arange(len(weights))
    return _Ends(rows=ends.rows[best], values=values.min(axis=1), converged=ends.converged[best])


def _replace_higher(near: _Ends, part: slice, cold: _Ends) -> int:
    """Put the lower minimum in the place of a higher one, and count the minima that were missed."""
    lower = ~(cold.values >= near.values[part])  # also where the walk nearby overflowed
    missed = int((cold.values < near.values[part] * (1 - LOWER)).sum())
    for kept, other in ((near.rows, cold.rows), (near.values, cold.values), (near.converged, cold.converged)):
        kept[part][lower] = other[lower]
    return missed


def _ends(fit: Fit, weights: Floats, found: Minima) -> _Ends:
    bound = _bounds(fit)[-1]
    total = weights.sum(axis=1)
    values = found.misfit.value
    if fit.loss == "squared":
        values = 2 * values
    if fit.loss == "lad":  # the Huber loss is short of bound * |r| by bound^2 / 2
        values = values / bound + bound / 2 * total
    converged = found.misfit.steepest <= VANISHING * residual_scale(bound) * total
    return _Ends(rows=found.rows, values=values, converged=converged)


def _influence(fit: Fit) -> Floats:
    """How far another copy of each run would move the row of the fit, to first order, (n, 5)."""
    bound, directions = _bounds(fit)[0], fit.directions
    pull = np.clip(residuals(fit.row, fit.points), -bound, bound)
    gradients = -pull[:, None] * slopes(fit.row, fit.points)
    hessian = misfit(fit.row[None], fit.points, np.ones((1, len(fit.points))), SMOOTHER * bound).hessian[0]
    inverse = np.linalg.pinv(directions.T @ hessian @ directions, rcond=DETERMINED, hermitian=True)
    influence: Floats = -gradients @ directions @ inverse @ directions.T
    return influence


def _bounds(fit: Fit) -> tuple[float, ...]:
    """The Huber bounds of a replicate's walk, the last of which stands for the loss of the fit."""
    return RESAMPLED_BOUNDS if fit.loss == "lad" else (fit.delta,)


def _rows_at_once(points: int) -> int:
    return max(1, min(ROWS_AT_ONCE, WEIGHTS_AT_ONCE // points))


@np.errstate(under="ignore")
def _coefficients(rows: Floats, points: Points) -> Floats:
    """Columns E, A, B, alpha and beta, (R, 5)."""
    scales = np.exp(np.minimum(points.log_scales(rows), LARGEST_EXPONENT))
    return np.concatenate([scales, rows[:, [1, 3]]], axis=1)
