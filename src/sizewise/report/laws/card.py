"""A scaling card: one file that says how a law was made, what it says and what speaks against it.

HTML with pictures, Markdown or JSON, by the ending of the file. What the runs do not say of the training
set-up is listed as not stated, since a reader has to ask for it.
"""

import html
import os
from collections.abc import Callable, Sequence
from math import isnan
from typing import Any

from sizewise.errors import InputError, UsageError, unwritable
from sizewise.escaping import escape, shorten
from sizewise.report.canvas import bare, blank, require_matplotlib, svg
from sizewise.report.document import Document, encode, warnings
from sizewise.report.laws import pictures
from sizewise.report.laws.fit import fit_document
from sizewise.report.laws.fit_text import fit_notes, fit_notices, fit_tables
from sizewise.report.laws.quantities import count_text, flops_text, loss_text, range_text
from sizewise.report.table import Table, markdown
from sizewise.scaling.fit.study import COEFFICIENTS, Studied, spent
from sizewise.whole_files import write_whole

TITLE = "Scaling card"
ENDINGS = (".html", ".md", ".json")
SET_UP = {
    "schedule": "learning-rate schedule",
    "learning_rate": "learning rate",
    "warmup_steps": "warm-up, steps",
    "batch_tokens": "batch, tokens",
    "tokenizer": "tokenizer",
    "dataset": "data",
    "unique_tokens": "unique tokens",
    "architecture": "architecture",
    "optimizer": "optimizer",
    "seed": "seed",
}
"""What a reader wants to know of the training, by the role of its column."""

STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#222}"
    "table{border-collapse:collapse;margin:1rem 0}th,td{padding:.2rem .8rem;text-align:left;"
    "border-bottom:1px solid #ddd}.n{text-align:right;font-variant-numeric:tabular-nums}"
    "svg{max-width:100%;height:auto}.w{border-left:4px solid #E69F00;padding-left:.8rem}"
)


def check_card(path: str) -> None:
    """Refuse a card that could not be written, before the work.

    Raises UsageError (bad_option) for another ending, InputError (exists, missing_extra).
    """
    if _ending(path) in ENDINGS and os.path.lexists(path):
        raise InputError("exists", f"{shorten(path, 120)} exists; choose another name or remove it")
    check_kind(_ending(path))


def check_kind(ending: str) -> None:
    """Raise as `check_card` where there is no card of this ending, or none can be drawn here."""
    if ending not in ENDINGS:
        raise UsageError("bad_option", f"--card {shorten(ending)!r}: must end in {', '.join(ENDINGS)}")
    if ending == ".html":
        require_matplotlib()


def _ending(path: str) -> str:
    return os.path.splitext(path)[1].lower()


def write_card(found: Studied, path: str, version: str) -> None:
    """Write the card into a new file; ``version`` is that of the package.

    Raises as `check_card`, and InputError (unwritable, disk_full).
    """
    check_card(path)
    try:
        write_whole(path, card_text(found, _ending(path), version))
    except OSError as error:
        raise unwritable(shorten(path, 120), error) from None


def card_text(found: Studied, ending: str, version: str) -> str:
    """Return the card as a file of one of ENDINGS holds it. Raises InputError (missing_extra) for HTML."""
    makers = dict(zip(ENDINGS, (html_card, markdown_card, json_card), strict=True))
    return makers[ending](found, version)


def card_document(found: Studied, version: str) -> Document:
    """Return the card as plain data."""
    return {
        "card": TITLE,
        "sizewise": version,
        "data": dict(_data_rows(found)),
        "training": dict(_set_up_rows(found)),
        **fit_document(found),
        "warnings": warnings(fit_notices(found)),
    }


def json_card(found: Studied, version: str) -> str:
    """Return the card as JSON."""
    return encode(card_document(found, version)) + "\n"


def markdown_card(found: Studied, version: str) -> str:
    """Return the card as Markdown, without any HTML that names in the file could bring."""
    parts = [f"# {TITLE}", markdown(_card_tables(found)), "## How it was fitted"]
    parts.append("\n".join(f"- {escape(note)}" for note in fit_notes(found)))
    parts.append("## Warnings")
    parts.append(
        "\n".join(f"- **{code}** {escape(message)}" for code, message in _warnings(found)) or "None."
    )
    return "\n\n".join([*parts, f"sizewise {version}"]).replace("<", "&lt;") + "\n"


def html_card(found: Studied, version: str) -> str:
    """Return the card as one page that needs nothing else. Raises InputError (missing_extra)."""
    body = [f"<h1>{TITLE}</h1>"]
    body += [_html_table(table) for table in _card_tables(found)]
    body += ["<h2>Pictures</h2>", *_pictures(found), "<h2>How it was fitted</h2>"]
    body += [f"<p>{_text(note)}</p>" for note in fit_notes(found)]
    body.append("<h2>Warnings</h2>")
    body += [f'<p class="w"><b>{_text(code)}</b> {_text(message)}</p>' for code, message in _warnings(found)]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{TITLE}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body>{''.join(body)}<p>sizewise {version}</p></body></html>\n"
    )


def _warnings(found: Studied) -> list[tuple[str, str]]:
    return [(notice.code, notice.message) for notice in fit_notices(found)]


def _card_tables(found: Studied) -> list[Table]:
    fit, *others = fit_tables(found)
    about = (("Data", _data_rows(found)), ("Training", _set_up_rows(found)))
    return [fit, *(Table(title=title, columns=("", ""), rows=tuple(rows)) for title, rows in about), *others]


def _data_rows(found: Studied) -> list[tuple[str, str]]:
    runs = found.runs
    ranges = (
        ("parameters", count_text, runs.params),
        ("training tokens", count_text, runs.tokens),
        ("FLOPs", flops_text, spent(runs)),
        ("loss, nats per token", loss_text, runs.losses),
    )
    return [
        ("runs", str(len(runs))),
        ("model sizes", str(len(set(runs.params)))),
        *((name, range_text(show(min(values)), show(max(values)))) for name, show, values in ranges),
        ("columns", ", ".join(f"{role} = {name}" for role, name in runs.columns.items())),
        ("SHA-256 of the file", runs.digest),
    ]


def _set_up_rows(found: Studied) -> list[tuple[str, str]]:
    others = found.runs.others
    return [
        (name, _summary(others[role]) if role in others else "not stated") for role, name in SET_UP.items()
    ]


def _summary(cells: Sequence[float | str]) -> str:
    """Return the range of numbers, or the few different texts of a column."""
    stated = [cell for cell in cells if not (isinstance(cell, float) and isnan(cell))]
    if not stated:
        return "not stated"
    numbers = [cell for cell in stated if isinstance(cell, float)]
    if len(numbers) == len(stated):
        low, high = min(numbers), max(numbers)
        return f"{low:.4g}" if low == high else range_text(f"{low:.4g}", f"{high:.4g}")
    kinds = sorted({shorten(str(cell), 40) for cell in stated})
    return ", ".join(kinds[:5]) + (f" and {len(kinds) - 5} more" if len(kinds) > 5 else "")


def _html_table(table: Table) -> str:
    head = "".join(f"<th>{_text(column)}</th>" for column in table.columns)
    rows = (
        "".join(
            f'<td class="n">{_text(cell)}</td>' if column in table.right else f"<td>{_text(cell)}</td>"
            for column, cell in zip(table.columns, row, strict=True)
        )
        for row in table.rows
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f"<h2>{_text(table.title)}</h2><table><tr>{head}</tr>{body}</table>"


def _text(text: str) -> str:
    return html.escape(escape(text))


def _pictures(found: Studied) -> list[str]:
    drawn = []
    single: tuple[Callable[[Any, Any], None], ...] = (
        lambda figure, axes: pictures.draw_budgets(figure, axes, found),
        lambda _, axes: pictures.draw_contours(axes, found),
        lambda _, axes: pictures.draw_residuals(axes, found),
        lambda _, axes: pictures.draw_influence(axes, found),
    )
    for draw in single:
        figure = blank(height=4.2, width=7.5)
        draw(figure, bare(figure.subplots()))
        drawn.append(svg(figure))
    figure = blank(height=2.6, width=12)
    pictures.draw_profiles([bare(axes) for axes in figure.subplots(1, len(COEFFICIENTS), sharey=True)], found)
    return [*drawn, svg(figure)]
