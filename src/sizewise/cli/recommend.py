"""``sizewise recommend``: which models run on this machine, how well, how fast, and how to start them."""

import sys
from typing import Any

import click

from sizewise.cli.emit import colour, emit
from sizewise.cli.options import NO_CALIBRATION, Output, Tokens, output_options, with_options
from sizewise.planning.recommending.asked import GENERAL, LEAST_RATE, TOP
from sizewise.planning.recommending.option_values import TOP_LIMIT, recommend_asked
from sizewise.planning.recommending.plan import plan_recommendations
from sizewise.planning.recommending.search import Progress
from sizewise.report.recommend_document import recommend_document
from sizewise.report.table import csv_text, markdown
from sizewise.streams import on_terminal

MACHINE: tuple[Any, ...] = (
    click.option("--on", metavar="DEVICE[:COUNT]", help="Another machine's devices: rtx-4090:2; here: this."),
    click.option("--memory", metavar="SIZE", help="Memory that models may use on each device, e.g. 22GiB."),
    click.option("--ram", metavar="SIZE", help="RAM, e.g. 64GiB: models may lie there in part."),
    click.option("--cores", type=click.IntRange(min=1), help="Physical cores."),
    click.option("--bandwidth", metavar="RATE", help="Bandwidth of the RAM, e.g. 80GB/s."),
)
WANTED: tuple[Any, ...] = (
    click.option(
        "--context",
        "-c",
        "--ctx-size",
        "--max-context",
        "context",
        type=Tokens(),
        help="Tokens per sequence (8192, or the model's limit).",
    ),
    click.option(
        "--sequences",
        "-np",
        "sequences",
        type=click.IntRange(min=1, max=10**6),
        default=1,
        help="Sequences at once (1).",
    ),
    click.option("--task", default=GENERAL, help=f"What models are ranked by ({GENERAL}), or a benchmark."),
    click.option(
        "--min-speed",
        type=click.FloatRange(min=0),
        default=LEAST_RATE,
        help=f"Tokens per second at the slow end ({LEAST_RATE:g}).",
    ),
    click.option("--license", metavar="TEXT", help="Licenses with this in their name, e.g. apache."),
    click.option("--family", metavar="TEXT", help="Models with this in their name, e.g. qwen."),
    click.option(
        "--quant", "-q", metavar="FORMAT", help="Weight format, e.g. q4_k_m; the best if not named."
    ),
    click.option("--runtime", help="Engine: llama.cpp, ollama, mlx, vllm, sglang, transformers."),
    click.option("--top", type=click.IntRange(1, TOP_LIMIT), default=TOP, help=f"Models shown ({TOP})."),
    click.option("--all", "every", is_flag=True, help="Every model that runs."),
    NO_CALIBRATION,
)


@click.command("recommend")
@with_options(*MACHINE, *WANTED)
@output_options
def command(*, every: bool, top: int, output: Output, **told: Any) -> None:
    """Which models of the catalogue run on this machine, best first, and the command that starts each.

    Each model is taken in the format of least expected loss that fits and is fast enough, and ranked by the
    cautious end of its score in that format.
    """
    asked = recommend_asked({"top": None if every else top, **told})
    answer = plan_recommendations(asked, _progress(output))
    if output.plot:
        from sizewise.report.recommend_plot import plot_recommendations

        plot_recommendations(answer, output.plot)

    def text() -> str:
        from sizewise.report.recommend import advice_lines, recommend_notes, recommend_tables
        from sizewise.report.terminal import render

        shown = render(recommend_tables(answer), color=colour(output), notes=recommend_notes(answer))
        return "\n".join([*advice_lines(answer), "", shown])

    def as_markdown() -> str:
        from sizewise.report.recommend import recommend_tables

        return markdown(recommend_tables(answer))

    def csv() -> str:
        from sizewise.report.recommend import CSV_COLUMNS, recommend_cells

        return csv_text(list(recommend_cells(answer)), CSV_COLUMNS)

    emit(
        output,
        [recommend_document(answer)],
        text=text,
        markdown=as_markdown,
        csv=csv,
        notices=answer.notices,
    )


def _progress(output: Output) -> Progress | None:
    """Return what tells a person at a terminal how far the search is; nothing in a pipe."""
    if output.quiet or not on_terminal() or sys.stderr is None or not sys.stderr.isatty():
        return None

    def tell(done: int, count: int) -> None:
        end = "\r\x1b[K" if done == count else f"\r{done:,} of {count:,} models"
        sys.stderr.write(end)
        sys.stderr.flush()

    return tell
