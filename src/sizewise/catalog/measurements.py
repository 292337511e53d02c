"""Measurements as rows: what engines and tools reported of runs that can be described here.

A set is one column of a file of ``facts/measurements/``: what is compared, where the truth is from, and how
good the predictions have to be. The other columns of a row say what the engine was told.
"""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from sizewise.catalog.rows import FACTS, tables
from sizewise.units import GIB, MIB

FOLDER = os.path.join(FACTS, "measurements")
UNITS = {"bytes": 1, "MiB": MIB, "GiB": GIB}
"""Units of memory in which truths are written, in bytes; others (tokens, blocks) are counts."""

BESIDE = frozenset(("model", "version", "date", "url"))
"""Columns that tell an engine nothing."""

Kind = Literal["measured", "logged", "published", "engine's code"]
"""How a truth came about: our own measurement, a public log, a benchmark that its
authors published, or the engine's own code run by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """Least share of rows that are exact and inside the interval, and the largest median error."""

    exact: float = 0.0
    inside: float = 0.0
    median: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementSet:
    """One quantity of one engine with its truths.

    ``line`` names what is compared: a part of the memory of one device, a part of what stays on the host,
    or what the engine reports. ``half_digit`` is half of the last digit that the truth is written with.
    ``followed`` is the version that predictions follow, where the engine is none of the memory command's.
    ``across`` names the option whose values are the columns of the file.
    """

    quantity: str
    engine: str
    version: str
    file: str
    line: str
    unit: str
    kind: Kind
    source: str
    license: str
    checked: str
    note: str = ""
    followed: str = ""
    column: str = ""
    across: str = ""
    half_digit: float = 0.0
    told: Mapping[str, str] = field(default_factory=dict)
    bound: Bound = Bound()

    @property
    def name(self) -> str:
        """Engine and quantity."""
        return f"{self.engine} {self.quantity}"

    @property
    def is_memory(self) -> bool:
        """Tell whether the truth is an amount of memory."""
        return self.unit in UNITS

    @property
    def rounding(self) -> float:
        """Bytes (or counts) by which rounding alone can move the truth."""
        return self.half_digit * UNITS.get(self.unit, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """One truth: bytes or a count that an engine reported of ``model`` when it was ``told`` these options."""

    model: str
    told: Mapping[str, str]
    measured: float


@cache
def measurement_sets() -> tuple[MeasurementSet, ...]:
    """Return the sets in the order of the file."""
    return tuple(
        MeasurementSet(**{**row, "bound": Bound(**row["bound"])})
        for row in tables("measurements")["sets"]["set"]
    )


@cache
def measured_configs() -> Mapping[str, Mapping[str, Any]]:
    """Return the configurations of measured models that the catalogue does not hold, by name."""
    with open(os.path.join(FOLDER, "models.jsonl"), encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return {row["model"]: row["config"] for row in rows}


def measurements(chosen: MeasurementSet) -> Iterator[Measurement]:
    """Yield the truths of a set; empty cells are none."""
    unit = UNITS.get(chosen.unit, 1)
    columns = {one.column for one in measurement_sets() if one.file == chosen.file}
    for row in _rows(chosen.file):
        if chosen.across:
            for option, cell in row.items():
                if option not in BESIDE and cell:
                    told = {**chosen.told, chosen.across: option}
                    yield Measurement(model=row["model"], told=told, measured=float(cell) * unit)
        elif row[chosen.column]:
            told = {name: cell for name, cell in row.items() if cell and name not in columns | BESIDE}
            yield Measurement(
                model=row["model"], told={**chosen.told, **told}, measured=float(row[chosen.column]) * unit
            )


@cache
def _rows(file: str) -> tuple[Mapping[str, str], ...]:
    with open(os.path.join(FOLDER, file), encoding="utf-8", newline="") as lines:
        return tuple(csv.DictReader(lines))
