"""The memory of one run, and what of a device it may fill."""

from dataclasses import replace

from sizewise.architecture import Model
from sizewise.catalog.devices import Device
from sizewise.footprint.weights import stored_bytes
from sizewise.ledger import Line, weakened
from sizewise.planning.held import Placed
from sizewise.planning.placing import placed
from sizewise.runtimes.registry import RUNTIMES
from sizewise.scenario import Scenario


def memory_line(model: Model, scenario: Scenario, weights: Line | None = None) -> Line:
    """Return the bytes of a run: weights, cache, buffers, overhead and their sum."""
    return run_memory(model, scenario, weights).line


def run_memory(model: Model, scenario: Scenario, weights: Line | None = None) -> Placed:
    """Return what every device and the host hold; ``weights`` are those of the whole, where known."""
    stored = weights or stored_weights(model, scenario)
    run = placed(model, scenario, stored)
    if scenario.accompanied:
        from sizewise.planning.companions import with_companions

        run = with_companions(model, scenario, run)
    if not model.assumed:
        return run
    held = tuple(replace(one, line=weakened(one.line, "assumed")) for one in run.held)
    return replace(run, weights=weakened(run.weights, "assumed"), held=held)


def stored_weights(model: Model, scenario: Scenario) -> Line:
    """Return the bytes of the weights: those of the header where the checkpoint runs as it ships."""
    if scenario.shipped is not None:
        return scenario.shipped
    if scenario.weights.is_file_type:
        from sizewise.catalog.ggml import file_type
        from sizewise.footprint.file_types import file_type_bytes

        return file_type_bytes(model, file_type(scenario.weights.name))
    return stored_bytes(model.architecture, scenario.scheme)


def needed_on(device: Device, own: int, host: int) -> int:
    """Return the bytes that a device's memory has to hold: the host's too where both share it."""
    return own + (host if device.unified_memory is not None else 0)


def usable_bytes(device: Device, scenario: Scenario) -> int:
    """Return the bytes of a device that the scenario's engine may fill."""
    return RUNTIMES[scenario.runtime].usable(device, scenario)


def runtime_label(name: str) -> str:
    """Return ``name@version``."""
    return f"{name}@{RUNTIMES[name].version}"
