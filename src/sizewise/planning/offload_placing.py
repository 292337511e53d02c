"""Layers that the devices do not hold stay on the host, as transformers leaves them (device_map auto)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sizewise.architecture import Model
from sizewise.catalog.devices import Device
from sizewise.errors import UsageError
from sizewise.footprint.weights import stored_bytes
from sizewise.ledger import Line, leaf, total
from sizewise.notices import Notice
from sizewise.parallel.offload import Offload, offload, stored_share
from sizewise.parallel.shares import DeviceShare
from sizewise.planning.held import BUFFERS, Held, Placed, device_line, engine_working, share_of_weights
from sizewise.runtimes.working import Working
from sizewise.scenario import Scenario

OFFLOAD_SHARE = 0.9
"""Share of a single device that transformers fills with weights."""
HOST_STORE: Literal["host"] = "host"
NO_LIMIT = 2**62


def offloaded(model: Model, scenario: Scenario, weights: Line, devices: Sequence[Device]) -> Placed:
    """Leave on the host what the devices do not hold; the first has room for the largest layer there.

    The cache of those layers is on the first device too, which computes them. Raises UsageError
    (bad_option) without a device.
    """
    if not devices:
        raise UsageError("bad_option", "--offload needs a device; name one with --on or --memory")
    architecture = model.architecture
    limits = [int(device.memory_bytes * OFFLOAD_SHARE) for device in devices]
    found = offload(
        architecture, lambda part: int(stored_bytes(part, scenario.scheme).value), limits, NO_LIMIT
    )
    away = stored_share(architecture, found, HOST_STORE)
    held: list[Held] = []
    notices: tuple[Notice, ...] = ()
    for number, device in enumerate(devices):
        part = stored_share(architecture, found, number)
        cached = part if number else replace(part, body=(*part.body, *away.body))
        share = DeviceShare(
            device=number, architecture=architecture, cached=cached, sequences=scenario.sequences
        )
        own = share_of_weights(model, scenario, weights, part)
        working = engine_working(model, scenario, share, own, device)
        notices = working.notices
        held.append(
            Held(device=device, line=device_line(own, working if number else _with_room(working, found)))
        )
    host = total("host", [share_of_weights(model, scenario, weights, away)], "bytes")
    return Placed(weights=weights, held=tuple(held), host=host, notices=notices)


def _with_room(working: Working, found: Offload) -> Working:
    """Add the room that a layer takes which is brought back to be computed."""
    room = leaf(
        "layer from the host",
        found.working,
        "bytes",
        source="largest layer that is offloaded",
        status="derived",
    )
    return replace(working, buffers=total(BUFFERS, [*working.buffers.parts, room], "bytes"))
