"""A law of a user's own runs with all that is needed to judge it: approach 3 with its diagnostics.

N parameters, D tokens, C FLOPs, L nats per token.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isinf
from typing import TypeVar

from sizewise.errors import InputError, UsageError
from sizewise.notices import Notice
from sizewise.scaling.budget import FLOPS_PER_PARAM_AND_TOKEN, Optimum
from sizewise.scaling.finding import Finding
from sizewise.scaling.fit.diagnostics.held_out import By, HeldOut, hold_out
from sizewise.scaling.fit.diagnostics.influence import Influence, influence
from sizewise.scaling.fit.diagnostics.profiles import Coefficient, Profile, profile
from sizewise.scaling.fit.draws import Draws, draw
from sizewise.scaling.fit.guard_rails.checks import check_answer, check_fit, check_runs
from sizewise.scaling.fit.intervals import (
    CoefficientIntervals,
    OptimumIntervals,
    coefficient_intervals,
    optimum_intervals,
    require_best_size,
    standard_errors,
)
from sizewise.scaling.fit.layout import require_apart, require_budgets
from sizewise.scaling.fit.resampling import Progress, Replicates, affordable
from sizewise.scaling.fit.second_looks import claimed, dropped, held_out_rows, repeated, without
from sizewise.scaling.fit.shared_noise import SharedNoise
from sizewise.scaling.fit.solve import Coefficients, Fit, Loss, fit_additive
from sizewise.scaling.fit.variants.comparison import FormScore, compare_forms
from sizewise.scaling.forms.additive import Additive
from sizewise.scaling.run_files.runs import Runs

TARGET_FACTOR = 10.0
"""Where no target is named, the optimum is told for ten times the largest run."""
Answer = TypeVar("Answer")

COEFFICIENTS: tuple[Coefficient, ...] = ("E", "A", "B", "alpha", "beta")


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """How a fit is made and judged.

    ``clustered`` resamples whole model sizes for the intervals even where runs of one size are not off
    together, in which case that is done anyway; ``by`` says which runs are held out, None for
    none; ``target`` is a budget in FLOPs. ``drop`` names runs that are left out, ``against`` is a law whose
    objective on the runs is told. ``forms`` and ``profiles`` take longer.
    """

    loss: Loss = "huber"
    delta: float = 1e-3
    tied: bool = False
    replicates: int = 4000
    seed: int = 42
    clustered: bool = False
    level: float = 0.9
    target: float | None = None
    by: By | None = "decade"
    forms: bool = False
    profiles: bool = False
    drop: tuple[str, ...] = ()
    against: Additive | None = None
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The optimum of a budget under the fit, with its intervals."""

    best: Optimum
    intervals: OptimumIntervals


@dataclass(frozen=True, slots=True, kw_only=True)
class Studied:
    """A fit and what was found about it. None, with a reason in ``refusals``, where runs do not allow it.

    ``replicates`` are those of the intervals; ``shared`` is the noise that runs of one size have in common,
    and ``by_size`` the intervals from draws of whole sizes where it is significant.
    """

    runs: Runs
    study: Study
    fit: Fit
    replicates: Replicates
    shared: SharedNoise | None
    by_size: CoefficientIntervals | None
    errors: Coefficients
    intervals: CoefficientIntervals
    target: Target | None
    influence: Influence | None
    held_out: HeldOut | None
    profiles: tuple[Profile, ...]
    forms: tuple[FormScore, ...]
    findings: tuple[Finding, ...]
    against: float | None
    refusals: tuple[str, ...]


def studied(runs: Runs, study: Study, *, progress: Progress | None = None) -> Studied:
    """Fit the law, resample it, and look for the known mistakes.

    Raises InputError (bad_data) where the runs cannot determine a law, as those on one line, UsageError
    (bad_option) for a target more than three decades beyond them without ``force``.
    """
    given, runs = runs, without(runs, study.drop) if study.drop else runs
    require_apart(runs.params, runs.tokens)
    before = check_runs(runs, held_out=held_out_rows(runs))
    flops = target_flops(runs, study)
    fit = _fitted(runs, study)
    refusals: list[str] = []
    best = tried(lambda: _best(runs, fit, flops), refusals)
    beside = () if best is None else check_answer(runs, fit, flops, force=study.force)
    runs, study = affordable_study(runs, study)
    draws = _drawn(runs, fit, study, progress)
    replicates = draws.replicates
    after = _checked(runs, fit, study, draws)
    looks = (*dropped(given, fit, study.drop), *(repeated(runs, fit) if study.forms else ()))
    against, wrong = claimed(runs, fit, study.against, "--against") if study.against else (None, ())
    return Studied(
        runs=runs,
        study=study,
        fit=fit,
        replicates=replicates,
        shared=draws.shared,
        by_size=None if draws.by_size is None else coefficient_intervals(draws.by_size, study.level),
        errors=standard_errors(replicates),
        intervals=coefficient_intervals(replicates, study.level),
        target=None if best is None else tried(lambda: _target(best, fit, replicates, study), refusals),
        influence=_influence(fit, draws),
        held_out=tried(lambda: held_out_of(runs, study), refusals) if study.by is not None else None,
        profiles=_profiles(fit, study),
        forms=_forms(runs, study),
        findings=tuple(dict.fromkeys((*before, *after, *beside, *looks, *wrong))),
        against=against,
        refusals=tuple(refusals),
    )


def spent(runs: Runs) -> Sequence[float]:
    """Return the C of every run: as the file gives it, else 6ND. Raises InputError (bad_data)."""
    pairs = zip(runs.params, runs.tokens, strict=True)
    compute = runs.flops or [FLOPS_PER_PARAM_AND_TOKEN * n * d for n, d in pairs]
    if isinf(TARGET_FACTOR * max(compute)):
        raise InputError(
            "bad_data", "parameters times tokens are more FLOPs than a number holds; check their units"
        )
    return compute


def affordable_study(runs: Runs, study: Study) -> tuple[Runs, Study]:
    """Return the study with as many draws as so many runs allow, and the runs with a notice of fewer."""
    draws = affordable(study.replicates, len(runs))
    if draws == study.replicates:
        return runs, study
    notice = Notice(
        code="fewer_draws",
        message=f"{len(runs):,} runs were drawn {draws:,} times, not {study.replicates:,}; "
        "ends of intervals are coarser by that",
    )
    return replace(runs, notices=(*runs.notices, notice)), replace(study, replicates=draws)


def _fitted(runs: Runs, study: Study) -> Fit:
    return fit_additive(
        runs.params, runs.tokens, runs.losses, loss=study.loss, delta=study.delta, tied=study.tied
    )


def _drawn(runs: Runs, fit: Fit, study: Study, progress: Progress | None) -> Draws:
    return draw(
        runs,
        fit,
        replicates=study.replicates,
        seed=study.seed,
        clustered=study.clustered,
        progress=progress,
    )


def _checked(runs: Runs, fit: Fit, study: Study, draws: Draws) -> tuple[Finding, ...]:
    return check_fit(
        runs,
        fit,
        draws.replicates,
        grouped=draws.by_size,
        without_each=draws.without_each,
        shared=draws.shared,
        level=study.level,
    )


def _best(runs: Runs, fit: Fit, flops: float) -> Optimum:
    require_best_size(fit)
    require_budgets(runs.products, flops)
    return fit.law.optimum(flops)


def target_flops(runs: Runs, study: Study) -> float:
    """Return the budget that is asked for, ten times the largest run without one (UsageError, bad_option)."""
    usual = TARGET_FACTOR * max(spent(runs))
    if study.target is None:
        return usual
    if not 0 < study.target < inf:
        raise UsageError("bad_option", f"target: expected a positive finite number, not {study.target!r}")
    return study.target


def _target(best: Optimum, fit: Fit, replicates: Replicates, study: Study) -> Target:
    return Target(best=best, intervals=optimum_intervals(fit, replicates, best.flops, study.level))


def _influence(fit: Fit, draws: Draws) -> Influence | None:
    if draws.without_each is None:
        return None
    return influence(fit, replicates=draws.replicates, without=draws.without_each)


def held_out_of(runs: Runs, study: Study) -> HeldOut:
    """Return how well the smaller runs predict the largest. Raises InputError (bad_data)."""
    assert study.by is not None
    return hold_out(
        runs.params,
        runs.tokens,
        runs.losses,
        by=study.by,
        flops=runs.flops,
        loss=study.loss,
        delta=study.delta if study.loss == "huber" else Study().delta,
        tied=study.tied,
        level=study.level,
        seed=study.seed,
    )


def _profiles(fit: Fit, study: Study) -> tuple[Profile, ...]:
    if not study.profiles or study.loss == "lad":
        return ()
    return tuple(profile(fit, name, level=study.level) for name in COEFFICIENTS)


def _forms(runs: Runs, study: Study) -> tuple[FormScore, ...]:
    if not study.forms:
        return ()
    others = {name: column for name in runs.others if (column := runs.numbers(name)) is not None}
    return compare_forms(runs.params, runs.tokens, runs.losses, others=others, delta=study.delta)


def tried(question: Callable[[], Answer], refusals: list[str]) -> Answer | None:
    """Return the answer, or None with the reason kept where the runs do not allow one."""
    try:
        return question()
    except InputError as refusal:
        refusals.append(refusal.message)
        return None
