"""``sizewise laws fit``: a law of your own runs."""

from typing import Any

import click
from click.core import ParameterSource

from sizewise.cli.caller import caller
from sizewise.cli.laws.answer import Answered, emit_law
from sizewise.cli.laws.coefficients import additive_of
from sizewise.cli.laws.options import FORCE, Flops
from sizewise.cli.laws.progress import counted
from sizewise.cli.laws.run_options import KEYS, reading_options, runs_of
from sizewise.cli.options import Output, check_curve, output_options, with_options
from sizewise.errors import UsageError
from sizewise.report.document import Document
from sizewise.report.laws.fit import fit_document, fit_rows
from sizewise.report.laws.fit_text import fit_notes, fit_notices, fit_tables
from sizewise.report.laws.line import line_document, line_notes, line_rows, line_tables
from sizewise.report.laws.own_curves import own_curves
from sizewise.scaling.fit.along_line import AlongLine, along_line, line_of_runs
from sizewise.scaling.fit.study import Studied, Study, studied

FEWEST = 100
"""Draws below which an interval says little."""
FORMS = {"additive": False, "tied": True}
OF_THE_LAW = (
    "form",
    "objective",
    "delta",
    "cluster",
    "hold_out",
    "forms",
    "profiles",
    "card",
    "curve",
    "drop",
    "against",
)
"""What approaches 1 and 2 have no use for."""


@click.command("fit")
@click.argument("file", metavar="FILE")
@reading_options
@click.option("--form", type=click.Choice(list(FORMS)), default="additive", help="tied: alpha = beta.")
@click.option(
    "--objective",
    type=click.Choice(["huber", "lad", "squared"]),
    default="huber",
    help="What is summed over the residuals of ln L.",
)
@click.option("--delta", type=float, default=1e-3, help="Bound of the Huber loss (1e-3).")
@click.option("--bootstrap", "replicates", type=click.IntRange(2, 10**6), default=4000, help="Draws (4,000).")
@click.option("--cluster", is_flag=True, help="Draw whole model sizes instead of single runs.")
@click.option("--seed", type=click.IntRange(0, 2**63), default=42, help="Of the draws (42).")
@click.option("--level", type=click.FloatRange(0.5, 0.999), default=0.9, help="Of the intervals (0.9).")
@click.option("--target", type=Flops(), help="Budget whose best size is told (10 times the largest run).")
@click.option(
    "--hold-out",
    type=click.Choice(["decade", "share", "size", "none"]),
    default="decade",
    help="The largest runs that are predicted from the others.",
)
@click.option("--forms", is_flag=True, help="Fit other forms too and rank them by held-out error.")
@click.option("--profiles", is_flag=True, help="How well the runs determine each coefficient.")
@click.option(
    "--approach",
    type=click.Choice(["1", "2", "3"]),
    default="3",
    help="1: envelope of training curves; 2: a parabola per budget; 3: the parametric law.",
)
@click.option("--drop", multiple=True, metavar="RUN", help="Leave a run out; what that does is said.")
@click.option("--against", metavar="LAW", help="How well a published law (or E=…,A=…,B=…,…) fits the runs.")
@click.option("--card", metavar="FILE", help="Write a scaling card into a new html, md or json file.")
@click.option("--curve", is_flag=True, help="The runs and the law around them as points, in the JSON.")
@with_options(FORCE)
@output_options
def command(*, file: str, approach: str, card: str | None, curve: bool, output: Output, **told: Any) -> None:
    """Fit a scaling law to the runs of FILE (CSV, JSON, JSONL; exports of W&B and TensorBoard, or a folder).

    Columns are detected by their usual names or named. The global optimum from a cold start, intervals by
    bootstrap, what carries the fit, how well the small runs predict the largest, and the known mistakes.
    """
    check_curve(output, curve=curve)
    _check_files(card, output.plot)
    if approach != "3":
        _refuse_unused(approach)
    runs = runs_of(file, {key: told[key] for key in KEYS}, every_point=approach == "1")
    if approach != "3":
        from sizewise.cli.laws.approaches import allocation_answer

        emit_law(output, allocation_answer(runs, approach, told))
        return
    _refuse_endless(len(runs), told["replicates"])
    study = _study(told, card, output.plot)
    line = line_of_runs(runs, study)
    if line is not None and card is not None:
        raise UsageError("bad_option", f"--card: all runs have {line}, which tells no law of N and D")
    with counted(output, "replicates") as progress:
        found = (
            studied(runs, study, progress=progress)
            if line is None
            else along_line(runs, line, study, progress=progress)
        )
    answer = _line_answer(found) if isinstance(found, AlongLine) else _answer(found, card, curve=curve)
    emit_law(output, answer)


def _answer(found: Studied, card: str | None, *, curve: bool) -> Answered:
    """Return the law with all that judges it, and write its card where one is asked for."""
    document = fit_document(found)
    if curve:
        document["curve"] = own_curves(found)
    if card is not None:
        document |= _carded(found, card)
    return Answered(
        document=document,
        tables=fit_tables(found),
        rows=fit_rows(found),
        notes=fit_notes(found),
        notices=fit_notices(found),
        picture=lambda path: _draw(found, path),
    )


def _line_answer(found: AlongLine) -> Answered:
    """Return what runs on one line tell: the loss along it."""
    return Answered(
        document=line_document(found),
        tables=line_tables(found),
        rows=line_rows(found),
        notes=line_notes(found),
        notices=fit_notices(found),
    )


def _study(told: dict[str, Any], card: str | None, picture: str | None) -> Study:
    """Return what is asked for; a card and a picture show more."""
    return Study(
        loss=told["objective"],
        delta=told["delta"],
        tied=FORMS[told["form"]],
        replicates=told["replicates"],
        seed=told["seed"],
        clustered=told["cluster"],
        level=told["level"],
        target=told["target"],
        by=None if told["hold_out"] == "none" else told["hold_out"],
        forms=told["forms"] or card is not None,
        profiles=told["profiles"] or card is not None or picture is not None,
        drop=told["drop"],
        against=None if told["against"] is None else additive_of(told["against"]),
        force=told["force"],
    )


def _refuse_endless(runs: int, draws: int) -> None:
    """Refuse draws that a service would end before they are done. Raises UsageError (too_slow)."""
    asking = caller()
    most = None if asking is None else asking.most_drawn
    if most is not None and runs * draws > most:
        text = f"--bootstrap: {draws:,} draws of {runs:,} runs take longer than an answer may"
        fewer = f"; take at most {most // runs:,}" if most // runs >= FEWEST else ""
        raise UsageError("too_slow", f"{text}{fewer}, or ask the command line")


def _refuse_unused(approach: str) -> None:
    context = click.get_current_context()
    for name in OF_THE_LAW:
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')}: approach {approach} has no use for it")


def _carded(found: Studied, card: str) -> Document:
    """Write the card into its file; hand its text over to a service, which has no files."""
    from sizewise import __version__
    from sizewise.report.laws.card import card_text, write_card

    if caller() is not None:
        return {"card": {"kind": card, "text": card_text(found, f".{card}", __version__)}}
    write_card(found, card, __version__)
    return {}


def _check_files(card: str | None, picture: str | None) -> None:
    """Refuse files that cannot be made before the long work."""
    if card is not None:
        from sizewise.report.laws.card import check_card, check_kind

        if caller() is None:
            check_card(card)
        else:
            check_kind(f".{card}")
    if picture is not None:
        from sizewise.report.canvas import canvas_path

        canvas_path(picture)


def _draw(found: Any, path: str) -> None:
    from sizewise.report.laws.pictures import draw_fit

    draw_fit(found, path)
