"""From the columns of a measurement to the options of a memory question."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_args

from sizewise.planning.defaults import Asked
from sizewise.scenario import EngineOptions, Layout

TRUE = "1"


def asked_for(told: Mapping[str, str], engine: str) -> Asked:
    """Return the question: every column is an option of the run, of the engine or of the layout.

    >>> asked_for({"context": "4096", "ubatch": "256", "kv_cache_dtype": "q8_0"}, "llama.cpp").engine.ubatch
    256
    """
    known = {row.name for place in (Asked, EngineOptions, Layout) for row in fields(place)}
    assert set(told) <= known, f"no option is called {sorted(set(told) - known)}"
    return Asked(
        runtime=engine,
        engine=EngineOptions(**_own(told, EngineOptions)),
        layout=Layout(**_own(told, Layout)),
        **_own(told, Asked),
    )


def _own(told: Mapping[str, str], place: type[Any]) -> dict[str, Any]:
    """Return the columns that a class of options has, in the types of its fields."""
    return {row.name: _typed(told[row.name], row.type) for row in fields(place) if row.name in told}


def _typed(cell: str, kind: Any) -> Any:
    kinds = get_args(kind) or (kind,)
    if bool in kinds:
        return cell == TRUE
    number = next((one for one in kinds if one in (int, float)), None)
    return cell if number is None else number(cell)
