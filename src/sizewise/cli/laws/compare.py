"""``sizewise laws compare``: published laws and laws of your own runs side by side."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sizewise.cli.caller import names_runs
from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FORCE, Flops
from sizewise.cli.laws.run_options import KEYS, reading_options, runs_of
from sizewise.cli.options import Output, output_options, with_options
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.notices import Notice
from sizewise.report.laws.comparison import (
    Compared,
    comparison_document,
    comparison_notes,
    comparison_table,
)
from sizewise.report.laws.grounds import finding_notices, ground_notices
from sizewise.scaling.fit.guard_rails.checks import check_answer, check_fit, check_runs
from sizewise.scaling.fit.layout import require_apart, require_budgets
from sizewise.scaling.fit.multiplier import multiplier
from sizewise.scaling.fit.resampling import Replicates, bootstrap
from sizewise.scaling.fit.solve import Fit, fit_additive
from sizewise.scaling.questions.allocation import allocate
from sizewise.scaling.registry import law
from sizewise.scaling.run_files.runs import Runs

OWN = "your fit"
Fitted = tuple[Fit, Replicates]


@click.command("compare")
@click.argument("items", nargs=-1, required=True, metavar="LAW|FILE...")
@click.option("--at", "flops", type=Flops(), required=True, help="The budget that all are asked for.")
@click.option("--bootstrap", "replicates", type=click.IntRange(2, 10**6), default=1000, help="Draws (1,000).")
@click.option("--seed", type=click.IntRange(0, 2**63), default=42, help="Of the draws (42).")
@reading_options
@with_options(FORCE)
@output_options
def command(*, items: tuple[str, ...], flops: float, force: bool, output: Output, **told: Any) -> None:
    """Compare published laws (by name) and files of runs (fitted here) at one budget.

    For several files: what the compute of each recipe is worth in that of the first, with an interval. Their
    losses have to be measured on the same data.
    """
    rows: list[Compared] = []
    fits: list[Fitted] = []
    notices: list[Notice] = []
    for item in items:
        if not names_runs(item):
            row, said = _published(item, flops, force=force)
        else:
            row, fitted, said = _own(item, flops, told, force=force)
            fits.append(fitted)
            if len(fits) > 1:
                row = replace(row, worth=multiplier(fits[0], fitted, flops))
        rows.append(row)
        notices.extend(said)
    document = comparison_document(rows)
    emit_law(
        output,
        Answered(
            document=document,
            tables=(comparison_table(rows),),
            rows=document["laws"],
            notes=comparison_notes(rows),
            notices=notices,
        ),
    )


def _own(
    file: str, flops: float, told: dict[str, Any], *, force: bool
) -> tuple[Compared, Fitted, list[Notice]]:
    name = Path(file).name
    runs = runs_of(file, {key: told[key] for key in KEYS})
    _require_best_size(name, runs, flops)
    fit = fit_additive(runs.params, runs.tokens, runs.losses)
    replicates = bootstrap(fit, replicates=told["replicates"], seed=told["seed"])
    try:
        best = fit.law.optimum(flops)
    except InputError as refusal:
        raise InputError("bad_data", f"{shorten(name)}: {refusal.message}") from None
    findings = (
        *check_runs(runs),
        *check_fit(runs, fit, replicates),
        *check_answer(runs, fit, flops, force=force),
    )
    row = Compared(name=name, status=OWN, best=best, params_exponent=fit.law.params_exponent, worth=None)
    told_of = [replace(one, message=f"{shorten(name)}: {one.message}") for one in finding_notices(findings)]
    return row, (fit, replicates), [*runs.notices, *told_of]


def _require_best_size(name: str, runs: Runs, flops: float) -> None:
    """Refuse runs whose layout tells no best size (InputError, bad_data)."""
    try:
        require_apart(runs.params, runs.tokens)
        require_budgets(runs.products, flops)
    except InputError as refusal:
        raise InputError("bad_data", f"{shorten(name)}: {refusal.message}") from None


def _published(name: str, flops: float, *, force: bool) -> tuple[Compared, list[Notice]]:
    answer = allocate(law(name), flops)
    refuse_far(answer.ground, force=force)
    row = Compared(
        name=answer.ground.law,
        status=answer.status,
        best=answer.best,
        params_exponent=answer.params_exponent,
        worth=None,
    )
    return row, [*ground_notices([answer.ground]), *finding_notices(answer.findings)]
