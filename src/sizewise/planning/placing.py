"""Where a model's bytes are: what each device holds, and what stays on the host.

Each engine shares a model in its own way: llama.cpp by layers, vLLM and SGLang by ranks of every matrix,
transformers by runs of layers. Every share is counted by itself; the sum is never divided.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sizewise.architecture import Architecture, Model
from sizewise.catalog.devices import Device
from sizewise.catalog.ggml import file_type
from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.errors import UsageError
from sizewise.footprint.file_types import listed_shares, shape_shares
from sizewise.footprint.weights import stored_bytes
from sizewise.gguf.conversion import gguf_shape
from sizewise.gguf.listed import listed_shape
from sizewise.ledger import Line, leaf, total
from sizewise.notices import Notice
from sizewise.parallel.even import even_share
from sizewise.parallel.gguf_places import gguf_places
from sizewise.parallel.layer_split import HOST, LayerPlacement, cache_share, device_share, layer_placement
from sizewise.parallel.offload import Offload, offload, stored_share
from sizewise.parallel.ranks import rank_shares, usual_layout
from sizewise.parallel.shares import DeviceShare
from sizewise.runtimes.registry import RUNTIMES
from sizewise.runtimes.working import Part, Working
from sizewise.scenario import Layout, Scenario

IDEAL = "ideal"
LAYER_ENGINES = frozenset(("llama.cpp", "ollama"))
"""Engines that give whole layers to devices in proportion to their memory."""
STAGE_ENGINES = frozenset(("transformers", "mlx"))
"""Engines that give every device a run of layers unless they are told otherwise."""


WEIGHTS, CACHE, BUFFERS, OVERHEAD = "weights", "cache", "buffers", "overhead"
OFFLOADING = "transformers"
OFFLOAD_SHARE = 0.9
"""Share of a single device that transformers fills with weights."""
HOST_STORE: Literal["host"] = "host"
NO_LIMIT = 2**62
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


def placed(model: Model, scenario: Scenario, weights: Line) -> Placed:
    """Return what each device holds; ``weights`` are those of the whole model.

    Raises UsageError (bad_option) for a layout that is not possible.
    """
    named = tuple(row.device for row in scenario.placements for _ in range(row.count))
    if scenario.runtime in LAYER_ENGINES and named and not all(device.kind == "cpu" for device in named):
        return _by_layers(model, scenario, weights, named)
    if scenario.engine.offload and scenario.runtime == OFFLOADING:
        return _offloaded(model, scenario, weights, named)
    if len(named) > 1 and scenario.runtime == IDEAL:
        return _evenly(model, scenario, weights, named)
    return _by_ranks(model, scenario, weights, named or (None,))


def _by_ranks(model: Model, scenario: Scenario, weights: Line, devices: Sequence[Device | None]) -> Placed:
    """Share by the layout that was asked for, else by the engine's habit."""
    architecture, count = model.architecture, len(devices)
    layout = scenario.layout
    if not layout.chosen and count > 1:
        by_stage = scenario.runtime in STAGE_ENGINES
        layout = Layout(tensor=1, pipeline=count) if by_stage else usual_layout(architecture, count)
    scenario = replace(scenario, layout=layout)
    shares = rank_shares(architecture, layout, scenario.sequences, count)
    lines: dict[tuple[Architecture, Device | None], Line] = {}
    notices: tuple[Notice, ...] = ()
    reports: tuple[Line, ...] = ()
    host = NO_BYTES
    for share, device in zip(shares, devices, strict=True):
        if (share.architecture, device) in lines:
            continue
        own = weights if count == 1 else _share_of_weights(model, scenario, weights, share.architecture)
        working = _working(model, scenario, share, own, device)
        host, notices, reports = working.host, working.notices, working.reports
        lines[share.architecture, device] = _device_line(own, working)
    held = (
        Held(device=device, line=lines[share.architecture, device])
        for share, device in zip(shares, devices, strict=True)
    )
    return Placed(weights=weights, held=tuple(held), host=host, reports=reports, notices=notices)


def _by_layers(model: Model, scenario: Scenario, weights: Line, devices: Sequence[Device]) -> Placed:
    """Share by layers in proportion to the devices' memory, as llama.cpp does."""
    options, architecture = scenario.engine, model.architecture
    placement = layer_placement(
        architecture.depth,
        [device.memory_bytes for device in devices],
        gpu_layers=options.device_layers,
        host_expert_layers=options.host_expert_layers,
        cache_on_host=options.cache_on_host,
    )
    own = _layer_weights(model, scenario, weights, placement)
    held: list[Held] = []
    notices: tuple[Notice, ...] = ()
    host: list[Line] = []
    for number, device in enumerate(devices):
        share = DeviceShare(
            device=number,
            architecture=architecture,
            cached=cache_share(architecture, placement, number),
            sequences=scenario.sequences,
        )
        stored = own.get(number, total(WEIGHTS, (), "bytes"))
        working = _working(model, scenario, share, stored, device)
        host, notices = list(working.host.parts), working.notices
        held.append(Held(device=device, line=_device_line(stored, working)))
    return Placed(
        weights=weights,
        held=tuple(held),
        host=_host_line(model, scenario, placement, own.get(HOST), host),
        notices=notices,
    )


def _host_line(
    model: Model, scenario: Scenario, placement: LayerPlacement, weights: Line | None, rest: list[Line]
) -> Line:
    """Return what stays on the host: tables and layers, their cache, rows of logits."""
    architecture = model.architecture
    cached = cache_share(architecture, placement, HOST)
    share = DeviceShare(device=HOST, architecture=architecture, cached=cached, sequences=scenario.sequences)
    cache = _working(model, scenario, share, total(WEIGHTS, (), "bytes"), None).cache
    parts = [line for line in (weights, cache) if line is not None and line.value]
    return total("host", [*parts, *rest], "bytes")


def _offloaded(model: Model, scenario: Scenario, weights: Line, devices: Sequence[Device]) -> Placed:
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
        own = _share_of_weights(model, scenario, weights, part)
        working = _working(model, scenario, share, own, device)
        notices = working.notices
        held.append(
            Held(device=device, line=_device_line(own, working if number else _with_room(working, found)))
        )
    host = total("host", [_share_of_weights(model, scenario, weights, away)], "bytes")
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


def _evenly(model: Model, scenario: Scenario, weights: Line, devices: Sequence[Device]) -> Placed:
    """Give every device an equal part of weights and cache."""
    share = DeviceShare(
        device=0, architecture=model.architecture, cached=model.architecture, sequences=scenario.sequences
    )
    whole = _device_line(weights, _working(model, scenario, share, weights, None))
    line = even_share(whole, len(devices))
    return Placed(weights=weights, held=tuple(Held(device=device, line=line) for device in devices))


def _working(
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


def _device_line(weights: Line, working: Working) -> Line:
    return total("total", [weights, working.cache, working.buffers, working.overhead], "bytes")


def _share_of_weights(model: Model, scenario: Scenario, weights: Line, share: Architecture) -> Line:
    """Return the bytes of a share: counted, or in proportion where a header alone says the bytes."""
    counted = stored_bytes(share, scenario.scheme)
    if scenario.shipped is None and not scenario.weights.is_file_type:
        return counted
    whole = int(stored_bytes(model.architecture, scenario.scheme).value)
    return proportional(weights, int(counted.value), whole)


def _layer_weights(
    model: Model, scenario: Scenario, weights: Line, placement: LayerPlacement
) -> Mapping[int | None, Line]:
    """Return the bytes of the weights on each device and the host."""
    if scenario.weights.is_file_type and scenario.shipped is None:
        shape = gguf_shape(model)
        return shape_shares(shape, file_type(scenario.weights.name), gguf_places(shape, placement))
    row = gguf_architecture_of(model.architecture.model_class)
    if (
        scenario.shipped is not None
        and model.listing is not None
        and model.listing.blocks
        and row is not None
    ):
        listed = listed_shape(model.listing, row.name)
        return listed_shares(listed, gguf_places(listed, placement))
    places = (*placement.devices, HOST)
    return {
        place: _share_of_weights(model, scenario, weights, device_share(model.architecture, placement, place))
        for place in places
    }


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
