"""The memory question: parts, shares per device, what fits, how far it goes, what to change."""

from dataclasses import replace

from sizewise.architecture import HEADER, Model
from sizewise.catalog.devices import CUSTOM, all_devices
from sizewise.counting import check_limit
from sizewise.errors import InputError
from sizewise.footprint.weights import stored_bytes
from sizewise.ledger import Line, total, weakened
from sizewise.parallel.even import even_share
from sizewise.planning.answer import Fit, MemoryAnswer, Share
from sizewise.planning.changes import suggest
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.inverse import largest
from sizewise.runtimes.registry import RUNTIMES, working_memory
from sizewise.scenario import Placement, Scenario
from sizewise.units import CONTEXT_LIMIT, SEQUENCES_LIMIT


def memory_line(model: Model, scenario: Scenario, weights: Line | None = None) -> Line:
    """Return the bytes of a run: weights, cache, buffers, overhead (per process) and their sum."""
    stored = weights or stored_weights(model, scenario)
    parts = [stored, *working_memory(model.architecture, scenario)]
    line = total("total", parts, "bytes")
    return weakened(line, "assumed") if model.assumed else line


def stored_weights(model: Model, scenario: Scenario) -> Line:
    """Return the bytes of the weights: those of the header where the checkpoint runs as it ships."""
    return scenario.shipped or stored_bytes(model.architecture, scenario.scheme)


def needed_bytes(model: Model, scenario: Scenario, weights: Line | None = None) -> int:
    """Return the bytes on the fullest device."""
    return int(even_share(memory_line(model, scenario, weights), scenario.devices).value)


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
    line = memory_line(model, scenario, weights)
    share = even_share(line, scenario.devices)
    answer = MemoryAnswer(
        model=model,
        scenario=scenario,
        runtime=runtime_label(scenario.runtime),
        line=line,
        shares=_shares(scenario, share),
        fits=_fits(scenario, share),
        notices=notices,
    )
    return _reach(answer, weights) if scenario.placements else answer


def runtime_label(name: str) -> str:
    """Return ``name@version``."""
    return f"{name}@{RUNTIMES[name].version}"


def _shares(scenario: Scenario, share: Line) -> tuple[Share, ...]:
    """Return what each named device holds."""
    return tuple(
        Share(device=placement.device.id if count == 1 else f"{placement.device.id} #{index + 1}", line=share)
        for placement, count in ((p, p.count) for p in scenario.placements)
        for index in range(count)
    )


def _fits(scenario: Scenario, share: Line) -> tuple[Fit, ...]:
    placements = scenario.placements or (Placement(device=device, count=1) for device in all_devices())
    return tuple(_fit(placement, share) for placement in placements)


def _fit(placement: Placement, share: Line) -> Fit:
    device = placement.device
    return Fit(
        device=device.id if device.id != CUSTOM else device.name,
        count=placement.count,
        usable=device.memory_bytes,
        usable_status=device.memory_status,
        needed=int(share.value),
        needed_high=int(share.interval[1]),
    )


def _reach(answer: MemoryAnswer, weights: Line) -> MemoryAnswer:
    """Add how far the devices reach, and what to change when they do not hold the scenario."""
    model, scenario = answer.model, answer.scenario
    usable = min(fit.usable for fit in answer.fits)

    def fits(changed: Scenario) -> bool:
        return needed_bytes(model, changed, weights) <= usable

    context = largest(lambda tokens: fits(replace(scenario, context=tokens)), CONTEXT_LIMIT)
    sequences = largest(lambda count: fits(replace(scenario, sequences=count)), SEQUENCES_LIMIT)
    changes = () if answer.all_fit else suggest(model, scenario, usable, needed_bytes, context)
    return replace(answer, largest_context=context, largest_sequences=sequences, changes=changes)
