"""Which devices of the catalogue hold a run alone, each counted as the engine would use it."""

from collections.abc import Callable, Hashable

from sizewise.catalog.devices import Device, all_devices
from sizewise.planning.placing import LAYER_ENGINES, Placed
from sizewise.scenario import Scenario

SIZED_BY_DEVICE = frozenset(("vllm", "sglang"))
"""Engines whose own buffers depend on the device's memory and name."""


def runs_alone(scenario: Scenario, run_on: Callable[[Device], Placed]) -> tuple[tuple[Device, Placed], ...]:
    """Return every device with what it would hold; devices that an engine treats alike are counted once."""
    runs: dict[Hashable, Placed] = {}
    found = []
    for device in all_devices():
        key = _treated(scenario, device)
        if key not in runs:
            runs[key] = run_on(device)
        found.append((device, runs[key]))
    return tuple(found)


def _treated(scenario: Scenario, device: Device) -> Hashable:
    """Return what of a device an engine's own memory depends on."""
    if scenario.runtime in SIZED_BY_DEVICE:
        return device.memory_bytes, device.name
    return device.kind == "cpu" if scenario.runtime in LAYER_ENGINES else None
