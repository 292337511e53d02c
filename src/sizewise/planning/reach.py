"""How far named devices reach: the largest context, sequences, format and model, and what to change."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Literal

from sizewise.architecture import Model
from sizewise.planning.answer import MemoryAnswer
from sizewise.planning.best import best_format, largest_preset
from sizewise.planning.changes import Need, suggest
from sizewise.planning.context_limit import check_context, last_position
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.held import Placed
from sizewise.planning.inverse import largest_held
from sizewise.planning.running import needed_on, run_memory, stored_weights, usable_bytes
from sizewise.scenario import DEFAULT_CONTEXT, Scenario
from sizewise.units import CONTEXT_LIMIT, SEQUENCES_LIMIT

Field = Literal["context", "sequences"]
REACHES: Mapping[Field, tuple[int, int]] = {
    "context": (DEFAULT_CONTEXT, CONTEXT_LIMIT),
    "sequences": (2, SEQUENCES_LIMIT),
}
"""What is tried first after 1, and the most that is asked for."""


def missing_bytes(run: Placed, scenario: Scenario) -> int:
    """Return by how much the fullest device is too small; negative is what it has to spare.

    The devices are those that the scenario names.
    """
    return need_of(run, scenario).missing


def need_of(run: Placed, scenario: Scenario) -> Need:
    """Return what the device needs that lacks most; the devices are those that the scenario names."""
    found = []
    host = int(run.host.value)
    for held in run.held:
        if held.device is not None:
            needed = needed_on(held.device, int(held.line.value), host)
            found.append(Need(needed=needed, missing=needed - usable_bytes(held.device, scenario)))
    return max(found, key=lambda need: need.missing)


def with_reach(answer: MemoryAnswer) -> MemoryAnswer:
    """Add how far the devices reach, and what to change when they do not hold the scenario."""
    model, scenario = answer.model, answer.scenario

    def needs(_: Model, changed: Scenario) -> Need:
        return need_of(run_memory(model, changed), changed)

    def fits(_: Model, changed: Scenario) -> bool:
        return changed is not scenario and needs(model, changed).missing <= 0

    context, sequences = reach(model, scenario, "context"), reach(model, scenario, "sequences")
    best = scenario.weights if answer.all_fit else best_format(model, scenario, fits)
    bounded = not scenario.engine.cache_on_host and scenario.engine.device_layers != 0
    return replace(
        answer,
        largest_context=context if bounded and context < CONTEXT_LIMIT else None,
        largest_sequences=sequences if bounded and sequences < SEQUENCES_LIMIT else None,
        best_format=None if best is None else best.name,
        changes=() if answer.all_fit else suggest(model, scenario, needs, context),
    )


def reach(model: Model, scenario: Scenario, field: Field) -> int:
    """Return the largest context, or number of sequences, that the devices of a scenario hold.

    No context is longer than the model's table of positions. What the scenario itself has of it does not
    matter, so that answers are remembered without.
    """
    one: Scenario = replace(scenario, **{field: 1})  # type: ignore[arg-type]
    if scenario.shipped is None and scenario.audio is None:
        return _remembered(model, one, field)
    return _reach(model, one, field)


def _reach(model: Model, scenario: Scenario, field: Field) -> int:
    known, limit = REACHES[field]
    last = last_position(model) if field == "context" else None
    weights = stored_weights(model, scenario)

    def lacking(count: int) -> int:
        changed: Scenario = replace(scenario, **{field: count})  # type: ignore[arg-type]
        return missing_bytes(run_memory(model, changed, weights), changed)

    return largest_held(lacking, limit if last is None else min(limit, last), known)


_remembered = lru_cache(maxsize=256)(_reach)


def with_largest_model(answer: MemoryAnswer, asked: Asked) -> MemoryAnswer:
    """Add the largest model of the catalogue that the devices hold in the same format and engine."""
    same = replace(asked, quant=answer.scenario.weights.name, runtime=answer.scenario.runtime)

    def fits(model: Model, scenario: Scenario) -> bool:
        return missing_bytes(run_memory(model, scenario), scenario) <= 0

    def own(model: Model) -> Scenario:
        scenario, _ = scenario_for(model, same)
        check_context(model, scenario)
        return scenario

    found = largest_preset(own, fits)
    return replace(answer, largest_model=None if found is None else found.id)
