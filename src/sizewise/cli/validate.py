"""``sizewise validate``: predictions scored against the measurements that the package ships."""

import sys
from collections.abc import Sequence

import click

from sizewise.cli.emit import colour, emit
from sizewise.cli.options import Output, output_options
from sizewise.errors import UsageError
from sizewise.report.document import SCHEMA_VERSION, Document
from sizewise.report.scores import (
    COLUMNS,
    ROW_COLUMNS,
    row_cells,
    row_table,
    score_document,
    score_notes,
    score_table,
    worst_table,
)
from sizewise.report.table import Table, csv_text, markdown, plain
from sizewise.scoring.score import Progress, Score, chosen_sets, scores
from sizewise.streams import on_terminal


@click.command("validate")
@click.option(
    "--quantity",
    multiple=True,
    help="Only this quantity: gguf, cache, compute, output, pool, blocks, training.",
)
@click.option(
    "--engine", multiple=True, help="Only this engine: llama.cpp, transformers, vllm, sglang, torchtitan."
)
@click.option("--rows", is_flag=True, help="Show every measurement with its prediction.")
@click.option("--check", is_flag=True, help="Exit with 1 when a quantity is below its stated bound.")
@output_options
def command(
    quantity: tuple[str, ...], engine: tuple[str, ...], rows: bool, check: bool, output: Output
) -> int:
    """How good the predictions are, on measurements that the package ships.

    A table per quantity: rows, exact ones, errors, how many truths lie in the stated interval, and the
    version and date of the truth. Every prediction is made as the memory command makes it.
    """
    if output.plot:
        raise UsageError("bad_option", "--plot draws params and memory; take --format csv here")
    found = scores(chosen_sets(quantity, engine), _progress(output))
    emit(
        output,
        [_document(found, rows=rows)] if output.format in ("json", "jsonl") else [],
        text=lambda: _text(found, output, rows=rows),
        markdown=lambda: markdown(_tables(found, rows=rows)),
        csv=lambda: csv_text(row_cells(found), ROW_COLUMNS) if rows else _csv(found),
    )
    return int(check and not all(score.holds for score in found))


def _progress(output: Output) -> Progress | None:
    """Return what tells a person at a terminal how far it is; nothing in a pipe."""
    if output.quiet or not on_terminal() or sys.stderr is None or not sys.stderr.isatty():
        return None

    def tell(done: int, count: int) -> None:
        if done % 50 == 0 or done == count:
            end = "\r\x1b[K" if done == count else f"\r{done:,} of {count:,} measurements"
            sys.stderr.write(end)
            sys.stderr.flush()

    return tell


def _document(found: Sequence[Score], *, rows: bool) -> Document:
    return {
        "schema_version": SCHEMA_VERSION,
        "scores": [score_document(score, rows=rows) for score in found],
        "holds": all(score.holds for score in found),
    }


def _tables(found: Sequence[Score], *, rows: bool) -> list[Table]:
    below = row_table(found) if rows else worst_table(found)
    return [score_table(found), *([below] if below else [])]


def _text(found: Sequence[Score], output: Output, *, rows: bool) -> str:
    from sizewise.report.terminal import render

    notes = score_notes(found)
    if rows:
        return (
            plain(row_table(found)) + "\n\n" + render([score_table(found)], color=colour(output), notes=notes)
        )
    return render(_tables(found, rows=False), color=colour(output), notes=notes)


def _csv(found: Sequence[Score]) -> str:
    return csv_text(score_table(found).rows, COLUMNS)
