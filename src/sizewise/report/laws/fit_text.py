"""A law of a user's own runs to be read: tables, the lines below them, and warnings."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from sizewise.notices import Notice
from sizewise.report.laws.fit import falls, run_name
from sizewise.report.laws.grounds import finding_notices
from sizewise.report.laws.quantities import (
    count_text,
    flops_text,
    loss_text,
    percent_text,
    range_text,
    ratio_text,
)
from sizewise.report.table import Table
from sizewise.scaling.fit.along_line import AlongLine
from sizewise.scaling.fit.diagnostics.held_out import HeldOut
from sizewise.scaling.fit.diagnostics.profiles import Profile
from sizewise.scaling.fit.study import Studied
from sizewise.scaling.fit.variants.comparison import FormScore

NAMES: Mapping[str, str] = {"params_exponent": "a in N ~ C^a"}
HELD_OUT_SHOWN = 8


def fit_tables(found: Studied) -> list[Table]:
    """Return the coefficients first, then the optimum, the held-out runs and the forms."""
    tables = [_coefficients_table(found)]
    if found.target is not None:
        tables.append(_target_table(found))
    if found.held_out is not None:
        tables.append(held_out_table(found.held_out))
    if found.profiles:
        tables.append(_profiles_table(found.profiles))
    if found.forms:
        tables.append(forms_table(found.forms))
    return tables


def _coefficients_table(found: Studied) -> Table:
    values = found.fit.coefficients._asdict()
    if falls(found.fit):
        values["params_exponent"] = found.fit.law.params_exponent
    errors: dict[str, float] = found.errors._asdict()
    return Table(
        title=f"L = E + A N^-alpha + B D^-beta, {len(found.fit.points)} runs",
        columns=(
            "",
            "value",
            "standard error",
            f"{found.study.level:.0%} interval",
            *(() if found.by_size is None else ("by model size",)),
        ),
        rows=tuple(
            (
                NAMES.get(name, name),
                f"{value:.6g}",
                f"{errors[name]:.4g}" if name in errors else "",
                *(ends_text(getattr(one, name)) for one in (found.intervals, found.by_size) if one),
            )
            for name, value in values.items()
        ),
        right=frozenset(("value", "standard error")),
    )


def ends_text(interval: Any) -> str:
    """Print an interval of a coefficient."""
    return range_text(*(f"{end:.4g}" for end in _plain_ends(interval)))


def _plain_ends(interval: Any) -> tuple[float, float]:
    return interval.low, interval.high


def _target_table(found: Studied) -> Table:
    assert found.target is not None
    best, known = found.target.best, found.target.intervals
    printed = {"params": count_text, "tokens": count_text, "tokens_per_param": ratio_text, "loss": loss_text}
    labels = {
        "params": "parameters",
        "tokens": "tokens",
        "tokens_per_param": "tokens/param",
        "loss": "loss, nats/token",
    }
    return Table(
        title=f"Best use of {flops_text(best.flops)} FLOPs",
        columns=("", "value", f"{found.study.level:.0%} interval"),
        rows=tuple(
            (
                labels[name],
                show(getattr(best, name)),
                range_text(*map(show, _plain_ends(getattr(known, name)))),
            )
            for name, show in printed.items()
        ),
        right=frozenset(("value",)),
    )


def held_out_table(held: HeldOut) -> Table:
    """Return the largest runs as measured and as predicted from the others."""
    return Table(
        title=f"The {len(held.runs)} largest runs, predicted from the other {len(held.fit.points)}"
        + (f": the {HELD_OUT_SHOWN} largest of them" if len(held.runs) > HELD_OUT_SHOWN else ""),
        columns=("parameters", "tokens", "measured", "predicted", "interval", "error"),
        rows=tuple(
            (
                count_text(run.predicted.params),
                count_text(run.predicted.tokens),
                loss_text(run.measured),
                loss_text(run.predicted.loss),
                range_text(loss_text(run.predicted.low), loss_text(run.predicted.high)),
                percent_text(run.error) + ("" if run.covered else " outside"),
            )
            for run in held.runs[-HELD_OUT_SHOWN:]
        ),
        right=frozenset(("parameters", "tokens", "measured", "predicted", "error")),
    )


def _profiles_table(profiles: Sequence[Profile]) -> Table:
    return Table(
        title="How well the runs determine each coefficient",
        columns=("", "value", "profile interval", "determined"),
        rows=tuple(
            (
                one.coefficient,
                f"{one.value:.6g}",
                range_text(f"{one.low:.4g}", f"{one.high:.4g}" if isfinite(one.high) else "no end"),
                "yes" if one.identified else "no",
            )
            for one in profiles
        ),
        right=frozenset(("value",)),
    )


def forms_table(forms: Sequence[FormScore]) -> Table:
    """Return every form that applies, the best first."""
    return Table(
        title="Other forms on the same runs, the best prediction of the largest first",
        columns=("form", "held-out error", "left-out error", "AIC", "a in N ~ C^a", "determined"),
        rows=tuple(
            (
                score.form,
                _share(score.held_out_error),
                _share(score.left_out_error),
                "" if score.aic is None else f"{score.aic:.1f}",
                "" if score.params_exponent is None else f"{score.params_exponent:.3f}",
                score.refusal or ("yes" if score.identified else "no"),
            )
            for score in forms
        ),
        right=frozenset(("held-out error", "left-out error", "AIC", "a in N ~ C^a")),
    )


def _share(error: float | None) -> str:
    return "" if error is None else percent_text(error)


def fit_notes(found: Studied) -> list[str]:
    """Return the certificate, the bootstrap, what carries the fit, and what could not be done."""
    notes = how_fitted(found)
    if found.influence is not None and found.influence.omissions:
        first = found.influence.largest[0]
        notes.append(
            f"most influential: {run_name(found, first.left_out)}; without it a is"
            f" {first.params_exponent:.4f} ({first.shift:+.2f} standard errors)"
        )
    return [*notes, *what_was_read(found)]


def how_fitted(found: Studied | AlongLine) -> list[str]:
    """Return the certificate, the bootstrap, held-out runs and the claimed law, a line each."""
    fit, certificate, replicates = found.fit, found.fit.certificate, found.replicates
    bound = f" (delta {fit.delta:g})" if fit.loss == "huber" else ""
    notes = [
        f"{fit.loss}{bound} on ln L, sum {fit.objective:.10g}; {certificate.agreeing} of {certificate.starts}"
        f" starts agree, largest gradient {certificate.gradient:.1e}",
        f"bootstrap: {len(replicates):,} draws of {replicates.kind}, seed {found.study.seed};"
        f" {replicates.checked:,} checked from cold, {replicates.missed} had a lower minimum",
    ]
    if found.held_out is not None:
        held = found.held_out
        notes.append(
            f"held out: mean error {percent_text(held.mean_error)}, worst {percent_text(held.worst_error)},"
            f" {percent_text(held.coverage)} inside their {found.study.level:.0%} intervals"
        )
    if found.against is not None:
        times = found.against / fit.objective
        notes.append(f"the law of --against: sum {found.against:.10g}, {times:.3g} times this fit's")
    return notes


def what_was_read(found: Studied | AlongLine) -> list[str]:
    """Return what could not be told, and the columns."""
    columns = ", ".join(f"{role} = {name}" for role, name in found.runs.columns.items())
    return [*(f"not told: {refusal}" for refusal in found.refusals), f"columns: {columns}"]


def fit_notices(found: Studied | AlongLine) -> list[Notice]:
    """Return what reading the file and the guard rails have to say."""
    return [*found.runs.notices, *finding_notices(found.findings)]
