"""Fitting L = E + A N^-alpha + B D^-beta to runs, from cold and with what speaks for the result.

N parameters, D training tokens, L loss in nats per token; the coefficients follow the conventions of the runs
that are given (which parameters are counted, whether tokens repeat).
"""

import math
from dataclasses import dataclass

import numpy as np

from sizewise.errors import InputError, UsageError
from sizewise.scaling.fit.cold_start import Certificate, lowest_misfit
from sizewise.scaling.fit.objective import LARGEST_EXPONENT
from sizewise.scaling.fit.points import Floats, Numbers, Points, read_points

SMALLEST_DELTA, LARGEST_DELTA = 1e-7, 1e3  # least absolute deviations and least squares, for every use


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficients:
    """E, A, B, alpha and beta of L = E + A N^-alpha + B D^-beta, as the papers write them."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted law: its coefficients, the sum of Huber losses, the number of points and the certificate."""

    coefficients: Coefficients
    objective: float
    points: int
    certificate: Certificate


def fit_additive(parameters: Numbers, tokens: Numbers, losses: Numbers, *, delta: float = 1e-3) -> Fit:
    """The law L = E + A N^-alpha + B D^-beta with the lowest sum of Huber losses of the residuals of ln L.

    One entry for each run in ``parameters`` (N), ``tokens`` (D) and ``losses`` (L, nats per token). ``delta``
    bounds the residual up to which the loss is a square; 1e-3 is that of Hoffmann et al. 2022
    (arXiv:2203.15556, Appendix D.2) and Besiroglu et al. 2024 (arXiv:2404.10102). Raises ``bad_data`` where
    the runs cannot determine a law.

    >>> sizes, lengths = [1e8, 1e8, 4e8, 4e8, 1e9, 1e9], [2e9, 2e10, 2e9, 2e10, 2e9, 2e10]
    >>> losses = [1.8 + 480 * n**-0.35 + 2100 * d**-0.37 for n, d in zip(sizes, lengths)]
    >>> round(fit_additive(sizes, lengths, losses).coefficients.alpha, 6)
    0.35
    """
    if (
        isinstance(delta, bool)
        or not isinstance(delta, int | float)
        or not SMALLEST_DELTA <= delta <= LARGEST_DELTA
    ):
        raise UsageError(
            "bad_option",
            f"delta: expected a number from {SMALLEST_DELTA:g} to {LARGEST_DELTA:g}, not {delta!r}",
        )
    points = read_points(parameters, tokens, losses)
    lowest = lowest_misfit(points, np.ones_like(points.x), float(delta))
    return Fit(
        coefficients=_coefficients(lowest.row, points),
        objective=lowest.value,
        points=len(points.x),
        certificate=lowest.certificate,
    )


def _coefficients(row: Floats, points: Points) -> Coefficients:
    """The coefficients at N = D = 1 from those at the mean run."""
    a, alpha, b, beta, e = (float(value) for value in row)
    log_e = e + points.mean_log_loss
    log_a = a + points.mean_log_loss + alpha * points.mean_log_parameters
    log_b = b + points.mean_log_loss + beta * points.mean_log_tokens
    if max(log_e, log_a, log_b) > LARGEST_EXPONENT:
        raise InputError(
            "bad_data",
            f"the losses drop like a step (alpha {alpha:.3g}, beta {beta:.3g}), which no power "
            "law describes; give runs of more sizes and lengths",
        )
    return Coefficients(
        E=math.exp(log_e),
        A=math.exp(log_a),
        B=math.exp(log_b),
        alpha=alpha,
        beta=beta,
    )
