"""Engines side by side: a row each, in GiB, and a line each that says why it differs from the ideal."""

from typing import TYPE_CHECKING

from sizewise.planning.answer import MemoryAnswer
from sizewise.report.memory import how_to_run, smallest_that_fit
from sizewise.report.table import Table
from sizewise.units import GIB

if TYPE_CHECKING:
    from sizewise.planning.compare import Comparison

PARTS = ("weights", "cache", "buffers", "overhead", "total")


def engine_table(comparison: "Comparison") -> Table:
    """Return the parts of every engine, what it is counted in, and whether or where it fits."""
    named = any(answer.scenario.placements for answer in comparison.answers)
    rows = [_row(answer) for answer in comparison.answers]
    rows += [(refusal.runtime, *("-" for _ in PARTS), "", "cannot run it") for refusal in comparison.refusals]
    columns = ("runtime", *PARTS, "format", "fits" if named else "smallest device")
    title = f"{comparison.model.name}, GiB"
    return Table(title=title, columns=columns, rows=tuple(rows), right=frozenset(PARTS))


def _row(answer: MemoryAnswer) -> tuple[str, ...]:
    amounts = (f"{line.value / GIB:,.2f}" for line in (*answer.line.parts, answer.line))
    return answer.runtime, *amounts, answer.scenario.weights.name, _fits(answer)


def _fits(answer: MemoryAnswer) -> str:
    """Return whether the asked devices hold it, else the smallest device that does."""
    if answer.scenario.placements:
        tight = any(fit.tight for fit in answer.fits)
        return "no" if not answer.all_fit else "tight" if tight else "yes"
    return next((fit.device for fit in smallest_that_fit(answer.fits)), "none")


def engine_notes(comparison: "Comparison") -> list[str]:
    """Return why each engine differs from the ideal, and how it is started."""
    notes = [
        f"{answer.runtime}: {'. '.join(answer.differs)}" for answer in comparison.answers if answer.differs
    ]
    notes += [f"{refusal.runtime}: {refusal.message}" for refusal in comparison.refusals]
    return [*notes, *(line for answer in comparison.answers for line in how_to_run(answer))]
