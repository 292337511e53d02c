"""How transformers classes write their mechanisms down, as rows; a type without a row is like Llama."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sizewise.catalog.rows import tables
from sizewise.tape.routing import Routing
from sizewise.tape.style import Mode, Style

OTHERS = ("checked", "source", "reads", "modes", "keeps", "alone")
"""Entries of a row that are no plain field of a style."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStyle:
    """The style of a model type; ``checked`` says against what, empty where nobody has."""

    style: Style
    checked: str = ""
    alone: bool = False
    """Inside a wrapper the class keeps something else, which has no record."""
    keeps: tuple[str, ...] = ()
    """What a wrapper with a head of its own does as its text model does: "logit_cap", "balance"."""


@cache
def class_style(model_type: str) -> ClassStyle:
    """Return how the class of a model type writes its mechanisms."""
    row = _rows().get(model_type)
    if row is None:
        return ClassStyle(style=Style())
    said = {name: _frozen(value) for name, value in row.items() if name not in OTHERS}
    said["reads"] = tuple(row.get("reads", {}).items())
    said["modes"] = tuple(_mode(dict(entry)) for entry in row.get("modes", ()))
    return ClassStyle(
        style=Style(**said),
        checked=f"{row['source']} ({row['checked']})" if "source" in row else "",
        alone=row.get("alone", False),
        keeps=tuple(row.get("keeps", ())),
    )


@cache
def _rows() -> dict[str, dict[str, Any]]:
    return {name: row for document in tables("training").values() for name, row in document.items()}


def _frozen(value: Any) -> Any:
    if isinstance(value, dict):
        return Routing(**{name: _frozen(entry) for name, entry in value.items()})
    return tuple(value) if isinstance(value, list) else value


def _mode(row: dict[str, Any]) -> Mode:
    """Return a mode from a table with ``field``, ``is`` or ``is_not`` ("null": nothing), and its changes."""
    other = "is_not" in row
    field, value = row.pop("field"), row.pop("is_not" if other else "is")
    value = None if value == "null" else value
    changes = tuple((name, _frozen(changed)) for name, changed in row.items())
    return Mode(field=field, value=value, other=other, changes=changes)
