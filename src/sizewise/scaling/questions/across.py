"""One question to every published law that can answer it, to show how far they differ.

Losses in nats per token compare only between laws of one tokenizer and one mixture of data; sizes and tokens
compare wherever the same parameters are counted. Each row therefore carries what its law counts.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

from sizewise.catalog.laws import PublishedLaw
from sizewise.errors import SizewiseError, UsageError
from sizewise.scaling.budget import FLOPS_PER_PARAM_AND_TOKEN
from sizewise.scaling.questions.allocation import best_use, loss_function
from sizewise.scaling.questions.findings import furthest
from sizewise.scaling.questions.grounds import LARGEST_BUDGET, check_amounts
from sizewise.scaling.registry import Law, Outside, laws

PETAFLOP_S_DAY = 8.64e19
"""FLOPs of a day at 1e15 FLOP/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one law says: N, D and, where it gives one, the loss in nats per token."""

    published: PublishedLaw
    params: float
    tokens: float
    loss: float | None
    outside: tuple[Outside, ...]

    @property
    def status(self) -> str:
        """How far the law's constants were checked; ``unverified`` has to be shown."""
        return self.published.status

    @property
    def ranged(self) -> bool:
        """Whether the ranges of the law's runs are known, without which nothing can be ``outside``."""
        return bool(self.published.box)

    @property
    def decades_outside(self) -> float:
        """Powers of ten outside the fitted ranges, 0 inside and where nothing is ``ranged``."""
        return furthest(self.outside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Least, median and greatest of what the laws say, unverified ones apart."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Optima:
    """What every law spends C FLOPs on, from the fewest parameters to the most, and the spread of it."""

    flops: float
    rows: tuple[Row, ...]
    params: Range
    tokens: Range


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """The loss that every law gives N and D, lowest first; ``comparable`` if all name one tokenizer."""

    params: float
    tokens: float
    rows: tuple[Row, ...]
    comparable: bool


def optima(flops: float, among: Iterable[Law] | None = None) -> Optima:
    """Return what every law spends C FLOPs on; laws of other quantities are left out.

    Raises UsageError (bad_option) where no law answers.
    """
    check_amounts(least=FLOPS_PER_PARAM_AND_TOKEN, most=LARGEST_BUDGET, flops=flops)
    rows = sorted(_answers(lambda law: _optimum(law, flops), among), key=lambda row: row.params)
    trusted = [row for row in rows if row.status != "unverified"] or rows
    return Optima(
        flops=flops,
        rows=tuple(rows),
        params=_range([row.params for row in trusted]),
        tokens=_range([row.tokens for row in trusted]),
    )


def losses(
    params: float,
    tokens: float,
    among: Iterable[Law] | None = None,
    *,
    unique_tokens: float | None = None,
) -> Losses:
    """Return the loss that every law of N and D gives; UsageError (bad_option) where none does.

    Laws that know of repeated data take ``unique_tokens``, for others every token is new.
    """
    check_amounts(params=params, tokens=tokens)

    def loss(law: Law) -> Row:
        unique = unique_tokens if "unique_tokens" in law.published.variables else None
        return _row(law, params, tokens, loss_function(law, unique)(params, tokens))

    rows = sorted(_answers(loss, among), key=lambda row: row.loss or 0.0)
    tokenizers = {row.published.tokenizer for row in rows}
    comparable = len(tokenizers) == 1 and "" not in tokenizers
    return Losses(params=params, tokens=tokens, rows=tuple(rows), comparable=comparable)


def _answers(question: Callable[[Law], Row], among: Iterable[Law] | None) -> list[Row]:
    rows = []
    for law in among or (law for law in laws() if not law.published.repeats):
        try:
            rows.append(question(law))
        except SizewiseError:  # a law of other quantities, or out of its depth here
            continue
    if not rows:
        raise UsageError("bad_option", "no published law answers this; ask nearer to sizes that are trained")
    return rows


def _optimum(law: Law, flops: float) -> Row:
    match law.published.variables:
        case ("flops",):
            best = law.predict(flops=flops)
        case ("petaflop_s_days",):
            best = law.predict(petaflop_s_days=flops / PETAFLOP_S_DAY)
        case _:
            found = best_use(law, flops)
            return _row(law, found.params, found.tokens, found.loss)
    product = flops / FLOPS_PER_PARAM_AND_TOKEN
    match law.published.output:
        case "params":
            params, tokens = best, product / best
        case "tokens":
            params, tokens = product / best, best
        case _:
            raise UsageError("bad_option", f"{law.name} gives neither parameters nor tokens")
    if min(params, tokens) < 1:
        raise UsageError("bad_option", f"{law.name}: less than one parameter or token")
    return _row(law, params, tokens, None)


def _row(law: Law, params: float, tokens: float, loss: float | None) -> Row:
    outside = law.outside(params=params, tokens=tokens)
    return Row(published=law.published, params=params, tokens=tokens, loss=loss, outside=outside)


def _range(values: list[float]) -> Range:
    return Range(low=min(values), median=median(values), high=max(values))
