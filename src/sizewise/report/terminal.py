"""Tables and bars on a terminal, drawn by rich; plain text into pipes."""

from collections.abc import Sequence
from io import StringIO

from sizewise.escaping import escape
from sizewise.report.table import Table
from sizewise.streams import on_terminal

BAR_WIDTH = 60
LEAST_WIDTH = 60
"""Columns below which tables would lose cells; a narrower terminal folds the lines itself."""
_GLYPHS = "█▓▒░·:"
_COLOURS = ("blue", "cyan", "yellow", "magenta", "default")


def render(tables: Sequence[Table], *, color: bool, bar: str = "", notes: Sequence[str] = ()) -> str:
    """Return the tables, then a bar, then notes, as text for a terminal or a pipe."""
    from rich.console import Console
    from rich.table import Table as RichTable
    from rich.text import Text

    terminal = color and on_terminal()
    buffer = StringIO()
    console = Console(
        file=buffer,
        force_terminal=terminal,
        no_color=not color,
        highlight=False,
        width=_width(),
        legacy_windows=False,
    )
    for table in tables:
        if table.title:
            console.print(Text(escape(table.title), style="bold"), soft_wrap=True)
        drawn = RichTable(box=None, pad_edge=False)
        for column in table.columns:
            drawn.add_column(
                Text(escape(column)), justify="right" if column in table.right else "left", overflow="fold"
            )
        for row in table.rows:
            drawn.add_row(*(Text(escape(cell)) for cell in row))
        console.print(drawn)
        console.print()
    if bar:
        console.print(Text.from_ansi(bar) if terminal else Text(bar), soft_wrap=True)
        console.print()
    for note in notes:
        console.print(Text(escape(note)), soft_wrap=True)
    return "\n".join(line.rstrip() for line in buffer.getvalue().splitlines()).rstrip() + "\n"


def _width() -> int:
    """Return the width of the terminal; wide enough for every table when it is a pipe."""
    import os
    import shutil

    if on_terminal() or os.environ.get("COLUMNS"):
        return max(LEAST_WIDTH, shutil.get_terminal_size((100, 24)).columns)
    return 120


def stacked_bar(parts: Sequence[tuple[str, float]], capacity: float, label: str) -> str:
    """Return a bar of the parts against a capacity, with a legend; ``|`` marks the capacity.

    >>> print(stacked_bar([("weights", 30.0), ("cache", 15.0)], 60.0, "60 GiB").splitlines()[0])
    ██████████████████████████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓               | 60 GiB
    """
    needed = sum(amount for _, amount in parts)
    scale = BAR_WIDTH / max(needed, capacity)
    cells, drawn, reached = "", 0, 0.0
    for glyph, (_, amount) in zip(_GLYPHS, parts, strict=False):
        reached += amount * scale
        cells += glyph * (round(reached) - drawn)
        drawn = round(reached)
    mark = round(capacity * scale)
    cells = cells.ljust(BAR_WIDTH)
    if capacity:
        cells = f"{cells[:mark]}|{cells[mark:]}".rstrip() + f" {label}"
    legend = "  ".join(f"{glyph} {name}" for glyph, (name, _) in zip(_GLYPHS, parts, strict=False))
    return f"{cells}\n{legend}"
