"""A table as values: the one shape that terminal, Markdown and CSV are made from."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text under a heading. ``right`` names the columns of numbers."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: frozenset[str] = frozenset()


def markdown(tables: Sequence[Table]) -> str:
    """Return the tables in Markdown.

    >>> print(markdown([Table(title="", columns=("a", "b"), rows=(("1", "2|3"),))]))
    | a | b |
    |---|---|
    | 1 | 2\\|3 |
    """
    return "\n\n".join(_markdown_table(table) for table in tables)


def _markdown_table(table: Table) -> str:
    lines = [f"**{table.title}**\n"] if table.title else []
    lines.append(f"| {' | '.join(table.columns)} |")
    lines.append("|" + "|".join("---:" if column in table.right else "---" for column in table.columns) + "|")
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in table.rows]
    return "\n".join(lines)


def csv_text(rows: Sequence[Sequence[object]], columns: Sequence[str]) -> str:
    """Return comma-separated values with a header line; formulas of spreadsheets are defused.

    >>> csv_text([["=cmd", 3]], ["name", "n"])
    "name,n\\n'=cmd,3\\n"
    """
    import csv
    import io

    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_defused(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def _defused(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@")) else cell
