"""Whole layers on devices in proportion to their memory, as llama.cpp gives them; the rest on the host."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

from sizewise.architecture import Model
from sizewise.catalog.devices import Device
from sizewise.catalog.ggml import file_type
from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.footprint.file_types import listed_shares, shape_shares
from sizewise.gguf.conversion import gguf_shape
from sizewise.gguf.listed import listed_shape
from sizewise.ledger import Line, total
from sizewise.listing import Listing
from sizewise.notices import Notice
from sizewise.parallel.gguf_places import gguf_places
from sizewise.parallel.layer_split import HOST, LayerPlacement, cache_share, device_share, layer_placement
from sizewise.parallel.shares import DeviceShare
from sizewise.planning.held import WEIGHTS, Held, Placed, device_line, engine_working, share_of_weights
from sizewise.scenario import Scenario

Shares = Mapping[int | None, Line]
"""The bytes of the weights on each device and the host (None)."""
PLACEMENTS = 64
"""So many are kept: a question that does not fit tries some fifteen, and the next question the same."""


def by_layers(model: Model, scenario: Scenario, weights: Line, devices: Sequence[Device]) -> Placed:
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
        working = engine_working(model, scenario, share, stored, device)
        host, notices = list(working.host.parts), working.notices
        held.append(Held(device=device, line=device_line(stored, working)))
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
    parts = [weights]
    if any(cached.kept()):
        share = DeviceShare(
            device=HOST, architecture=architecture, cached=cached, sequences=scenario.sequences
        )
        parts.append(engine_working(model, scenario, share, total(WEIGHTS, (), "bytes"), None).cache)
    own = [line for line in parts if line is not None and line.value]
    return total("host", [*own, *rest], "bytes")


def _layer_weights(model: Model, scenario: Scenario, weights: Line, placement: LayerPlacement) -> Shares:
    """Return the bytes of the weights on each device and the host."""
    if scenario.weights.is_file_type and scenario.shipped is None:
        return _quantized_weights(model, scenario.weights.name, placement)
    row = gguf_architecture_of(model.architecture.model_class)
    if (
        scenario.shipped is not None
        and model.listing is not None
        and model.listing.blocks
        and row is not None
    ):
        return _listed_weights(model.listing, row.name, placement)
    places = (*placement.devices, HOST)
    return {
        place: share_of_weights(model, scenario, weights, device_share(model.architecture, placement, place))
        for place in places
    }


@lru_cache(maxsize=PLACEMENTS)
def _quantized_weights(model: Model, name: str, placement: LayerPlacement) -> Shares:
    """Return the same of a file type; a question asks again for every context that it tries."""
    shape = gguf_shape(model)
    return shape_shares(shape, file_type(name), gguf_places(shape, placement))


@lru_cache(maxsize=PLACEMENTS)
def _listed_weights(listing: Listing, architecture: str, placement: LayerPlacement) -> Shares:
    """Return the same of the tensors that a file lists."""
    listed = listed_shape(listing, architecture)
    return listed_shares(listed, gguf_places(listed, placement))
