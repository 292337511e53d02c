"""``sizewise choose``: what size of model is needed."""

from typing import Any

import click

from sizewise.cli.emit import colour, emit
from sizewise.cli.options import NO_CALIBRATION, Output, Tokens, output_file_options, with_options
from sizewise.planning.choosing.answer import ChooseAnswer
from sizewise.planning.choosing.asked import SHOWN
from sizewise.planning.choosing.choose import choose
from sizewise.planning.choosing.option_values import choose_asked
from sizewise.planning.quality.model_quality import tasks
from sizewise.planning.speed.asked import DEFAULT_ANSWER, DEFAULT_PROMPT
from sizewise.report.choose_document import choose_document
from sizewise.report.table import csv_text, markdown

WANTED: tuple[Any, ...] = (
    click.option("--task", metavar="TASK", help=f"{', '.join(tasks())} (general knowledge)."),
    click.option(
        "--quality",
        metavar="PERCENT|BENCHMARK=PERCENT|MODEL",
        help="Right answers, e.g. 60, humaneval=70, or a model to be as good as; the best if not named.",
    ),
    click.option("--context", "-c", type=Tokens(), help="Tokens that memory holds (8k)."),
    click.option("--input", type=Tokens(), help=f"Tokens of a prompt ({DEFAULT_PROMPT})."),
    click.option(
        "--output",
        "--output-tokens",
        "answer_tokens",
        type=Tokens(),
        help=f"Tokens of an answer ({DEFAULT_ANSWER}); the answer's file is -o.",
    ),
    click.option("--ttft", metavar="TIME", help="Target of the time to first token, e.g. 1s."),
    click.option("--tpot", metavar="TIME", help="Target of the time per token, e.g. 50ms."),
)

GIVEN: tuple[Any, ...] = (
    click.option("--on", metavar="DEVICE[:COUNT]", help="A device that has to hold it: rtx-4090, here."),
    click.option("--memory", metavar="SIZE", help="Memory that has to hold it, e.g. 24GiB."),
    click.option("--budget", metavar="MONEY", help="Rent servers for at most 5usd/h, 3000usd/month."),
    click.option("--users", type=float, metavar="N", help="Servers for users who wait at all times."),
    click.option("--rps", type=float, metavar="N", help="Servers for requests per second."),
    click.option("--quant", "-q", metavar="FORMAT[,…]", help="Weight formats; the usual ones if not named."),
    click.option("--runtime", metavar="ENGINE", help="Engine; llama.cpp, or vLLM in datacenters (auto)."),
    click.option("--top", type=int, default=SHOWN, metavar="N", help=f"Models that are shown ({SHOWN})."),
    NO_CALIBRATION,
)


@click.command("choose")
@with_options(*WANTED, *GIVEN)
@click.option("--guide", is_flag=True, help="What sizes need, cost and can do; abilities then and now.")
@click.option("--check", is_flag=True, help="Exit with 1 when no model is surely good enough.")
@output_file_options
def command(*, answer_tokens: int | None, guide: bool, check: bool, output: Output, **told: Any) -> int:
    """What size of model is needed for a task, at a quality, on a device or within a budget.

    The smallest that reach the quality at the low end of its interval come first, with memory, speed and
    command; then those that may, and why others do not. Qualities are published scores, or estimates that
    say so.
    """
    if output.plot:
        raise click.UsageError("--plot: the choice has no picture yet; take --format csv")
    if guide:
        _guide(output)
        return 0
    answer = choose(choose_asked({"output": answer_tokens, **told}))
    emit(
        output,
        [choose_document(answer)],
        text=lambda: _text(answer, output),
        markdown=lambda: _markdown(answer),
        csv=lambda: _csv(answer),
        notices=answer.notices,
    )
    return int(check and not any(one.sure for one in answer.candidates))


def _guide(output: Output) -> None:
    """Write what sizes need, cost and can do."""
    from sizewise.report.guide import guide_document, guide_notes, guide_tables
    from sizewise.report.terminal import render

    tables = [] if output.format in ("json", "jsonl") else guide_tables()
    emit(
        output,
        [guide_document()] if not tables else [],
        text=lambda: render(tables, color=colour(output), notes=guide_notes()),
        markdown=lambda: markdown(tables),
        csv=lambda: csv_text(tables[0].rows, tables[0].columns),
    )


def _text(answer: ChooseAnswer, output: Output) -> str:
    from sizewise.report.choose import choose_notes, choose_tables
    from sizewise.report.terminal import render

    return render(choose_tables(answer), color=colour(output), notes=choose_notes(answer))


def _markdown(answer: ChooseAnswer) -> str:
    from sizewise.report.choose import choose_tables

    return markdown(choose_tables(answer))


def _csv(answer: ChooseAnswer) -> str:
    from sizewise.report.choose import CSV_COLUMNS, choose_cells

    return csv_text(list(choose_cells(answer)), CSV_COLUMNS)
