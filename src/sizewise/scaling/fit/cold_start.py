"""Finding the lowest misfit without a guess: a grid over both exponents, then Newton from its best cells.

For given exponents the law is linear in A, B and E, so that the relative least squares of every cell have a
closed solution and no range of A, B or E has to be guessed. The lowest cells are followed from a wide Huber
bound, where the objective is nearly least squares, down to the one that was asked for. Where anything speaks
against the minimum, a wider and finer grid is searched as well.
"""

from dataclasses import dataclass

import numpy as np

from sizewise.errors import InputError
from sizewise.scaling.fit.newton import Minima, minimise
from sizewise.scaling.fit.objective import residual_scale
from sizewise.scaling.fit.points import COEFFICIENTS, Flags, Floats, Points

WIDEST_BOUND = 3e-2  # Huber bound at which the path begins
NARROWING = 7.5
SMALLEST_SHARE = 1e-3  # of the mean loss, for a term whose least-squares coefficient is not positive
RIDGE = 1e-13  # of the diagonal: keeps equal columns solvable
SMALLEST_RIDGE = 1e-280  # where a column underflows
ENOUGH_AGREEING = 3
VANISHING = 1e-9  # a gradient below this part of the pull of all residuals is none
FLAT = 1e-9  # a curvature below this part of the largest is none


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
class Certificate:
    """What speaks for a minimum being the lowest one: never an optimiser's own word.

    ``agreeing`` of the ``starts`` ended at the lowest objective. ``gradient`` is the largest entry of the
    gradient and ``gradient_limit`` what counts as none; ``curvatures`` are the eigenvalues of the Hessian,
    lowest first, in (ln A, alpha, ln B, beta, ln E) at the mean run.
    """

    starts: int
    agreeing: int
    gradient: float
    gradient_limit: float
    curvatures: tuple[float, ...]

    @property
    def stationary(self) -> bool:
        """Whether the gradient vanishes."""
        return self.gradient <= self.gradient_limit

    @property
    def determined(self) -> bool:
        """Whether the misfit rises in every direction, so that the runs tell all coefficients apart."""
        return self.curvatures[0] > FLAT * self.curvatures[-1]

    @property
    def agreed(self) -> bool:
        """Whether several starts found the same lowest misfit."""
        return self.agreeing >= ENOUGH_AGREEING

    @property
    def confirmed(self) -> bool:
        """Whether nothing speaks against the minimum."""
        return self.stationary and self.determined and self.agreed


@dataclass(frozen=True, slots=True, kw_only=True)
class Lowest:
    """The lowest minimum found: its coefficients ``row`` (5,), the objective there and what speaks for it."""

    row: Floats
    value: float
    certificate: Certificate


def lowest_misfit(points: Points, weights: Floats, delta: float) -> Lowest:
    """The lowest sum of Huber losses from cold, for runs of the given ``weights`` (n,)."""
    first = _lowest(_followed(points, weights, delta, FIRST_GRID), weights, delta)
    if first.certificate.confirmed:
        return first
    wider = _lowest(_followed(points, weights, delta, WIDER_GRID), weights, delta)
    return wider if wider.value <= first.value else first


def _lowest(found: Minima, weights: Floats, delta: float) -> Lowest:
    best = int(np.argmin(found.misfit.value))
    certificate = Certificate(
        starts=len(found.rows),
        agreeing=int(_agreeing(found, delta).sum()),
        gradient=float(found.misfit.steepest[best]),
        gradient_limit=float(VANISHING * residual_scale(delta) * weights.sum()),
        curvatures=tuple(float(value) for value in np.linalg.eigvalsh(found.misfit.hessian[best])),
    )
    return Lowest(row=found.rows[best], value=float(found.misfit.value[best]), certificate=certificate)


def _agreeing(found: Minima, delta: float) -> Flags:
    """Which walks ended at the lowest objective, (R,): within 1e-9 of it, or 1e-4 of a residual."""
    lowest = found.misfit.value.min()
    agreeing: Flags = found.misfit.value <= lowest * (1 + 1e-9) + 1e-8 * residual_scale(delta) ** 2
    return agreeing


def _followed(points: Points, weights: Floats, delta: float, grid: Grid) -> Minima:
    rows = cells(points, weights, grid.exponents)[: grid.starts]
    if not len(rows):
        raise InputError(
            "bad_data", "the runs span too many orders of magnitude for a fit in double precision"
        )
    each = np.broadcast_to(weights, (len(rows), len(weights)))
    bound = WIDEST_BOUND
    while bound > 2 * delta:
        rows = minimise(rows, points, each, bound, iterations=60).rows
        bound /= NARROWING
    return minimise(rows, points, each, delta)


@np.errstate(all="ignore")  # a cell may overflow; it is then no start
def cells(points: Points, weights: Floats, exponents: Floats) -> Floats:
    """Coefficients (a, alpha, b, beta, e) of every pair of exponents, (pairs, 5), smallest residual first.

    A, B and E solve the weighted least squares of the relative residual. Pairs where one of them is not
    positive come last, with a small share of the loss in its place.
    """
    root = np.sqrt(weights)
    relative = root * np.exp(-points.log_loss)
    column_n = np.exp(exponents[:, None] * points.x) * relative
    column_d = np.exp(exponents[:, None] * points.y) * relative
    products, targets = _normal_equations(column_n, column_d, relative, root)
    ridge = (RIDGE * np.einsum("...ii->...i", products) + SMALLEST_RIDGE)[..., None] * np.eye(3)
    solved = np.linalg.solve(products + ridge, targets[..., None])[..., 0].reshape(-1, 3)
    positive = np.asarray((solved > 0).all(axis=1))
    used = np.where(positive[:, None], solved, np.maximum(solved, SMALLEST_SHARE))
    products, targets = products.reshape(-1, 3, 3), targets.reshape(-1, 3)
    residual = np.einsum("ri,rij,rj->r", used, products, used) - 2 * (used * targets).sum(axis=1)
    alpha, beta = (axis.ravel() for axis in np.meshgrid(exponents, exponents, indexing="ij"))
    a, b, e = np.log(used).T
    rows = np.stack([a, alpha, b, beta, e], axis=1)
    usable = np.isfinite(rows).all(axis=1) & np.isfinite(residual)
    order = np.lexsort((residual, ~positive, ~usable))
    return rows[order[: usable.sum()]].reshape(-1, COEFFICIENTS)


def _normal_equations(
    column_n: Floats, column_d: Floats, column_e: Floats, target: Floats
) -> tuple[Floats, Floats]:
    """Products of the three columns of every pair, (g, g, 3, 3), and of each with the target, (g, g, 3)."""
    size = len(column_n)
    products, targets = np.empty((size, size, 3, 3)), np.empty((size, size, 3))
    products[..., 0, 0] = (column_n**2).sum(axis=1)[:, None]
    products[..., 1, 1] = (column_d**2).sum(axis=1)[None]
    products[..., 2, 2] = column_e @ column_e
    products[..., 0, 1] = products[..., 1, 0] = column_n @ column_d.T
    products[..., 0, 2] = products[..., 2, 0] = (column_n @ column_e)[:, None]
    products[..., 1, 2] = products[..., 2, 1] = (column_d @ column_e)[None]
    targets[..., 0] = (column_n @ target)[:, None]
    targets[..., 1] = (column_d @ target)[None]
    targets[..., 2] = column_e @ target
    return products, targets
