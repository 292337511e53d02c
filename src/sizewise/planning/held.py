"""What the devices of a run hold, and how one device's part of it is asked for."""

from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Model
from sizewise.catalog.devices import Device
from sizewise.footprint.weights import stored_bytes
from sizewise.ledger import Line, leaf, total
from sizewise.notices import Notice
from sizewise.parallel.shares import DeviceShare
from sizewise.runtimes.registry import RUNTIMES
from sizewise.runtimes.working import Part, Working
from sizewise.scenario import Scenario

WEIGHTS, CACHE, BUFFERS, OVERHEAD = "weights", "cache", "buffers", "overhead"
NO_BYTES = total("host", (), "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one device holds: a line with weights, cache, buffers and overhead."""

    device: Device | None
    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What every device and the host hold of a run, and its ``weights``, each tensor once."""

    weights: Line
    held: tuple[Held, ...]
    host: Line = NO_BYTES
    reports: tuple[Line, ...] = ()
    notices: tuple[Notice, ...] = ()

    @property
    def line(self) -> Line:
        """The whole run: the weights once, the rest summed over devices and host."""
        rest = [self._summed(name) for name in (CACHE, BUFFERS, OVERHEAD)]
        return total("total", [self.weights, *rest], "bytes")

    def _summed(self, name: str) -> Line:
        on_host = [part for part in self.host.parts if part.name == name]
        lines = [held.line.part(name) for held in self.held]
        if len(lines) == 1 and not on_host:
            return lines[0]
        named = [replace(line, name=f"device {number}") for number, line in enumerate(lines)]
        return total(name, [*named, *(replace(line, name="host") for line in on_host)], "bytes")


def engine_working(
    model: Model, scenario: Scenario, share: DeviceShare, own: Line, device: Device | None
) -> Working:
    """Ask the engine; ``scenario.layout`` is the one that the devices use."""
    part = Part(
        model_type=model.model_type,
        whole=model.architecture,
        architecture=share.architecture,
        cached=share.cached,
        sequences=share.sequences,
        weights=int(own.value),
        scenario=scenario,
        layout=scenario.layout,
        device=device,
    )
    return RUNTIMES[scenario.runtime].working(part)


def device_line(weights: Line, working: Working) -> Line:
    """Return what a device holds: the weights and what the engine needs beside."""
    return total("total", [weights, working.cache, working.buffers, working.overhead], "bytes")


def share_of_weights(model: Model, scenario: Scenario, weights: Line, share: Architecture) -> Line:
    """Return the bytes of a share: counted, or in proportion where a header alone says the bytes."""
    counted = stored_bytes(share, scenario.scheme)
    if scenario.shipped is None and not scenario.weights.is_file_type:
        return counted
    whole = int(stored_bytes(model.architecture, scenario.scheme).value)
    return proportional(weights, int(counted.value), whole)


def proportional(weights: Line, part: int, whole: int) -> Line:
    """Return ``part`` of ``whole`` of the weights, rounded up."""
    stored = int(weights.value)
    return leaf(
        WEIGHTS,
        -(-stored * part // whole),
        "bytes",
        formula="ceil(stored * part / whole)",
        inputs={"stored": stored, "part": part, "whole": whole},
        source="share of the same parameters in 16 bit",
        status="assumed",
    )
