"""Reading runs from a file or from a folder with a file for each run."""

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.notices import Notice
from sizewise.scaling.run_files.assemble import Draft, assembled, without
from sizewise.scaling.run_files.cells import converter
from sizewise.scaling.run_files.collect import Numbered, gather
from sizewise.scaling.run_files.curves import is_missing, recognised
from sizewise.scaling.run_files.options import Options
from sizewise.scaling.run_files.records import is_json, json_sheet, unfolded
from sizewise.scaling.run_files.runs import NOTHING, Columns, Curves, Runs, Units
from sizewise.scaling.run_files.sheet import Sheet, csv_sheet
from sizewise.scaling.run_files.source import Text, read_text, stem_of
from sizewise.scaling.run_files.spellings import find_columns

DETECTED = Columns()
PLAIN = Units()
UNSAID = Curves()
FILE_LIMIT = 10_000
_ENDINGS = (".csv", ".tsv", ".json", ".jsonl")
_TRAINER_LOG = "trainer_state.json"
_UNFINISHED = ("running", "crashed", "failed", "killed", "preempted")


def read_runs(
    path: Path | str | Text,
    columns: Columns = DETECTED,
    *,
    units: Units = PLAIN,
    curves: Curves = UNSAID,
    where: Mapping[str, str] = NOTHING,
    skip_incomplete: bool = False,
) -> Runs:
    """Return the runs of a CSV, JSON or JSONL file, plain or gzip, of its text, or of a folder of them.

    Exports of W&B (runs and charts) and TensorBoard and the logs of trainers are known by their shape.
    ``where`` keeps the rows whose column has a value, ``skip_incomplete`` leaves incomplete rows out and says
    so. Raises InputError (bad_data with row and column; what `read_text` raises), UsageError (bad_option).
    """
    options = Options(
        columns=columns, units=units, curves=curves, where=where, skip_incomplete=skip_incomplete
    )
    if isinstance(path, Text):
        return _of_text(path, options)
    path = Path(path)
    if not os.path.isdir(path):  # of an unreadable path this says no, and never raises
        return _of_text(read_text(path), options)
    return _joined([_of_text(replace(read_text(file), stem=run), options) for run, file in _files(path)])


def _files(folder: Path) -> list[tuple[str, Path]]:
    """The files of a folder and of the folders in it, with the run that each may stand for.

    Beside the log of a trainer lie the settings of its model, which are no runs.
    """
    found: list[Path] = []
    for pattern in ("*", "*/*"):
        found += (path for path in folder.glob(pattern) if path.name.removesuffix(".gz").endswith(_ENDINGS))
        if len(found) > FILE_LIMIT:
            raise InputError("too_many_entries", f"{shorten(folder.name)} holds over {FILE_LIMIT:,} files")
    logged = {path.parent for path in found if path.name == _TRAINER_LOG}
    files = sorted(
        path
        for path in found
        if not path.name.startswith(".") and (path.name == _TRAINER_LOG or path.parent not in logged)
    )
    if not files:
        raise InputError("bad_data", f"{shorten(folder.name)} holds no CSV, JSON or JSONL file of runs")
    return [(stem_of(path.name) if path.parent == folder else path.parent.name, path) for path in files]


def _of_text(source: Text, options: Options) -> Runs:
    sheet = json_sheet(source) if is_json(source) else recognised(unfolded(csv_sheet(source)))
    asked = options.columns
    asked = replace(
        asked, run=asked.run or sheet.known.get("run"), loss=asked.loss or sheet.known.get("loss")
    )
    found = find_columns(sheet.names, asked, sheet.where)
    if "loss" not in found.columns:
        raise without("loss", sheet, "name it with loss=COLUMN (--loss COLUMN)")
    if _is_log(sheet, found.columns) and options.columns.flops is None:
        found = found.without("flops")  # a trainer logs them once, at the end
    notices = [
        Notice(code="units_assumed", message=f"{shorten(found.columns[role])}: read as {unit} by its name")
        for role, unit in found.units.items()
        if getattr(options.units, role) is None
    ]
    units = {
        role: getattr(options.units, role) or found.units.get(role)
        for role in found.columns
        if role in _ROLES
    }
    converters = {role: how for role, unit in units.items() if (how := converter(role, unit)) is not None}
    rows = _chosen(sheet, found.columns, options, notices)
    gathered = gather(sheet, rows, found.columns, converters, skip_incomplete=options.skip_incomplete)
    if gathered.skipped:
        notices.append(_left_out(gathered.skipped, sheet.where))
    if not gathered.numbers["loss"]:
        raise InputError("bad_data", f"{sheet.where} has no complete row that the options keep")
    draft = Draft(
        sheet=sheet, columns=found.columns, gathered=gathered, curves=options.curves, notices=notices
    )
    return assembled(draft, source.digest)


_ROLES = ("n", "d", "flops", "loss")


def _left_out(rows: Sequence[int], where: str) -> Notice:
    first = ", ".join(f"{row:,}" for row in rows[:5])
    return Notice(
        code="rows_skipped", message=f"{where}: {len(rows):,} incomplete rows left out (first: {first})"
    )


def _chosen(
    sheet: Sheet, columns: Mapping[str, str], options: Options, notices: list[Notice]
) -> Iterator[Numbered]:
    """The rows that the options keep, numbered from 1, without runs that W&B lists as unfinished.

    A log has rows of other quantities too: those without a loss are no points of it, nor is step 0.
    """
    for name in options.where:
        if name not in sheet.names:
            raise without(repr(shorten(name, 40)), sheet, "rows are kept by a column of the file")
    log = _is_log(sheet, columns)
    if not (options.where or log or "state" in columns):
        return enumerate(sheet.rows, 1)
    return _filtered(sheet, columns, options, notices, log=log)


def _filtered(
    sheet: Sheet, columns: Mapping[str, str], options: Options, notices: list[Notice], *, log: bool
) -> Iterator[Numbered]:
    conditions = {name: sheet.names.index(name) for name in options.where}
    loss = sheet.names.index(columns["loss"])
    step = sheet.names.index(columns["step"]) if "step" in columns else None
    state = sheet.names.index(columns["state"]) if "state" in columns else None
    unfinished = 0
    for number, row in enumerate(sheet.rows, 1):
        if not options.keeps({name: row[index] for name, index in conditions.items()}):
            continue
        if log and (is_missing(row[loss]) or (step is not None and _equal_zero(row[step]))):
            continue
        if state is not None and str(row[state]).strip().lower() in _UNFINISHED:
            unfinished += 1
            continue
        yield number, row
    if unfinished:
        message = f"{sheet.where}: {unfinished:,} runs that have not finished left out"
        notices.append(Notice(code="unfinished_runs", message=message))


def _is_log(sheet: Sheet, columns: Mapping[str, str]) -> bool:
    return sheet.log or ("n" not in columns and "step" in columns)


def _equal_zero(cell: object) -> bool:
    return str(cell).strip() in ("0", "0.0")


def _joined(runs: Sequence[Runs]) -> Runs:
    """The runs of several files as one; columns that not every file has are left out."""
    digest = hashlib.sha256("".join(each.digest for each in runs).encode()).hexdigest()
    roles = [role for role in runs[0].others if all(role in each.others for each in runs)]
    flops = [each.flops for each in runs if each.flops is not None]
    names = [each.names for each in runs if each.names is not None]
    return Runs(
        params=tuple(value for each in runs for value in each.params),
        tokens=tuple(value for each in runs for value in each.tokens),
        losses=tuple(value for each in runs for value in each.losses),
        flops=None if len(flops) < len(runs) else tuple(value for each in flops for value in each),
        names=None if len(names) < len(runs) else tuple(name for each in names for name in each),
        others={role: tuple(cell for each in runs for cell in each.others[role]) for role in roles},
        columns=dict(runs[0].columns),
        digest=digest,
        notices=tuple(dict.fromkeys(notice for each in runs for notice in each.notices)),
    )
