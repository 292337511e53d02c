"""What compute is best spent on, what a size or a target loss takes, and what loss a run gets.

N parameters, D tokens, C = 6ND FLOPs, L nats per token. A flat optimum is the rule: beside the best N
stands the range of N that costs next to nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.catalog.laws import LawStatus
from sizewise.errors import UsageError
from sizewise.scaling.budget import FLOPS_PER_PARAM_AND_TOKEN, Optimum, near_optimum, training_flops
from sizewise.scaling.finding import Finding
from sizewise.scaling.forms.data_constrained import DataConstrained
from sizewise.scaling.interval import Interval
from sizewise.scaling.questions.findings import FAR, findings, furthest
from sizewise.scaling.questions.grounds import LARGEST_BUDGET, Ground, check_amounts, ground
from sizewise.scaling.questions.surface import surface
from sizewise.scaling.questions.uncertainty import (
    LEVEL,
    Given,
    OptimumIntervals,
    basis_of_intervals,
    uncertain,
)
from sizewise.scaling.registry import Law

DEFAULT_LAW = "besiroglu2024-published"
FLAT = (0.001, 0.01)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatRange:
    """Parameters from ``low`` to ``high`` cost at most a share ``excess`` of the loss, on the same budget."""

    excess: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Allocated:
    """The best use of a budget under a law; ``intervals`` is None where ``intervals_basis`` says why.

    ``given`` is the quantity that was asked of: it is known, so that it has no interval.
    ``params_exponent`` is the a in N* ~ C^a, None for a law that has no such power.
    """

    ground: Ground
    best: Optimum
    given: Given
    params_exponent: float | None
    intervals: OptimumIntervals | None
    intervals_basis: str
    flat: tuple[FlatRange, ...]
    findings: tuple[Finding, ...]

    @property
    def status(self) -> LawStatus:
        """How far the law's constants were checked; ``unverified`` has to be shown."""
        return self.ground.status

    @property
    def too_far(self) -> bool:
        """Whether the answer lies more than three decades outside the fitted ranges."""
        return furthest(self.ground.outside) > FAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """The loss of a run under a law, in nats per token; ``interval`` is of the law, not of a run's noise."""

    ground: Ground
    params: float
    tokens: float
    loss: float
    interval: Interval | None
    intervals_basis: str
    findings: tuple[Finding, ...]

    @property
    def flops(self) -> float:
        """C = 6ND."""
        return training_flops(self.params, self.tokens)

    @property
    def status(self) -> LawStatus:
        """How far the law's constants were checked; ``unverified`` has to be shown."""
        return self.ground.status

    @property
    def too_far(self) -> bool:
        """Whether the run lies more than three decades outside the fitted ranges."""
        return furthest(self.ground.outside) > FAR


def allocate(
    law: Law, flops: float, *, unique_tokens: float | None = None, level: float = LEVEL
) -> Allocated:
    """Return what C FLOPs are best spent on; ``unique_tokens`` where a law knows of repeated data.

    >>> from sizewise.scaling.registry import law
    >>> answer = allocate(law("besiroglu2024-published"), 5.76e23)
    >>> f"{answer.best.params:.3g} parameters, 90 % from {answer.intervals.params.low:.2g}"
    '7.22e+10 parameters, 90 % from 5.1e+10'
    """
    return _allocated(law, best_use(law, flops, unique_tokens=unique_tokens), "flops", level, unique_tokens)


def best_use(law: Law, flops: float, *, unique_tokens: float | None = None) -> Optimum:
    """Return what C FLOPs are best spent on, and nothing else. Raises UsageError as `allocate`."""
    check_amounts(least=FLOPS_PER_PARAM_AND_TOKEN, most=LARGEST_BUDGET, flops=flops)
    loss_function(law, unique_tokens)  # a law of other quantities is refused with its name
    held = {}
    if isinstance(law.form, DataConstrained):
        held = {"unique_tokens": unique_tokens or flops / FLOPS_PER_PARAM_AND_TOKEN}  # all that can be seen
    best = law.optimum(flops, **held)
    _check_whole(law, best)
    return best


def allocate_params(law: Law, params: float, *, level: float = LEVEL) -> Allocated:
    """Return the budget for which N parameters are best."""
    return _allocated(law, surface(law).optimum_of_params(params), "params", level)


def allocate_tokens(law: Law, tokens: float, *, level: float = LEVEL) -> Allocated:
    """Return the budget for which D tokens are best."""
    return _allocated(law, surface(law).optimum_of_tokens(tokens), "tokens", level)


def allocate_loss(law: Law, loss: float, *, level: float = LEVEL) -> Allocated:
    """Return the least budget that reaches a loss (nats per token)."""
    return _allocated(law, surface(law).optimum_of_loss(loss), "loss", level)


def predict(
    law: Law, params: float, tokens: float, *, unique_tokens: float | None = None, level: float = LEVEL
) -> Predicted:
    """Return the loss of N parameters after D tokens, of which U are seen for the first time."""
    check_amounts(params=params, tokens=tokens)
    loss = loss_function(law, unique_tokens)(params, tokens)
    known = uncertain(law)
    return Predicted(
        ground=ground(law, params=params, tokens=tokens),
        params=params,
        tokens=tokens,
        loss=loss,
        interval=known.loss(params, tokens, level) if known else None,
        intervals_basis=basis_of_intervals(law),
        findings=findings(law, params, tokens),
    )


def tokens_to_reach(law: Law, loss: float, params: float, *, level: float = LEVEL) -> Predicted:
    """Return the run that takes N parameters to a loss (nats per token), with the tokens it needs."""
    return predict(law, params, surface(law).tokens_for(loss, params), level=level)


def params_to_reach(law: Law, loss: float, tokens: float, *, level: float = LEVEL) -> Predicted:
    """Return the run that reaches a loss (nats per token) on D tokens, with the parameters it needs."""
    return predict(law, surface(law).params_for(loss, tokens), tokens, level=level)


def loss_function(law: Law, unique_tokens: float | None = None) -> Callable[[float, float], float]:
    """Return a law's loss as a function of N and D; UsageError (bad_option) where it takes other things.

    Without ``unique_tokens`` every token is seen once.
    """
    if unique_tokens is not None:
        check_amounts(unique_tokens=unique_tokens)
    if law.published.output != "loss":
        raise UsageError("bad_option", f"{law.name} gives {law.published.output}, not a loss")
    match law.published.variables:
        case ("params", "tokens") if unique_tokens is None:
            return lambda params, tokens: law.loss(params=params, tokens=tokens)
        case ("flops", "tokens_per_param") if unique_tokens is None:
            return lambda params, tokens: law.loss(
                flops=training_flops(params, tokens), tokens_per_param=tokens / params
            )
        case ("params", "tokens", "unique_tokens"):
            return lambda params, tokens: law.loss(
                params=params, tokens=tokens, unique_tokens=min(tokens, unique_tokens or tokens)
            )
    given = "parameters and tokens" + (" of which some repeat" if unique_tokens is not None else "")
    raise UsageError("bad_option", f"{law.name} gives no loss of {given} alone")


def _allocated(
    law: Law, best: Optimum, given: Given, level: float, unique_tokens: float | None = None
) -> Allocated:
    _check_whole(law, best)
    known = uncertain(law)
    loss = loss_function(law, unique_tokens)
    ranges = ((excess, *near_optimum(loss, best, excess)) for excess in FLAT)
    return Allocated(
        ground=ground(law, params=best.params, tokens=best.tokens),
        best=best,
        given=given,
        params_exponent=_exponent(law),
        intervals=known.optimum(best, level, given) if known else None,
        intervals_basis=basis_of_intervals(law),
        flat=tuple(FlatRange(excess=excess, low=low, high=high) for excess, low, high in ranges),
        findings=findings(law, best.params, best.tokens),
    )


def _check_whole(law: Law, best: Optimum) -> None:
    if min(best.params, best.tokens) < 1:
        raise UsageError("bad_option", f"{law.name}: this takes less than one parameter or token")


def _exponent(law: Law) -> float | None:
    try:
        return surface(law).terms.params_exponent
    except UsageError:
        return None
