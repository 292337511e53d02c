"""Fitting L = E + A N^-alpha + B D^-beta to runs, from cold and with what speaks for the result.

N parameters, D training tokens, L loss in nats per token; the coefficients follow the conventions of the runs
that are given (which parameters are counted, whether tokens repeat).
"""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np

from sizewise.errors import InputError, UsageError
from sizewise.scaling.fit.certificate import Certificate
from sizewise.scaling.fit.cold_start import Lowest, lowest_misfit
from sizewise.scaling.fit.huber import checked_delta
from sizewise.scaling.fit.lad import least_absolute_deviations
from sizewise.scaling.fit.newton import FREE, directions_of
from sizewise.scaling.fit.objective import LARGEST_EXPONENT
from sizewise.scaling.fit.points import Floats, Numbers, Points, read_points
from sizewise.scaling.forms.additive import Additive

Loss = Literal["huber", "lad", "squared"]


class Coefficients(NamedTuple):
    """E, A, B, alpha and beta of L = E + A N^-alpha + B D^-beta, as the papers write them."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """A fitted law, the runs behind it and what speaks for it.

    ``objective`` sums over the runs, for a residual r of ln L: the Huber loss of r with bound ``delta``, |r|
    for ``lad`` (``delta`` 0), r^2 for ``squared`` (``delta`` infinite). ``row`` (5,) are the coefficients at
    the mean run, as the objective takes them; ``tied`` where alpha and beta are one exponent.
    """

    coefficients: Coefficients
    objective: float
    certificate: Certificate
    points: Points
    row: Floats
    loss: Loss
    delta: float
    tied: bool

    @property
    def law(self) -> Additive:
        """The fitted law, as a form that answers questions."""
        return Additive(**self.coefficients._asdict())

    @property
    def free(self) -> int:
        """The number of coefficients that the runs determine: 5, 4 with one exponent, 3 with one power."""
        return len(self.directions.T)

    @property
    def directions(self) -> Floats:
        """The directions in which the coefficients are free, (5, free)."""
        return directions_of(self.points, tied=self.tied)


def fit_additive(
    params: Numbers,
    tokens: Numbers,
    losses: Numbers,
    *,
    loss: Loss = "huber",
    delta: float = 1e-3,
    tied: bool = False,
) -> Fit:
    """The law L = E + A N^-alpha + B D^-beta with the lowest sum of losses of the residuals of ln L.

    One entry for each run in ``params`` (N), ``tokens`` (D) and ``losses`` (L, nats per token). ``loss`` is
    Huber's with its bound ``delta`` (1e-3 is that of Hoffmann et al. 2022, arXiv:2203.15556, Appendix D.2,
    and Besiroglu et al. 2024, arXiv:2404.10102), "lad" for absolute deviations or "squared"; ``tied`` sets
    alpha = beta. Raises ``bad_data`` where the runs cannot determine a law.

    >>> sizes, lengths = [1e8, 1e8, 4e8, 4e8, 1e9, 1e9], [2e9, 2e10, 2e9, 2e10, 2e9, 2e10]
    >>> losses = [1.8 + 480 * n**-0.35 + 2100 * d**-0.37 for n, d in zip(sizes, lengths)]
    >>> round(fit_additive(sizes, lengths, losses).law.alpha, 6)
    0.35
    """
    bound = _bound(loss, delta)
    points = read_points(params, tokens, losses, free=len(FREE) - bool(tied))
    directions = directions_of(points, tied=tied)
    lowest = _lowest(points, bound, directions)
    return Fit(
        coefficients=_coefficients(lowest.row, points),
        objective=lowest.value * (2 if loss == "squared" else 1),
        certificate=lowest.certificate,
        points=points,
        row=lowest.row,
        loss=loss,
        delta=bound,
        tied=bool(tied),
    )


def _lowest(points: Points, bound: float, directions: Floats) -> Lowest:
    if bound == 0:
        return least_absolute_deviations(points, directions)
    return lowest_misfit(points, bound, directions)


def _bound(loss: Loss, delta: float) -> float:
    """The Huber bound that stands for ``loss``: 0 for absolute deviations, infinity for squares."""
    if loss not in get_args(Loss):
        raise UsageError("bad_option", f"loss: expected {', '.join(get_args(Loss))}, not {loss!r}")
    if loss != "huber":
        return 0.0 if loss == "lad" else math.inf
    return checked_delta(delta)


def _coefficients(row: Floats, points: Points) -> Coefficients:
    """The coefficients at N = D = 1 from those at the mean run."""
    _, alpha, _, beta, _ = (float(value) for value in row)
    scales = points.log_scales(row[None])[0]
    if scales.max() > LARGEST_EXPONENT:
        raise InputError(
            "bad_data",
            f"the losses drop like a step (alpha {alpha:.3g}, beta {beta:.3g}), which no power "
            "law describes; give runs of more sizes and lengths",
        )
    floor, scale_n, scale_d = (float(scale) for scale in np.exp(scales))
    return Coefficients(E=floor, A=scale_n, B=scale_d, alpha=alpha, beta=beta)
