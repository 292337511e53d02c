"""How badly a law L = E + A N^-alpha + B D^-beta misses the runs, with exact first and second derivatives.

A row of coefficients is (a, alpha, b, beta, e) with A = exp(a), B = exp(b), E = exp(e) in units of the mean
loss and at the means of ln N and ln D, so that the logarithm of the predicted loss is the log-sum-exp of
a + alpha x, b + beta y and e. The misfit is the sum (never the mean) of the Huber losses of the residuals of
ln L (Hoffmann et al. 2022, arXiv:2203.15556, Eq. 3). Shapes: R rows (starts or replicates), n points.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sizewise.scaling.fit.points import COEFFICIENTS, Floats, Points

LARGEST_EXPONENT = 700.0  # exp() of more overflows a double
TYPICAL_RESIDUAL = 1e-2  # of ln L between runs and a law that describes them

# (a - e, alpha, b - e, beta, e) from (a, alpha, b, beta, e): ln L is linear in e there
RELATIVE_TO_FLOOR = np.eye(COEFFICIENTS)
RELATIVE_TO_FLOOR[[0, 2], 4] = -1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """The objective of R rows: ``value`` (R,), ``gradient`` (R, 5), ``hessian`` (R, 5, 5)."""

    value: Floats
    gradient: Floats
    hessian: Floats

    def of(self, rows: NDArray[np.intp]) -> "Misfit":
        """The misfit of some rows alone."""
        return Misfit(value=self.value[rows], gradient=self.gradient[rows], hessian=self.hessian[rows])

    @property
    def steepest(self) -> Floats:
        """Largest absolute entry of each row's gradient, shape (R,)."""
        steepest: Floats = np.abs(self.gradient).max(axis=1)
        return steepest


def misfit(rows: Floats, points: Points, weights: Floats, delta: float) -> Misfit:
    """The weighted sum of Huber losses of every row, its gradient and its Hessian.

    ``rows`` (R, 5); ``weights`` (R, n): 1 for a plain fit, counts for a bootstrap replicate.
    """
    share_n, share_d, log_predicted = _shares(rows, points)
    residual = points.log_loss - log_predicted
    distance = np.abs(residual)
    clipped = np.minimum(distance, delta)
    value = np.einsum("ij,ij->i", weights, clipped * (distance - 0.5 * clipped))
    pull = weights * np.clip(residual, -delta, delta)
    inside = weights * (distance <= delta)
    gradient, hessian = _derivatives(share_n, share_d, pull, inside, points)
    return Misfit(
        value=value,
        gradient=gradient @ RELATIVE_TO_FLOOR,
        hessian=RELATIVE_TO_FLOOR.T @ hessian @ RELATIVE_TO_FLOOR,
    )


def residual_scale(delta: float) -> float:
    """The residual of ln L that tolerances are parts of: the Huber bound, or a typical one if smaller."""
    return min(delta, TYPICAL_RESIDUAL)


def _shares(rows: Floats, points: Points) -> tuple[Floats, Floats, Floats]:
    """Shares of the N term and the D term in the predicted loss and its logarithm, each (R, n)."""
    a, alpha, b, beta, e = rows.T[:, :, None]
    term_n = np.exp(np.minimum(a + alpha * points.x, LARGEST_EXPONENT))
    term_d = np.exp(np.minimum(b + beta * points.y, LARGEST_EXPONENT))
    predicted = term_n + term_d
    predicted += np.exp(e)
    return term_n / predicted, term_d / predicted, np.log(predicted)


def _derivatives(
    share_n: Floats, share_d: Floats, pull: Floats, inside: Floats, points: Points
) -> tuple[Floats, Floats]:
    """Gradient and Hessian in (a - e, alpha, b - e, beta, e), from weighted moments of x and y.

    The derivative of ln L is (p, px, q, qy, 1) for the shares p and q; the second one is that of a softmax.
    Inside delta the square of the first counts, and everywhere the pull of the residual times the second.
    """
    ones = np.ones_like(points.x)
    powers_x = np.stack([ones, points.x, points.x**2], axis=1)
    powers_y = np.stack([ones, points.y, points.y**2], axis=1)
    products = np.stack([ones, points.y, points.x, points.x * points.y], axis=1)
    bend = inside + pull
    pull_n, pull_d = pull * share_n, pull * share_d
    bend_n = bend * share_n
    first_n, first_d = pull_n @ powers_x, pull_d @ powers_y
    second_n = (bend_n * share_n) @ powers_x - first_n
    second_d = (bend * share_d * share_d) @ powers_y - first_d
    cross = ((bend_n * share_d) @ products).reshape(-1, 2, 2)

    gradient = -np.concatenate([first_n[:, :2], first_d[:, :2], pull.sum(axis=1)[:, None]], axis=1)
    hessian = np.empty((len(pull), COEFFICIENTS, COEFFICIENTS))
    hessian[:, :2, :2] = second_n[:, [[0, 1], [1, 2]]]
    hessian[:, 2:4, 2:4] = second_d[:, [[0, 1], [1, 2]]]
    hessian[:, :2, 2:4] = cross
    hessian[:, 2:4, :2] = cross.transpose(0, 2, 1)
    hessian[:, :2, 4] = hessian[:, 4, :2] = (inside * share_n) @ powers_x[:, :2]
    hessian[:, 2:4, 4] = hessian[:, 4, 2:4] = (inside * share_d) @ powers_y[:, :2]
    hessian[:, 4, 4] = inside.sum(axis=1)
    return gradient, hessian
