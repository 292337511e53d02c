"""What models were trained on: nominal parameters N and tokens D of dense open base models.

A row without a source or a day, or that stands twice, is a mistake of ours: it raises ValueError, not an
error about what the user typed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from math import isfinite
from typing import Any

from sizewise.catalog.rows import tables

FOLDER = "trained"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """A model with its nominal parameters and the tokens that it saw in training."""

    name: str
    params: float
    tokens: float
    source: str
    checked: str


@cache
def trained_models() -> tuple[TrainedModel, ...]:
    """Return every model whose tokens are known, in the order of the facts."""
    return read_trained(tables(FOLDER).values())


def read_trained(documents: Iterable[Mapping[str, Any]]) -> tuple[TrainedModel, ...]:
    """Return the models of tables. Raises ValueError where one is incomplete or repeated."""
    found: dict[str, TrainedModel] = {}
    for document in documents:
        source, checked = str(document.get("source", "")), str(document.get("checked", ""))
        if not source:
            raise ValueError("a table of trained models has no source")
        date.fromisoformat(checked)
        for name, params, tokens in document["models"]:
            if name in found:
                raise ValueError(f"{name} stands twice")
            if not (isfinite(params) and isfinite(tokens) and min(params, tokens) > 0):
                raise ValueError(f"{name}: {params} parameters, {tokens} tokens")
            found[name] = TrainedModel(
                name=name, params=float(params), tokens=float(tokens), source=source, checked=checked
            )
    return tuple(found.values())
