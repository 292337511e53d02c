"""How runs lie in N and D, and which layouts leave the coefficients of a law undetermined (LAW10, LAW11).

N parameters, D training tokens, C FLOPs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log

import numpy as np

from sizewise.errors import InputError
from sizewise.scaling.budget import FLOPS_PER_PARAM_AND_TOKEN
from sizewise.scaling.fit.points import Floats

STRONGEST_CORRELATION = 0.95  # of ln N and ln D: beyond it the runs are a line
WORST_CONDITION = 1e4  # of the centred Jacobian: beyond it the exponents cannot be told apart
FEWEST_SIZES, FEWEST_RATIOS = 5, 3  # distinct N and D/N
OFF_LINE = 0.05  # of ln D: what runs may be off a line, by rounding, and still tell no more than it
ONE_BUDGET = 0.1  # of ln C: runs that differ by less take as much
FAR = 2.0  # decades of C beyond the largest run


def distinct(values: Iterable[float], apart: float) -> int:
    """How many values differ by more than a part ``apart`` of themselves from the next smaller one.

    >>> distinct([1e8, 1.001e8, 2e8], 0.02)
    2
    """
    logarithms = sorted(log(value) for value in values)
    return sum(high - low > apart for low, high in pairwise([-inf, *logarithms]))


def require_apart(params: Sequence[float], tokens: Sequence[float]) -> None:
    """Refuse runs of one line, whose N and D no law tells apart (InputError, bad_data)."""
    line = line_of(params, tokens)
    if line is not None:
        raise InputError(
            "bad_data",
            f"all runs have {line}: they tell the loss along it, no exponent of N or D and no best size; "
            "add runs of other D/N",
        )


def require_budgets(compute: Sequence[float], flops: float) -> None:
    """Refuse the best size of ``flops`` where all runs are of one other budget (InputError, bad_data)."""
    low, high = log(min(compute)), log(max(compute))
    if high - low <= ONE_BUDGET and not low - ONE_BUDGET <= log(flops) <= high + ONE_BUDGET:
        raise InputError(
            "bad_data",
            f"no best size of {flops:.3g} FLOPs: all runs take about {max(compute):.3g}, and one budget says "
            "nothing of others; add runs of other budgets, or ask for that one",
        )


def condition(jacobian: Floats) -> float:
    """The largest over the smallest singular value of a Jacobian, (n, p) with n runs."""
    sizes = np.linalg.svd(jacobian, compute_uv=False)
    return float(sizes[0] / sizes[-1]) if sizes[-1] > 0 else inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Runs whose D are ``ratio`` N^``power``: along it the terms of N and D can change places unseen."""

    ratio: float
    power: float

    def params(self, flops: float) -> float:
        """The N of the run on the line that takes C = 6ND FLOPs.

        >>> round(Line(ratio=20.0, power=1.0).params(1.2e20))
        1000000000
        """
        return float((flops / FLOPS_PER_PARAM_AND_TOKEN / self.ratio) ** (1 / (1 + self.power)))

    def __str__(self) -> str:
        """The line as a formula, as in D = 20 N."""
        return f"D = {self.ratio:.3g} N" + ("" if self.power == 1 else f"^{self.power:.3g}")


def line_of(params: Sequence[float], tokens: Sequence[float]) -> Line | None:
    """The rising line on which all runs lie but for 5 % of D, None where there is none.

    >>> print(line_of([1e8, 2e8, 4e8], [2e9, 4e9, 8e9]), line_of([1e8, 2e8, 4e8], [2e9, 8e9, 8e9]))
    D = 20 N None
    """
    log_n, log_d = np.log(params), np.log(tokens)
    if len(log_n) < 2 or min(np.ptp(log_n), np.ptp(log_d)) <= 2 * OFF_LINE:
        return None
    fitted = float(np.polyfit(log_n - log_n.mean(), log_d, 1)[0])
    for power in (1.0, fitted):
        height = log_d - power * log_n
        middle = float(height.max() + height.min()) / 2
        if power > 0 and np.ptp(height) <= 2 * OFF_LINE:
            return Line(ratio=exp(middle), power=power)
    return None
