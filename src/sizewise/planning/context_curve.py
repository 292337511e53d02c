"""Memory against context: a curve for each format of the cache, and where it fills devices."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from math import ceil, floor, log2

from sizewise.architecture import Model
from sizewise.catalog.device_trust import suggested_devices
from sizewise.catalog.devices import Device
from sizewise.catalog.formats import cache_formats
from sizewise.errors import UsageError
from sizewise.ledger import Line, total
from sizewise.planning.alone import treated_as
from sizewise.planning.answer import Fit, MemoryAnswer
from sizewise.planning.context_limit import last_position
from sizewise.planning.defaults import usual_cache
from sizewise.planning.engine_changes import with_cache
from sizewise.planning.held import Placed
from sizewise.planning.inverse import largest_held
from sizewise.planning.reach import missing_bytes
from sizewise.planning.running import run_memory, stored_weights
from sizewise.scenario import Placement, Scenario
from sizewise.units import CONTEXT_LIMIT

LONGEST = 2**20
"""A curve ends here at the latest, or at the asked context where that is longer."""
SHORTEST = 2**11
"""A curve begins here at the latest."""
TRAINED_SHARE = 2
"""A curve begins at this part of the trained context at the latest."""
DEVICES = 3
DEVICE_RATIO = 2
"""Usual devices that are drawn have so many times the memory of the one before."""
POINTS = 20
"""A curve has so many points, the asked one, and one for each device that it fills."""
BEND = 0.7
"""Points stand the closer the longer the context, where a curve over its logarithm bends."""
SMALL_CACHES = (("fp8", "q8_0"), ("q4_0",))
"""Formats of the cache in 8 and in 4 bits: of each the first that the engine keeps."""
SAMPLES = 8
"""Sampled curves have at most so many points beside the asked one."""
ON_THE_HOST = "on the host"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextPoint:
    """The bytes that a device needs at a context of so many tokens, and its parts by name."""

    context: int
    needed: int
    parts: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextCurve:
    """The memory of a scenario at rising contexts.

    ``reaches`` are the largest contexts that fit, one for each device that the curve fills.
    """

    scenario: Scenario
    points: tuple[ContextPoint, ...]
    reaches: tuple[ContextPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextCurves:
    """What the first of ``devices`` holds of the scenario, and a curve per cache format, most bits first.

    Further devices are usual ones that a curve fills.
    """

    scenario: Scenario
    held: Line
    devices: tuple[Fit, ...]
    curves: tuple[ContextCurve, ...]


def context_curves(answer: MemoryAnswer) -> ContextCurves:
    """Return the bytes that the fullest asked device needs at other contexts and cache formats.

    Without an asked device it is the smallest that holds the answer, beside larger ones that the engine
    treats alike. Of several kinds of devices it is the one that lacks most.
    """
    device, fits = _asked_device(answer) if answer.scenario.placements else _usual_devices(answer)
    scenario = answer.scenario
    if not scenario.placements:
        scenario = replace(scenario, placements=(Placement(device=device, count=1),))
    weights = stored_weights(answer.model, scenario)
    trials = _trials(answer.model, scenario, weights, device)
    reaches = [[trial.reach(fit.usable - fits[0].usable) for trial in trials] for fit in fits]
    shown = [row for row, of in enumerate(reaches) if row == 0 or min(of) < trials[0].limit]
    return ContextCurves(
        scenario=scenario,
        held=_held(answer.model, scenario, weights, device),
        devices=tuple(fits[row] for row in shown),
        curves=_curves(answer.model.context, trials, [reaches[row] for row in shown]),
    )


def context_samples(answer: MemoryAnswer) -> ContextCurves:
    """Return `context_curves` at powers of two and the asked context alone, in a fraction of its time.

    The curves end with what the model was trained for, the asked context or the largest that fits. Where
    they fill a device is not searched: ``largest_context`` of the answer says it of its own scenario.
    """
    device, fits = _asked_device(answer) if answer.scenario.placements else _usual_devices(answer)
    scenario = answer.scenario
    if not scenario.placements:
        scenario = replace(scenario, placements=(Placement(device=device, count=1),))
    weights = stored_weights(answer.model, scenario)
    known = answer.largest_context if answer.scenario.placements else None
    end = max(scenario.context, min(LONGEST, max(known or 0, answer.model.context or 0)))
    contexts = _samples(scenario, end, last_position(answer.model))
    found: dict[tuple[ContextPoint, ...], ContextCurve] = {}
    for trial in _trials(answer.model, scenario, weights, device):
        points = tuple(trial.point(context) for context in contexts)
        found.setdefault(points, ContextCurve(scenario=trial.scenario, points=points, reaches=()))
    return ContextCurves(
        scenario=scenario,
        held=_held(answer.model, scenario, weights, device),
        devices=tuple(fits),
        curves=tuple(found.values()),
    )


def _samples(scenario: Scenario, end: int, last: int | None) -> list[int]:
    """Return powers of two up to the one from ``end`` on, or the last position, and the asked context."""
    until, least = ceil(log2(max(end, 2))), _least(scenario)
    first = max(1, min(floor(log2(SHORTEST)), floor(log2(scenario.context))))
    step = max(1, ceil((until - first) / (SAMPLES - 1)))
    powers = (min(2**exponent, last or 2**exponent) for exponent in range(until, first - 1, -step))
    return sorted({scenario.context, *(context for context in powers if context >= least)})


def cache_variants(scenario: Scenario) -> tuple[Scenario, ...]:
    """Return the scenario itself and with 16, 8 and 4 bits of cache, as far as its engine keeps them.

    Most bits first; of equal bits the scenario's own.
    """
    rows = [usual_cache(scenario.scheme)]
    for names in SMALL_CACHES:
        known = (cache_formats()[name] for name in names)
        rows += [row for row in known if scenario.runtime in row.runtimes][:1]
    found = {_cache_bits(scenario): scenario}
    for variant in (with_cache(scenario, row) for row in rows):
        found.setdefault(_cache_bits(variant), variant)
    return tuple(found[bits] for bits in sorted(found, reverse=True))


def _cache_bits(scenario: Scenario) -> float:
    return float(scenario.cache.bits + scenario.values.bits)


class _Trial:
    """A scenario asked at many contexts: what one device needs, and what the devices lack."""

    def __init__(self, model: Model, scenario: Scenario, weights: Line, device: Device) -> None:
        self.scenario = scenario
        self.most = last_position(model) or CONTEXT_LIMIT
        self.limit = min(max(LONGEST, scenario.context), self.most)

        def run(context: int) -> tuple[ContextPoint, int]:
            changed = replace(scenario, context=context)
            placed = run_memory(model, changed, weights)
            own = _fullest(placed, device)
            parts = tuple((part.name, int(part.value)) for part in own.parts)
            point = ContextPoint(context=context, needed=int(own.value), parts=parts)
            return point, missing_bytes(placed, changed)

        self._at: Callable[[int], tuple[ContextPoint, int]] = cache(run)

    @property
    def runs(self) -> bool:
        """Whether the engine runs the model with this cache: its blocks may not divide a head."""
        try:
            self._at(self.scenario.context)
        except UsageError:
            return False
        return True

    def point(self, context: int) -> ContextPoint:
        return self._at(context)[0]

    def reach(self, more: int) -> int:
        """Return the largest context, up to the limit, that fits when devices have so many bytes more."""

        def lacking(context: int) -> int:
            return self._at(context)[1] - more

        return largest_held(lacking, self.limit, max(self.scenario.context, 2))


def _trials(model: Model, scenario: Scenario, weights: Line, device: Device) -> list[_Trial]:
    """Return a trial of each cache format that the engine runs the model with."""
    trials = (_Trial(model, one, weights, device) for one in cache_variants(scenario))
    return [trial for trial in trials if trial.scenario is scenario or trial.runs]


def _asked_device(answer: MemoryAnswer) -> tuple[Device, list[Fit]]:
    """Return the asked device that lacks most."""
    pairs = zip(answer.scenario.placements, answer.fits, strict=True)
    placement, fit = max(pairs, key=lambda pair: pair[1].needed - pair[1].usable)
    return placement.device, [fit]


def _usual_devices(answer: MemoryAnswer) -> tuple[Device, list[Fit]]:
    """Return the smallest device that holds the answer, and larger ones on which it takes the same."""
    known = {device.id: device for device in suggested_devices()}
    holding = sorted((fit for fit in answer.fits if fit.fits), key=lambda fit: fit.usable)
    if not holding:
        fit = max(answer.fits, key=lambda fit: fit.usable)
        return known[fit.device], [fit]
    device, shown = known[holding[0].device], holding[:1]
    for fit in holding:
        other = known[fit.device]
        alike = treated_as(answer.scenario, other) == treated_as(answer.scenario, device)
        shares = (other.unified_memory is None) == (device.unified_memory is None)
        if alike and shares and fit.usable >= DEVICE_RATIO * shown[-1].usable:
            shown.append(fit)
    return device, shown[:DEVICES]


def _held(model: Model, scenario: Scenario, weights: Line, device: Device) -> Line:
    """Return what the fullest device of a kind holds, with the host's part where both share a memory."""
    return _fullest(run_memory(model, scenario, weights), device)


def _fullest(run: Placed, device: Device) -> Line:
    line = max((held.line for held in run.held if held.device == device), key=lambda line: line.value)
    if device.unified_memory is None or not run.host.value:
        return line
    return total(line.name, [*line.parts, replace(run.host, name=ON_THE_HOST)], "bytes")


def _curves(
    trained: int | None, trials: Sequence[_Trial], reaches: Sequence[Sequence[int]]
) -> tuple[ContextCurve, ...]:
    """Return the curves over the same contexts; one that repeats another is left out.

    ``reaches`` holds, for each device, the largest context of each trial.
    """
    asked, limit = trials[0].scenario, trials[0].limit
    longest = max(reach for row in reaches for reach in row)
    end = max(asked.context, min(LONGEST, max(longest, trained or 0)))
    contexts = sorted({min(context, trials[0].most) for context in _contexts(asked, trained, end)})
    found: dict[tuple[ContextPoint, ...], ContextCurve] = {}
    for trial, own in zip(trials, zip(*reaches, strict=True), strict=True):
        grid = tuple(trial.point(context) for context in contexts)
        filled = tuple(trial.point(reach) for reach in own if contexts[0] <= reach < limit)
        points = tuple(sorted({*grid, *filled}, key=lambda point: point.context))
        found.setdefault(grid, ContextCurve(scenario=trial.scenario, points=points, reaches=filled))
    return tuple(found.values())


def _contexts(scenario: Scenario, trained: int | None, end: int) -> list[int]:
    """Return rising contexts up to the power of two from ``end`` on, and the asked one."""
    begin = max(1, min(SHORTEST, scenario.context, (trained or SHORTEST) // TRAINED_SHARE))
    first, last = floor(log2(begin)), ceil(log2(max(end, 2)))
    shares = ((place / (POINTS - 1)) ** BEND for place in range(POINTS))
    contexts = {round(2 ** (first + (last - first) * share)) for share in shares}
    least = _least(scenario)
    return sorted({scenario.context, *(context for context in contexts if context >= least)})


def _least(scenario: Scenario) -> int:
    """Return the tokens that every context holds: pictures, sound and a shared prefix."""
    return max(1, scenario.image_tokens + scenario.audio_tokens, scenario.engine.shared_prefix)
