"""The memory answer as tables for people; the numbers are those of the lines."""

from collections.abc import Sequence
from itertools import groupby

from sizewise.ledger import Line, Number
from sizewise.planning.answer import Change, Fit, MemoryAnswer
from sizewise.report.quality import loss_text
from sizewise.report.table import Table
from sizewise.report.terminal import stacked_bar
from sizewise.scenario import Scenario
from sizewise.units import GB, GIB, binary_bytes

ROWS_SHOWN = 8
_RIGHT = frozenset(("GiB", "GB", "usable", "needed", "spare", "saves", "then needs"))


def memory_tables(answer: MemoryAnswer) -> list[Table]:
    """Return the parts, the devices and the changes."""
    tables = [parts_table(answer.model.name, answer.line)]
    if len(answer.shares) > 1:
        tables.append(_share_table(answer))
    shown = answer.fits if answer.scenario.placements else smallest_that_fit(answer.fits)
    if shown:
        title = "" if answer.scenario.placements else "Smallest devices that hold it"
        tables.append(fit_table(shown, title))
    return [*tables, *change_tables(answer.changes)]


def parts_table(name: str, line: Line) -> Table:
    """Return the parts and their sum with interval and status."""
    rows = tuple(_part_row(part) for part in (*line.parts, line))
    return Table(title=name, columns=("part", "GiB", "GB", "interval", "status"), rows=rows, right=_RIGHT)


def fit_table(fits: Sequence[Fit], title: str = "") -> Table:
    """Return the devices with what is left on each."""
    rows = tuple(_fit_row(fit) for fit in fits)
    columns = ("device", "usable", "needed", "spare", "fits")
    return Table(title=title, columns=columns, rows=rows, right=_RIGHT)


def change_tables(changes: Sequence[Change]) -> list[Table]:
    """Return what to change as a table; none where there is nothing."""
    if not changes:
        return []
    columns = ("what to change", "saves", "then needs", "fits", "perplexity", "cost")
    with_losses = any(change.loss is not None for change in changes)
    shown = [place for place, name in enumerate(columns) if with_losses or name != "perplexity"]
    rows = (_change_row(change) for change in changes)
    return [
        Table(
            title="",
            columns=tuple(columns[place] for place in shown),
            rows=tuple(tuple(row[place] for place in shown) for row in rows),
            right=_RIGHT,
        )
    ]


def _change_row(change: Change) -> tuple[str, ...]:
    return (
        change.what,
        binary_bytes(change.saves),
        binary_bytes(change.needed),
        yes(change.fits),
        "" if change.loss is None else loss_text(change.loss),
        change.cost,
    )


def _share_table(answer: MemoryAnswer) -> Table:
    """Return what the devices hold: neighbours that hold the same are one row."""
    rows = []
    for _, alike in groupby(answer.shares, key=lambda share: (share.device.split(" #")[0], share.line)):
        run = list(alike)
        name = run[0].device if len(run) == 1 else f"{len(run)} × {run[0].device.split(' #')[0]}"
        line = run[0].line
        rows.append((name, *(f"{part.value / GIB:,.2f}" for part in (*line.parts, line))))
    names = tuple(part.name for part in (*answer.line.parts, answer.line))
    title = f"On each of {len(answer.shares)} devices, GiB"
    return Table(title=title, columns=("device", *names), rows=tuple(rows), right=frozenset(names))


def compared_memory(answers: Sequence[MemoryAnswer]) -> list[Table]:
    """Return several models side by side: one column each, in GiB."""
    names = tuple(answer.model.name for answer in answers)
    lines = [{part.name: part for part in (*answer.line.parts, answer.line)} for answer in answers]
    rows = [(name, *(f"{line[name].value / GIB:,.2f}" for line in lines)) for name in lines[0]]
    rows.append(("format", *(answer.scenario.weights.name for answer in answers)))
    rows.append(("context", *(f"{answer.scenario.context:,}" for answer in answers)))
    if answers[0].scenario.placements:
        rows.append(("fits", *(yes(answer.all_fit) for answer in answers)))
        rows.append(("largest context", *(_count(answer.largest_context) for answer in answers)))
    return [Table(title="GiB", columns=("part", *names), rows=tuple(rows), right=frozenset(names))]


def smallest_that_fit(fits: Sequence[Fit]) -> list[Fit]:
    """Return the smallest devices that hold it, one per amount of memory."""
    by_memory = {
        fit.usable: fit for fit in sorted(fits, key=lambda fit: fit.device, reverse=True) if fit.fits
    }
    return [by_memory[usable] for usable in sorted(by_memory)][:ROWS_SHOWN]


def explained(answer: MemoryAnswer) -> str:
    """Return the bytes with their formulas, and the rule by which sound becomes tokens."""
    audio = answer.scenario.audio
    return answer.line.explain() + ("" if audio is None else f"\n{audio.explain()}")


def memory_notes(answer: MemoryAnswer) -> list[str]:
    """Return what was assumed, and how far the devices reach."""
    scenario = answer.scenario
    plural = "" if scenario.sequences == 1 else "s"
    notes = [
        f"weights {scenario.weights.name}, cache {cache_name(scenario)}, context {scenario.context:,} "
        f"tokens, {scenario.sequences} sequence{plural}, runtime {answer.runtime}"
    ]
    if scenario.image_tokens:
        notes.append(f"pictures take {scenario.image_tokens:,} tokens of the context")
    if scenario.audio is not None:
        notes.append(f"sound takes {scenario.audio_tokens:,} tokens of the context")
    if answer.host:
        notes.append(f"on the host: {binary_bytes(answer.host)}")
    notes += [_start(line) for line in answer.reports if line.unit != "bytes"]
    if scenario.placements:
        notes.append(_reach(answer))
    if answer.best_format not in (None, scenario.weights.name):
        notes.append(f"best format that fits: {answer.best_format}")
    if answer.largest_model is not None:
        notes.append(f"largest known model that fits so: {answer.largest_model}")
    if not answer.all_fit and scenario.placements and not any(change.fits for change in answer.changes):
        notes.append("nothing that can be changed here makes it fit; it needs more memory")
    if any(fit.tight for fit in answer.fits) and scenario.placements:
        notes.append("tight: it fits at the value, not at the upper end of the interval")
    if answer.model.assumed:
        notes.append(f"assumed: {answer.model.assumed}")
    return notes + how_to_run(answer)


def how_to_run(answer: MemoryAnswer) -> list[str]:
    """Return the command that starts the engine, after what has to be done or known beside it."""
    if answer.start is None:
        return []
    return [*(f"before you run it: {note}" for note in answer.start.notes), f"run it: {answer.start.command}"]


def _start(line: Line) -> str:
    """Return what the engine says at its start, as far as it is known: ``blocks at start: 20,000``."""
    low, high = line.interval
    between = f" ({_short(low)} to {_short(high)})" if low != high else ""
    return f"{line.name} at start: {_short(line.value)}{between}"


def _short(amount: Number) -> str:
    return f"{amount:,}" if isinstance(amount, int) else f"{amount:,.1f}"


def cache_name(scenario: Scenario) -> str:
    """Return the cache's format, or those of keys and values."""
    keys, values = scenario.cache.name, scenario.values.name
    return keys if keys == values else f"{keys} and {values}"


def _reach(answer: MemoryAnswer) -> str:
    """Return how far the devices go, beside what the model was trained for."""
    context, sequences = answer.largest_context, answer.largest_sequences
    if context == 0:
        return "not even one token of context fits"
    limit = answer.model.context
    trained = f" (trained for {limit:,})" if limit and context and context > limit else ""
    return (
        f"largest context that fits: {_count(context)} tokens{trained}; "
        f"sequences at {answer.scenario.context:,} tokens: {_count(sequences)}"
    )


def _count(amount: int | None) -> str:
    """Return a number, or that the devices do not limit it."""
    return "not limited by the device" if amount is None else f"{amount:,}"


def memory_bar(answer: MemoryAnswer) -> str:
    """Return the parts as a bar against the asked device, or the smallest one that holds them."""
    return bar_on(answer.fits, answer.shares[0].line if answer.shares else answer.line)


def bar_on(fits: Sequence[Fit], line: Line) -> str:
    """Return the parts of a line as a bar against the device to draw; nothing where there is none."""
    fit = bar_device(fits)
    parts = [(part.name, float(part.value)) for part in line.parts if part.value]
    return stacked_bar(parts, float(fit.usable), f"{fit.device}: {binary_bytes(fit.usable)}") if fit else ""


def bar_device(fits: Sequence[Fit]) -> Fit | None:
    """Return the device to draw: the smallest that fits, else the largest."""
    holding = [fit for fit in fits if fit.fits]
    if holding:
        return min(holding, key=lambda fit: fit.usable)
    return max(fits, key=lambda fit: fit.usable, default=None)


def _part_row(line: Line) -> tuple[str, ...]:
    low, high = line.interval
    between = f"{low / GIB:,.2f} to {high / GIB:,.2f} GiB" if line.uncertain else ""
    return line.name, f"{line.value / GIB:,.2f}", f"{line.value / GB:,.2f}", between, line.status


def _fit_row(fit: Fit) -> tuple[str, ...]:
    name = fit.device if fit.count == 1 else f"{fit.device}:{fit.count}"
    spare = fit.usable - fit.needed
    sign = "-" if spare < 0 else ""
    usable = binary_bytes(fit.usable) + ("" if fit.usable_status != "assumed" else " (assumed)")
    return name, usable, binary_bytes(fit.needed), sign + binary_bytes(abs(spare)), _verdict(fit)


def _verdict(fit: Fit) -> str:
    return "tight" if fit.tight else yes(fit.fits)


def yes(answer: bool) -> str:
    """Print a truth value."""
    return "yes" if answer else "no"
