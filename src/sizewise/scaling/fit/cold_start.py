"""Finding the lowest misfit without a guess: a grid over both exponents, then Newton from its best cells.

For given exponents the law is linear in A, B and E, so that the relative least squares of every cell have a
closed solution and no range of A, B or E has to be guessed. The lowest cells are followed from a wide Huber
bound, where the objective is nearly least squares, down to the one that was asked for. Where anything speaks
against the minimum, a wider and finer grid is searched as well.
"""

from dataclasses import dataclass

import numpy as np

from sizewise.errors import InputError
from sizewise.scaling.fit.certificate import VANISHING, Certificate, agreeing
from sizewise.scaling.fit.elimination import solve_each
from sizewise.scaling.fit.huber import residual_scale, wider_bounds
from sizewise.scaling.fit.newton import FREE, Minima, minimise
from sizewise.scaling.fit.objective import blocks, residuals
from sizewise.scaling.fit.points import COEFFICIENTS, Flags, Floats, Points

SMALLEST_SHARE = 1e-3  # of the mean loss, for a term whose least-squares coefficient is not positive
RIDGE = 1e-13  # of the diagonal: keeps equal columns solvable
SMALLEST_RIDGE = 1e-280  # where a column underflows
NEARLY = 1e-4  # a gradient below this part of the pull of all residuals ends a walk on the way
TOGETHER = 1e-3  # rows that differ by less are on the way to one minimum
NO_SHARE = 1e-6  # a term below this part of every predicted loss is none
LEAST_EXPONENT, LARGEST_FITTED_EXPONENT = 0.005, 10.0  # outside, a power law is a logarithm or a step


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A geometric grid that both exponents share, and how many of its cells are followed."""

    lowest: float
    highest: float
    size: int
    starts: int

    @property
    def exponents(self) -> Floats:
        """The exponents of the grid, shape (size,)."""
        exponents: Floats = np.geomspace(self.lowest, self.highest, self.size)
        return exponents


FIRST_GRID = Grid(lowest=0.05, highest=1.5, size=24, starts=12)
WIDER_GRID = Grid(lowest=0.02, highest=3.0, size=32, starts=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowest:
    """The lowest minimum found: its coefficients ``row`` (5,), the objective there and what speaks for it."""

    row: Floats
    value: float
    certificate: Certificate


def lowest_misfit(points: Points, delta: float, directions: Floats = FREE) -> Lowest:
    """The lowest sum of Huber losses from cold, along the free ``directions`` (5, free)."""
    weights = np.ones((1, len(points)))
    first = _lowest(followed(points, weights, delta, FIRST_GRID, directions), points, delta)
    if first.certificate.confirmed:
        return first
    wider = _lowest(followed(points, weights, delta, WIDER_GRID, directions), points, delta)
    return wider if wider.value <= first.value else first


def followed(
    points: Points,
    weights: Floats,
    delta: float,
    grid: Grid,
    directions: Floats = FREE,
    *,
    once: bool = False,
) -> Minima:
    """Minima reached from the best cells of the grid, (R * starts, 5), for every row of weights (R, n).

    ``once`` follows walks of a row that have met no further than one of them; the others are not finite, as
    are those from cells that overflow.
    """
    rows = started(points, weights, grid, directions)
    starts = len(rows) // len(weights)
    each = weights if len(weights) == 1 else np.repeat(weights, starts, axis=0)
    for bound in wider_bounds(delta):
        found = minimise(rows, points, each, bound, directions=directions, iterations=60, arrival=NEARLY)
        rows = found.rows
        if once:
            rows[_met(rows.reshape(-1, starts, COEFFICIENTS)).ravel()] = np.nan
    return minimise(rows, points, each, delta, directions=directions)


def started(points: Points, weights: Floats, grid: Grid, directions: Floats) -> Floats:
    """The best cells of the grid, (R * starts, 5), or ``bad_data`` where none is finite."""
    rows = cells(points, weights, grid.exponents, starts=grid.starts, tied=directions is not FREE)
    if not np.isfinite(rows).any():
        raise InputError(
            "bad_data", "the runs span too many orders of magnitude for a fit in double precision"
        )
    return rows.reshape(-1, COEFFICIENTS)


def _met(rows: Floats) -> Flags:
    """Which starts (R, starts, 5) are where an earlier one of the same row is, (R, starts)."""
    apart = np.abs(rows[:, :, None] - rows[:, None]).max(axis=3)
    met: Flags = (np.tril(apart < TOGETHER, k=-1)).any(axis=2)
    return met


def _lowest(found: Minima, points: Points, delta: float) -> Lowest:
    best = int(np.nanargmin(found.misfit.value))
    row = found.rows[best]
    certificate = Certificate(
        starts=len(found.rows),
        agreeing=int(agreeing(found.misfit.value, delta).sum()),
        gradient=float(found.misfit.steepest[best]),
        gradient_limit=float(VANISHING * residual_scale(delta) * len(points)),
        curvatures=tuple(float(value) for value in np.linalg.eigvalsh(found.misfit.hessian[best])),
        inside=int((np.abs(residuals(row, points)) <= delta).sum()),
        at_bounds=at_bounds(row, points),
    )
    return Lowest(row=row, value=float(found.misfit.value[best]), certificate=certificate)


def at_bounds(row: Floats, points: Points) -> tuple[str, ...]:
    """The coefficients that ran to an edge: terms that vanished and exponents that no power law has."""
    a, alpha, b, beta, e = (float(value) for value in row)
    least = float(points.log_loss.min()) + float(np.log(NO_SHARE))
    terms = {
        "E": e,
        "A": a + abs(alpha) * np.abs(points.x).max(),
        "B": b + abs(beta) * np.abs(points.y).max(),
    }
    vanished = [name for name, logarithm in terms.items() if logarithm < least]
    exponents = {"alpha": alpha, "beta": beta}
    odd = [name for name, x in exponents.items() if not LEAST_EXPONENT <= x <= LARGEST_FITTED_EXPONENT]
    return tuple(vanished + odd)


@np.errstate(all="ignore")  # a cell may overflow; it is then no start
def cells(points: Points, weights: Floats, exponents: Floats, *, starts: int, tied: bool = False) -> Floats:
    """Rows (a, alpha, b, beta, e) of the pairs of exponents with the smallest residuals, (R, starts, 5).

    A, B and E solve the least squares of the relative residual under each row of weights (R, n). Pairs where
    one of them is not positive come last, with a small share of the loss in its place; a pair that overflows
    gives no finite row.
    """
    products, targets = _normal_equations(points, weights, exponents, tied)
    count, pairs = targets.shape[:2]
    ridge = (RIDGE * np.einsum("...ii->...i", products) + SMALLEST_RIDGE)[..., None] * np.eye(3)
    flat = (products + ridge).reshape(-1, 3, 3)
    solved = solve_each(flat, targets.reshape(-1, 3))[0].reshape(count, pairs, 3)
    positive = np.asarray((solved > 0).all(axis=2))
    used = np.where(positive[..., None], solved, np.maximum(solved, SMALLEST_SHARE))
    residual = np.einsum("rpi,rpij,rpj->rp", used, products, used) - 2 * (used * targets).sum(axis=2)
    unusable = ~(np.isfinite(used).all(axis=2) & np.isfinite(residual))
    order = np.lexsort((residual, ~positive, unusable), axis=-1)[:, :starts]
    alpha, beta = _pairs(exponents, tied).T
    a, b, e = np.log(np.take_along_axis(used, order[..., None], axis=1)).transpose(2, 0, 1)
    rows = np.stack([a, alpha[order], b, beta[order], e], axis=2)
    rows[np.take_along_axis(unusable, order, axis=1)] = np.nan
    return rows


def _pairs(exponents: Floats, tied: bool) -> Floats:
    """Pairs (alpha, beta) of the cells, (pairs, 2)."""
    if tied:
        return np.stack([exponents, exponents], axis=1)
    return np.stack(np.meshgrid(exponents, exponents, indexing="ij"), axis=2).reshape(-1, 2)


def _normal_equations(
    points: Points, weights: Floats, exponents: Floats, tied: bool
) -> tuple[Floats, Floats]:
    """Products of the three columns of every cell, (R, pairs, 3, 3), and of each with 1, (R, pairs, 3)."""
    size = len(exponents)
    pairs = size if tied else size * size
    width = pairs + 6 * size + 2
    sums = np.zeros((len(weights), width))
    for block, weight in blocks(points, weights, width):
        floor = np.exp(-block.log_loss)
        column_n, column_d = (
            np.exp(exponents * axis[:, None]) * floor[:, None] for axis in (block.x, block.y)
        )
        cross = column_n * column_d if tied else column_n[:, :, None] * column_d[:, None, :]
        once = np.stack([floor**2, floor], axis=1)
        each = [
            column_n**2,
            column_d**2,
            *(c * floor[:, None] for c in (column_n, column_d)),
            column_n,
            column_d,
        ]
        sums += weight @ np.concatenate([cross.reshape(len(block), -1), *each, once], axis=1)
    first, second = (slice(None),) * 2 if tied else (np.repeat(range(size), size), np.tile(range(size), size))
    nn, dd, ne, de, n, d = (sums[:, pairs + k * size : pairs + (k + 1) * size] for k in range(6))
    products, targets = np.empty((len(sums), pairs, 3, 3)), np.empty((len(sums), pairs, 3))
    products[..., 0, 0], products[..., 1, 1], products[..., 2, 2] = (
        nn[:, first],
        dd[:, second],
        sums[:, -2:-1],
    )
    products[..., 0, 1] = products[..., 1, 0] = sums[:, :pairs]
    products[..., 0, 2] = products[..., 2, 0] = ne[:, first]
    products[..., 1, 2] = products[..., 2, 1] = de[:, second]
    targets[..., 0], targets[..., 1], targets[..., 2] = n[:, first], d[:, second], sums[:, -1:]
    return products, targets
