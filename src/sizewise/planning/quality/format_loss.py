"""What a weight format is expected to cost: the rise of the loss on WikiText-2, in nats per token, with 90 %.

Where the same model was measured in the format, its figures; else the curve of the format's kind at the bits
and the parameters, which was fitted to other models; with a wider interval where the kind or the size was not
measured; nothing for formats of which no row is known. Tokens of training are no input: on families of models
that were left out they made the curves worse.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from math import exp, expm1, log
from statistics import median
from typing import Literal, TypeVar

from sizewise.architecture import Model
from sizewise.catalog.format_quality import (
    CURVE_BITS,
    CURVE_PARAMS,
    BenchmarkLoss,
    FormatFit,
    FormatKind,
    MeasuredLoss,
    benchmark_losses,
    kind_of,
    measured_losses,
    quality_fit,
)
from sizewise.catalog.formats import Format, find_format
from sizewise.catalog.rows import normalised
from sizewise.counting import parameter_line

Row = TypeVar("Row", MeasuredLoss, BenchmarkLoss)
LossStatus = Literal["exact", "published", "fitted", "assumed", "unknown"]
METRIC = "nats per token above 16 bits"
FULL_BITS = 16
FORMAT_OPTION = "-q "
FITTED_FROM = 3
"""Families of models from which a kind of formats counts as fitted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FormatLoss:
    """The rise of the loss in nats per token, from ``low`` to ``high`` in 90 % of cases; None where unknown.

    ``basis`` says what it rests on; ``rows`` are the measured rows of this model in this format, of other
    metrics and texts too, and ``benchmarks`` its published scores, which the figures know nothing of.
    """

    format: str
    nats: float | None
    low: float | None
    high: float | None
    status: LossStatus
    basis: str
    rows: tuple[MeasuredLoss, ...] = ()
    benchmarks: tuple[BenchmarkLoss, ...] = ()

    @property
    def metric(self) -> str:
        """What the figures are of."""
        return METRIC

    @property
    def perplexity_ratio(self) -> float | None:
        """Perplexity in the format over that at 16 bits."""
        return None if self.nats is None else exp(self.nats)

    @property
    def percent(self) -> tuple[float, float, float] | None:
        """The rise of the perplexity in percent, with both ends."""
        if self.nats is None or self.low is None or self.high is None:
            return None
        return 100 * expm1(self.nats), 100 * expm1(self.low), 100 * expm1(self.high)


@lru_cache(maxsize=256)
def model_format_loss(model: Model, row: Format) -> FormatLoss:
    """Return the expected loss of a model with its weights in a format.

    Encoders and others that write no text have none: unknown.
    """
    if not any(True for _ in model.architecture.kept()):
        name = model.architecture.model_class
        return _unknown(row.name, f"no loss is known of models that write no text, such as {name}")
    if row.bits >= FULL_BITS:
        return FormatLoss(
            format=row.name, nats=0.0, low=0.0, high=0.0, status="exact", basis="nothing is rounded"
        )
    return format_loss(row.name, params=float(parameter_line(model).value), name=model.name)


def option_format_loss(model: Model, option: str) -> FormatLoss | None:
    """Return the expected loss of the format that an option, ``-q fp8``, names; None of other options."""
    if not option.startswith(FORMAT_OPTION):
        return None
    return model_format_loss(model, find_format(option.removeprefix(FORMAT_OPTION)))


def format_loss(format: str, *, params: float, name: str = "") -> FormatLoss:
    """Return the expected loss of a model of so many parameters, all of a mixture's too, in a format.

    ``name`` is that of the model: where it was measured in the format, the answer is published.

    >>> loss = format_loss("q4_k_m", params=8.03e9)
    >>> loss.status, round(loss.nats, 3), loss.low < loss.nats < loss.high
    ('fitted', 0.016, True)
    >>> format_loss("q4_k_m", params=8.03e9, name="Meta-Llama-3-8B").status
    'published'
    """
    word = normalised(name)
    rows, scores = _measured().get((word, format), ()), _scored().get((word, format), ())
    likely = [row for row in rows if row.added_nats is not None]
    known = kind_of(format)
    if likely:
        found = _published(format, likely)
    elif known is not None:
        found = _from_kind(format, *known, params)
    else:
        found = _unknown(format, f"no perplexity of {format} beside 16 bits is known")
    return replace(found, rows=rows, benchmarks=scores)


def _unknown(format: str, basis: str) -> FormatLoss:
    return FormatLoss(format=format, nats=None, low=None, high=None, status="unknown", basis=basis)


@cache
def _measured() -> Mapping[tuple[str, str], tuple[MeasuredLoss, ...]]:
    return _by_name(measured_losses())


@cache
def _scored() -> Mapping[tuple[str, str], tuple[BenchmarkLoss, ...]]:
    return _by_name(benchmark_losses())


def _by_name(rows: Sequence[Row]) -> Mapping[tuple[str, str], tuple[Row, ...]]:
    """Return the rows of each model, with and without its owner's name, in each format."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        _, _, short = row.model.name.rpartition("/")
        for name in {row.model.name, short}:
            found.setdefault((normalised(name), row.format), []).append(row)
    return {key: tuple(kept) for key, kept in found.items()}


def _published(format: str, likely: Sequence[MeasuredLoss]) -> FormatLoss:
    """Return what was measured, as far apart as sources differ about one model and format."""
    usual = [row for row in likely if row.text.startswith("WikiText")] or likely
    figures = [row.added_nats for row in usual if row.added_nats is not None]
    fit = quality_fit()
    least, most = min(figures), max(figures)
    sources = sorted({f"{row.source.cited}, {row.text}" for row in usual})
    return FormatLoss(
        format=format,
        nats=median(figures),
        low=least * exp(-fit.repeat if least > 0 else fit.repeat) - fit.noise,
        high=most * exp(fit.repeat if most > 0 else -fit.repeat) + fit.noise,
        status="published",
        basis=f"measured of {usual[0].model.name}: {'; '.join(sources)}",
    )


def _from_kind(format: str, kind: FormatKind, bits: float, params: float) -> FormatLoss:
    """Return what the curve or level of a kind says; beyond what was measured with wider ends."""
    found = quality_fit()
    fit = found.kinds[kind.like or kind.name]
    beyond = not fit.params[0] / 2 <= params <= fit.params[1] * 2
    reached = fit.bits[0] - 0.5 <= bits <= fit.bits[1] + 0.5
    assumed = bool(kind.like) or beyond or not reached
    nats, low, high = _ends(kind, fit, bits, params, found.borrowed if assumed else 1.0)
    basis = f"{fit.kind}: {fit.rows} rows of {fit.models} models"
    if kind.like:
        basis = f"{kind.name} taken as {basis}"
    return FormatLoss(
        format=format,
        nats=nats,
        low=low if low > found.noise else min(low, -found.noise),
        high=high,
        status="assumed" if assumed or fit.families < FITTED_FROM else "fitted",
        basis=basis + (", none of about this size" if beyond else ""),
    )


def _ends(
    kind: FormatKind, fit: FormatFit, bits: float, params: float, wider: float
) -> tuple[float, float, float]:
    if kind.form == "level":
        return fit.constant, fit.constant + wider * fit.low, fit.constant + wider * fit.high
    middle = fit.constant + fit.per_bit * (bits - CURVE_BITS) + fit.per_ln_params * log(params / CURVE_PARAMS)
    return exp(middle), exp(middle + fit.low) / wider, exp(middle + fit.high) * wider
