"""The law of runs that lie on one line, D = k N^p: the loss along it, L = E + K C^-gamma.

On such a line A N^-alpha and B D^-beta are both powers of N, so that they can change places and no loss
tells: neither exponent and no best size is determined, whatever the noise. One power of C = 6ND stands for
both.

N parameters, D tokens, C FLOPs, L nats per token.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sizewise.errors import InputError
from sizewise.scaling.budget import training_flops
from sizewise.scaling.finding import Finding, Findings
from sizewise.scaling.fit.diagnostics.held_out import HeldOut
from sizewise.scaling.fit.diagnostics.prediction import log_losses
from sizewise.scaling.fit.draws import Draws, draw
from sizewise.scaling.fit.guard_rails.boundaries import boundary_coefficients, floor_identified
from sizewise.scaling.fit.guard_rails.checks import check_runs
from sizewise.scaling.fit.guard_rails.data import outlying
from sizewise.scaling.fit.guard_rails.design import far
from sizewise.scaling.fit.guard_rails.optimiser import lonely_start, stopped_early
from sizewise.scaling.fit.guard_rails.uncertainty import replicate_quality, shared_by_size
from sizewise.scaling.fit.intervals import interval
from sizewise.scaling.fit.layout import Line, line_of
from sizewise.scaling.fit.points import Floats
from sizewise.scaling.fit.resampling import Progress, Replicates
from sizewise.scaling.fit.second_looks import claimed, held_out_rows, without
from sizewise.scaling.fit.solve import Fit, fit_additive
from sizewise.scaling.fit.study import Study, affordable_study, held_out_of, target_flops, tried
from sizewise.scaling.interval import Interval
from sizewise.scaling.run_files.runs import Runs


class OnePower(NamedTuple):
    """E, K and gamma of L = E + K C^-gamma."""

    E: float
    K: float
    gamma: float


class OnePowerIntervals(NamedTuple):
    """An interval for each coefficient."""

    E: Interval
    K: Interval
    gamma: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """The run on the line that takes ``flops``, its loss and the interval of that."""

    flops: float
    params: float
    tokens: float
    loss: float
    interval: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class AlongLine:
    """A fit along a ``line`` and what was found about it; ``refusals`` say what the runs do not tell.

    ``fit`` is that of one power, given C in the place of N and of D. ``by_size`` are the intervals from draws
    of whole sizes where runs of one size are off together.
    """

    runs: Runs
    study: Study
    line: Line
    fit: Fit
    replicates: Replicates
    coefficients: OnePower
    errors: OnePower
    intervals: OnePowerIntervals
    by_size: OnePowerIntervals | None
    target: Reached
    held_out: HeldOut | None
    findings: tuple[Finding, ...]
    against: float | None
    refusals: tuple[str, ...]


def line_of_runs(runs: Runs, study: Study) -> Line | None:
    """Return the line on which all runs lie that the study does not leave out, None where there is none."""
    kept = without(runs, study.drop) if study.drop else runs
    return line_of(kept.params, kept.tokens)


def along_line(runs: Runs, line: Line, study: Study, *, progress: Progress | None = None) -> AlongLine:
    """Fit the loss along the line, resample it, and look for the known mistakes.

    Raises InputError (bad_data) where losses do not fall along the line, UsageError (bad_option) for a target
    more than three decades beyond the runs without ``force``.
    """
    runs = without(runs, study.drop) if study.drop else runs
    flops = target_flops(runs, study)
    beside = tuple(far(runs, flops, force=study.force))
    compute = runs.products
    on_line = replace(runs, params=compute, tokens=compute, flops=compute)
    fit = _fitted(on_line, study)
    runs, study = affordable_study(runs, study)
    draws = draw(
        runs, fit, replicates=study.replicates, seed=study.seed, clustered=study.clustered, progress=progress
    )
    known = _intervals(draws.replicates, study.level)
    against, wrong = claimed(runs, fit, study.against, "--against") if study.against else (None, ())
    refusals = [*_untold(line, study)]
    held = tried(lambda: held_out_of(on_line, replace(study, tied=True)), refusals) if study.by else None
    return AlongLine(
        runs=runs,
        study=study,
        line=line,
        fit=fit,
        replicates=draws.replicates,
        coefficients=OnePower(*(float(value) for value in _columns([fit.coefficients])[0])),
        errors=OnePower(*(float(each) for each in _spread(draws.replicates))),
        intervals=known,
        by_size=None if draws.by_size is None else _intervals(draws.by_size, study.level),
        target=_reached(line, fit, draws.replicates, flops, study.level),
        held_out=None if held is None else _in_sizes(held, runs),
        findings=tuple(
            dict.fromkeys((*_before(runs), *beside, *_after(runs, on_line, fit, draws, known), *wrong))
        ),
        against=against,
        refusals=tuple(refusals),
    )


def _untold(line: Line, study: Study) -> Iterator[str]:
    yield (
        f"alpha, beta and the best size: all runs have {line}, where the terms of N and D can change places; "
        "add runs of other D/N"
    )
    if study.forms or study.profiles:
        yield "other forms and profiles: along one line there is one power to fit"


def _fitted(on_line: Runs, study: Study) -> Fit:
    fit = fit_additive(
        on_line.params, on_line.tokens, on_line.losses, loss=study.loss, delta=study.delta, tied=True
    )
    lost = {"A", "B", "alpha", "beta"}.intersection(fit.certificate.at_bounds)
    if lost or not min(fit.coefficients.A, fit.coefficients.alpha) > 0:
        raise InputError(
            "bad_data",
            "the losses do not fall with C along the line of the runs beside their noise; give runs of more "
            "sizes and lengths",
        )
    return fit


def _columns(coefficients: Floats | Sequence[Sequence[float]]) -> Floats:
    """E, K and gamma, (R, 3), from E, A, B, alpha and beta of one power."""
    floor, first, second, exponent, _ = np.asarray(coefficients, dtype=np.float64).T
    return np.stack([floor, first + second, exponent], axis=1)


@np.errstate(all="ignore")  # a scale that is not determined has no end
def _spread(replicates: Replicates) -> Floats:
    spread: Floats = _columns(replicates.coefficients).std(axis=0, ddof=1)
    return spread


def _intervals(replicates: Replicates, level: float) -> OnePowerIntervals:
    own, each = _columns([replicates.fit.coefficients])[0], _columns(replicates.coefficients)
    found = [interval(float(own[k]), each[:, k], replicates, level) for k in range(len(own))]
    if "E" in replicates.fit.certificate.at_bounds:
        found[0] = replace(found[0], low=0.0)
    return OnePowerIntervals(*found)


def _reached(line: Line, fit: Fit, replicates: Replicates, flops: float, level: float) -> Reached:
    at = np.array([flops])
    loss = float(np.exp(log_losses(np.array([fit.coefficients]), at, at))[0, 0])
    each = np.exp(log_losses(replicates.coefficients, at, at))[:, 0]
    params = line.params(flops)
    return Reached(
        flops=flops,
        params=params,
        tokens=flops / training_flops(1, params),
        loss=loss,
        interval=interval(loss, each, replicates, level),
    )


def _in_sizes(held: HeldOut, runs: Runs) -> HeldOut:
    """Name held-out runs by their N and D, in the place of which the fit was given C."""
    return replace(
        held,
        runs=tuple(
            replace(
                run,
                predicted=replace(run.predicted, params=runs.params[run.row], tokens=runs.tokens[run.row]),
            )
            for run in held.runs
        ),
    )


def _before(runs: Runs) -> tuple[Finding, ...]:
    return check_runs(runs, held_out=held_out_rows(runs))


def _after(runs: Runs, on_line: Runs, fit: Fit, draws: Draws, known: OnePowerIntervals) -> Findings:
    yield from stopped_early(fit)
    yield from lonely_start(fit)
    yield from boundary_coefficients(on_line, fit)
    yield from outlying(runs, fit)
    for each in (draws.replicates, draws.by_size, draws.without_each):
        if each is not None:
            yield from replicate_quality(each)
    yield from floor_identified(runs, known.E)
    if draws.shared is not None and draws.shared.significant:
        yield from shared_by_size(draws.shared, draws.replicates)
