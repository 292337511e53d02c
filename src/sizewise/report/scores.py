"""Scores as tables and as plain data."""

from collections.abc import Sequence

from sizewise.catalog.measurements import MeasurementSet
from sizewise.report.document import Document
from sizewise.report.table import Table
from sizewise.runtimes.registry import RUNTIMES
from sizewise.scoring.score import Score, Scored
from sizewise.units import binary_bytes

WORST = 3
"""Rows with the largest errors that are shown of a quantity."""

COLUMNS = (
    "quantity",
    "engine",
    "truth of",
    "kind",
    "rows",
    "exact",
    "≤ 1 MiB",
    "≤ 5 %",
    "median error",
    "inside",
    "bound",
    "checked",
)
RIGHT = frozenset(("rows", "exact", "≤ 1 MiB", "≤ 5 %", "median error", "inside"))
ROW_COLUMNS = ("quantity", "engine", "model", "told", "unit", "measured", "predicted", "low", "high", "error")


def score_table(scores: Sequence[Score]) -> Table:
    """Return a row per quantity of an engine."""
    return Table(title="", columns=COLUMNS, rows=tuple(map(_cells, scores)), right=RIGHT)


def _cells(score: Score) -> tuple[str, ...]:
    truth = score.truth
    return (
        truth.quantity,
        truth.engine,
        truth.version,
        truth.kind,
        f"{len(score.rows):,}",
        f"{score.exact:,}",
        "" if score.within_mib is None else f"{score.within_mib:,}",
        f"{score.near:,}",
        f"{score.median_error:.1%}".replace("%", " %"),
        f"{score.inside:,}",
        "held" if score.holds else "MISSED",
        truth.checked,
    )


def worst_table(scores: Sequence[Score]) -> Table | None:
    """Return the rows with the largest errors; None where every prediction is exact."""
    rows = [(score, row) for score in scores for row in score.worst(WORST)]
    if not rows:
        return None
    cells = tuple((score.truth.name, *_row_cells(score, row, _context(row))) for score, row in rows)
    return _compared("largest errors", "context", cells)


def _compared(first: str, told_as: str, cells: tuple[tuple[str, ...], ...]) -> Table:
    columns = (first, "model", told_as, "measured", "predicted", "interval", "error")
    return Table(title="", columns=columns, rows=cells, right=frozenset(("measured", "predicted", "error")))


def _row_cells(score: Score, row: Scored, said: str) -> tuple[str, ...]:
    amount = binary_bytes if score.truth.is_memory else _counted
    found = ("refused", "", "")
    if row.predicted is not None:
        between = f"{amount(int(row.low))} to {amount(int(row.high))}" if row.low != row.high else ""
        found = (amount(int(row.predicted)), between, f"{row.error:+.1%}".replace("%", " %"))
    return (row.measurement.model, said, amount(int(row.measurement.measured)), *found)


def _context(row: Scored) -> str:
    return f"{int(row.measurement.told.get('context', 0)):,}"


def told(row: Scored) -> str:
    """Return what the engine was told, as a line."""
    return " ".join(f"{name}={cell}" for name, cell in row.measurement.told.items())


def _counted(amount: int) -> str:
    return f"{amount:,}"


def followed_version(truth: MeasurementSet) -> str:
    """Return the version of the engine that predictions follow."""
    return truth.followed or RUNTIMES[truth.engine].version


def score_notes(scores: Sequence[Score]) -> tuple[str, ...]:
    """Return what has to be said of the truths."""
    notes = ["exact: nothing but the rounding of the truth differs; inside: it lies in the stated interval"]
    for score in scores:
        truth, followed = score.truth, followed_version(score.truth)
        if truth.kind == "logged":
            notes.append(f"{truth.name}: logs of {truth.version}, predicted as {followed} starts")
        if truth.note:
            notes.append(f"{truth.name}: {truth.note}")
        if score.refused:
            notes.append(f"{truth.name}: {score.refused} rows were refused")
    return tuple(notes)


def score_document(score: Score, *, rows: bool) -> Document:
    """Return a score as plain data; amounts of memory are bytes."""
    truth = score.truth
    document: Document = {
        "quantity": truth.quantity,
        "engine": truth.engine,
        "version": truth.version,
        "followed_version": followed_version(truth),
        "kind": truth.kind,
        "source": truth.source,
        "license": truth.license,
        "checked": truth.checked,
        "note": truth.note,
        "rows": len(score.rows),
        "refused": score.refused,
        "exact": score.exact,
        "within_1_mib": score.within_mib,
        "within_5_percent": score.near,
        "median_absolute_error": score.median_error,
        "inside_interval": score.inside,
        "bound": {"exact": truth.bound.exact, "inside": truth.bound.inside, "median": truth.bound.median},
        "holds": score.holds,
        "worst": [_row_document(row) for row in score.worst(WORST)],
    }
    if rows:
        document["measurements"] = [_row_document(row) for row in score.rows]
    return document


def _row_document(row: Scored) -> Document:
    document: Document = {
        "model": row.measurement.model,
        "told": dict(row.measurement.told),
        "measured": round(row.measurement.measured),
        "rounding": row.rounding,
        "predicted": row.predicted,
    }
    if row.predicted is None:
        return document | {"refusal": row.refusal}
    return document | {"interval": [row.low, row.high], "error": row.error, "exact": row.exact}


def row_cells(scores: Sequence[Score]) -> list[tuple[object, ...]]:
    """Return a row per measurement in the order of ``ROW_COLUMNS``; the unit of memory is the byte."""
    return [
        (
            score.truth.quantity,
            score.truth.engine,
            row.measurement.model,
            told(row),
            "bytes" if score.truth.is_memory else score.truth.unit,
            round(row.measurement.measured),
            row.predicted,
            row.low,
            row.high,
            row.error,
        )
        for score in scores
        for row in score.rows
    ]


def row_table(scores: Sequence[Score]) -> Table:
    """Return every measurement as text."""
    cells = tuple(
        (score.truth.name, *_row_cells(score, row, told(row))) for score in scores for row in score.rows
    )
    return _compared("quantity", "told", cells)
