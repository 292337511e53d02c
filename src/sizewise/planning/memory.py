"""The memory question: parts, shares per device, what fits, how far it goes, what to change."""

from dataclasses import replace
from typing import NamedTuple

from sizewise.architecture import HEADER, Model
from sizewise.catalog.devices import CUSTOM, Device
from sizewise.counting import check_limit
from sizewise.errors import InputError
from sizewise.ledger import Line
from sizewise.planning.alone import found_alone
from sizewise.planning.answer import Fit, MemoryAnswer, Share
from sizewise.planning.commands import start_command
from sizewise.planning.context_limit import check_context
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.held import Placed
from sizewise.planning.running import needed_on, run_memory, runtime_label, stored_weights, usable_bytes
from sizewise.scenario import Placement, Scenario


def answer_memory(model: Model, asked: Asked) -> MemoryAnswer:
    """Answer the memory question.

    Without a device every one of the catalogue that holds it alone is a fit; with one, the largest
    context and number of sequences are given, and what to change when it does not fit.
    """
    answer = counted_memory(model, asked)
    if not answer.scenario.placements:
        return answer
    from sizewise.planning.reach import with_largest_model, with_reach

    answer = with_reach(answer)
    return with_largest_model(answer, asked) if asked.largest_model else answer


def counted_memory(model: Model, asked: Asked) -> MemoryAnswer:
    """Return the answer without how far devices reach and what to change."""
    if model.model_type == HEADER:
        raise InputError(
            "unsupported_architecture",
            f"{model.name}: only the checkpoint's header is known, so cache and buffers are not; put its "
            "config.json beside it",
        )
    check_limit(model)
    scenario, notices = scenario_for(model, asked)
    check_context(model, scenario)
    weights = stored_weights(model, scenario)
    run = run_memory(model, scenario, weights)
    return MemoryAnswer(
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
        found.append(_fit(placement.device, placement.count, _taken(lines, run), scenario))
    return tuple(found)


def _fits_alone(model: Model, scenario: Scenario, weights: Line) -> tuple[Fit, ...]:
    """Return whether each device of the catalogue holds the run alone."""

    def taken_on(device: Device) -> _Taken:
        one = replace(scenario, placements=(Placement(device=device, count=1),))
        run = run_memory(model, one, weights)
        return _taken([run.held[0].line], run)

    return tuple(_fit(device, 1, taken, scenario) for device, taken in found_alone(scenario, taken_on))


class _Taken(NamedTuple):
    """Bytes of the fullest device, how many more they may be, and those of the host."""

    fullest: int
    margin: int
    host: int


def _taken(lines: list[Line], run: Placed) -> _Taken:
    fullest = max(lines, key=lambda line: line.value)
    value = int(fullest.value)
    return _Taken(value, int(fullest.interval[1]) - value, int(run.host.value))


def _fit(device: Device, count: int, taken: _Taken, scenario: Scenario) -> Fit:
    needed = needed_on(device, taken.fullest, taken.host)
    return Fit(
        device=device.id if device.id != CUSTOM else device.name,
        count=count,
        usable=usable_bytes(device, scenario),
        usable_status=device.memory_status,
        needed=needed,
        needed_high=needed + taken.margin,
    )
