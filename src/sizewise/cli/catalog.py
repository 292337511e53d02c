"""``sizewise catalog``: the facts with their sources and dates."""

from collections.abc import Callable

import click

from sizewise.cli.emit import colour, emit
from sizewise.cli.options import Output, output_options
from sizewise.report.document import SCHEMA_VERSION
from sizewise.report.facts import FactTable, device_facts, format_facts, model_facts, size_facts
from sizewise.report.table import Table, csv_text, markdown

SUBJECTS: dict[str, Callable[[], FactTable]] = {
    "models": model_facts,
    "devices": device_facts,
    "formats": format_facts,
    "sizes": size_facts,
}


@click.command("catalog")
@click.argument("subject", type=click.Choice(list(SUBJECTS)))
@click.argument("words", nargs=-1)
@output_options
def command(subject: str, words: tuple[str, ...], output: Output) -> None:
    """List the facts: models, devices, formats, or sizes (size → memory per format → examples).

    WORDS keep the rows that hold all of them.
    """
    facts = SUBJECTS[subject]()
    rows = [row for row in facts.rows if facts.holds(row, words)]
    shown = Table(
        title=facts.title,
        columns=facts.shown,
        rows=tuple(tuple(facts.text(row, column) for column in facts.shown) for row in rows),
        right=facts.right,
    )
    emit(
        output,
        [{"schema_version": SCHEMA_VERSION, subject: rows}],
        text=lambda: _text(shown, facts, output),
        markdown=lambda: markdown([shown]),
        csv=lambda: csv_text(
            [[row[column] for column in row] for row in rows], tuple(rows[0]) if rows else ()
        ),
    )


def _text(table: Table, facts: FactTable, output: Output) -> str:
    from sizewise.report.terminal import render

    return render([table], color=colour(output), notes=facts.notes)
