"""The memory question: parts, shares per device, what fits, how far it goes, what to change."""

from dataclasses import replace

from sizewise.architecture import HEADER, Model
from sizewise.catalog.devices import CUSTOM, Device
from sizewise.catalog.ggml import file_type
from sizewise.counting import check_limit
from sizewise.errors import InputError
from sizewise.footprint.file_types import file_type_bytes
from sizewise.footprint.weights import stored_bytes
from sizewise.ledger import Line, weakened
from sizewise.planning.alone import runs_alone
from sizewise.planning.answer import Fit, MemoryAnswer, Share
from sizewise.planning.best import best_format, largest_preset
from sizewise.planning.changes import Need, suggest
from sizewise.planning.commands import start_command
from sizewise.planning.companions import with_companions
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.inverse import largest
from sizewise.planning.placing import Placed, placed
from sizewise.runtimes.registry import RUNTIMES
from sizewise.scenario import Placement, Scenario
from sizewise.units import CONTEXT_LIMIT, SEQUENCES_LIMIT


def memory_line(model: Model, scenario: Scenario, weights: Line | None = None) -> Line:
    """Return the bytes of a run: weights, cache, buffers, overhead and their sum."""
    return run_memory(model, scenario, weights).line


def run_memory(model: Model, scenario: Scenario, weights: Line | None = None) -> Placed:
    """Return what every device and the host hold; ``weights`` are those of the whole, where known."""
    stored = weights or stored_weights(model, scenario)
    run = with_companions(model, scenario, placed(model, scenario, stored))
    if not model.assumed:
        return run
    held = tuple(replace(one, line=weakened(one.line, "assumed")) for one in run.held)
    return replace(run, weights=weakened(run.weights, "assumed"), held=held)


def stored_weights(model: Model, scenario: Scenario) -> Line:
    """Return the bytes of the weights: those of the header where the checkpoint runs as it ships."""
    if scenario.shipped is not None:
        return scenario.shipped
    if scenario.weights.is_file_type:
        return file_type_bytes(model, file_type(scenario.weights.name))
    return stored_bytes(model.architecture, scenario.scheme)


def missing_bytes(run: Placed, scenario: Scenario) -> int:
    """Return by how much the fullest device is too small; negative is what it has to spare.

    The devices are those that the scenario names.
    """
    return need_of(run, scenario).missing


def need_of(run: Placed, scenario: Scenario) -> Need:
    """Return what the device needs that lacks most; the devices are those that the scenario names."""
    found = []
    for held in run.held:
        if held.device is not None:
            needed = needed_on(held.device, held.line, run)
            found.append(Need(needed=needed, missing=needed - usable_bytes(held.device, scenario)))
    return max(found, key=lambda need: need.missing)


def needed_on(device: Device, line: Line, run: Placed) -> int:
    """Return the bytes that a device's memory has to hold: the host's too where both share it."""
    return int(line.value) + (int(run.host.value) if device.unified_memory is not None else 0)


def answer_memory(model: Model, asked: Asked) -> MemoryAnswer:
    """Answer the memory question.

    Without a device every one of the catalogue that holds it alone is a fit; with one, the largest
    context and number of sequences are given, and what to change when it does not fit.
    """
    if model.model_type == HEADER:
        raise InputError(
            "unsupported_architecture",
            f"{model.name}: only the checkpoint's header is known, so cache and buffers are not; put its "
            "config.json beside it",
        )
    check_limit(model)
    scenario, notices = scenario_for(model, asked)
    weights = stored_weights(model, scenario)
    run = run_memory(model, scenario, weights)
    answer = MemoryAnswer(
        model=model,
        scenario=scenario,
        runtime=runtime_label(scenario.runtime),
        line=run.line,
        shares=_shares(scenario, run),
        fits=_fits(scenario, run) if scenario.placements else _fits_alone(model, scenario, weights),
        notices=(*notices, *run.notices),
        host=int(run.host.value),
        reports=run.reports,
        start=start_command(model, scenario),
    )
    if not scenario.placements:
        return answer
    return _with_largest_model(_reach(answer, weights), asked)


def usable_bytes(device: Device, scenario: Scenario) -> int:
    """Return the bytes of a device that the scenario's engine may fill."""
    return RUNTIMES[scenario.runtime].usable(device, scenario)


def runtime_label(name: str) -> str:
    """Return ``name@version``."""
    return f"{name}@{RUNTIMES[name].version}"


def _shares(scenario: Scenario, run: Placed) -> tuple[Share, ...]:
    """Return what each named device holds."""
    names = (
        placement.device.id if placement.count == 1 else f"{placement.device.id} #{index + 1}"
        for placement in scenario.placements
        for index in range(placement.count)
    )
    return tuple(Share(device=name, line=held.line) for name, held in zip(names, run.held, strict=False))


def _fits(scenario: Scenario, run: Placed) -> tuple[Fit, ...]:
    """Return whether the fullest of each kind of device holds its share."""
    found, start = [], 0
    for placement in scenario.placements:
        lines = [held.line for held in run.held[start : start + placement.count]]
        start += placement.count
        found.append(_fit(placement.device, placement.count, lines, scenario, run))
    return tuple(found)


def _fits_alone(model: Model, scenario: Scenario, weights: Line) -> tuple[Fit, ...]:
    """Return whether each device of the catalogue holds the run alone."""

    def run_on(device: Device) -> Placed:
        one = replace(scenario, placements=(Placement(device=device, count=1),))
        return run_memory(model, one, weights)

    return tuple(
        _fit(device, 1, [run.held[0].line], scenario, run) for device, run in runs_alone(scenario, run_on)
    )


def _fit(device: Device, count: int, lines: list[Line], scenario: Scenario, run: Placed) -> Fit:
    fullest = max(lines, key=lambda line: line.value)
    return Fit(
        device=device.id if device.id != CUSTOM else device.name,
        count=count,
        usable=usable_bytes(device, scenario),
        usable_status=device.memory_status,
        needed=needed_on(device, fullest, run),
        needed_high=needed_on(device, fullest, run) + int(fullest.interval[1]) - int(fullest.value),
    )


def _reach(answer: MemoryAnswer, weights: Line) -> MemoryAnswer:
    """Add how far the devices reach, and what to change when they do not hold the scenario."""
    model, scenario = answer.model, answer.scenario

    def fits(changed: Scenario) -> bool:
        return missing_bytes(run_memory(model, changed, weights), changed) <= 0

    def needs(_: Model, changed: Scenario) -> Need:
        return need_of(run_memory(model, changed), changed)

    context = largest(lambda tokens: fits(replace(scenario, context=tokens)), CONTEXT_LIMIT)
    sequences = largest(lambda count: fits(replace(scenario, sequences=count)), SEQUENCES_LIMIT)
    best = best_format(model, scenario, lambda _, changed: needs(model, changed).missing <= 0)
    bounded = not scenario.engine.cache_on_host and scenario.engine.device_layers != 0
    return replace(
        answer,
        largest_context=context if bounded and context < CONTEXT_LIMIT else None,
        largest_sequences=sequences if bounded and sequences < SEQUENCES_LIMIT else None,
        best_format=None if best is None else best.name,
        changes=() if answer.all_fit else suggest(model, scenario, needs, context),
    )


def _with_largest_model(answer: MemoryAnswer, asked: Asked) -> MemoryAnswer:
    """Add the largest model of the catalogue that the devices hold in the same format and engine."""
    if not asked.largest_model:
        return answer
    same = replace(asked, quant=answer.scenario.weights.name, runtime=answer.scenario.runtime)

    def fits(model: Model, scenario: Scenario) -> bool:
        return missing_bytes(run_memory(model, scenario), scenario) <= 0

    found = largest_preset(lambda model: scenario_for(model, same)[0], fits)
    return replace(answer, largest_model=None if found is None else found.id)
