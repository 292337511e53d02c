"""llama.cpp's split of whole layers over unequal devices, and what stays on the host.

``-ngl n`` puts the last n of layers and output on devices, the output counting as one more layer, in the
proportions of ``--tensor-split`` or else of the free memory. Token embeddings stay on the host.
Source: llama.cpp lib 0.5.0, src/llama-model.cpp (load_tensors), src/llama-kv-cache.cpp.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import pack, unpack

from sizewise.architecture import Architecture, Part
from sizewise.components.feed_forward import FeedForward
from sizewise.errors import UsageError
from sizewise.hashed_once import HashedOnce
from sizewise.parallel.routed import ROUTED
from sizewise.parallel.selection import Place, check_one_stack, selected, token_table

HOST = None
"""The device number of the host."""

NOWHERE: frozenset[int] = frozenset()

LARGEST = 2.0**100
"""Largest part of a split: sums of them stay within fp32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerOverflow:
    """Tensors of one layer that lie elsewhere: those whose GGUF names begin with one of ``prefixes``."""

    layer: int
    prefixes: tuple[str, ...]
    device: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlacement(HashedOnce):
    """The device of each layer and of the output; None is the host.

    ``experts_on_host`` and ``feed_forward_on_host`` are layers whose routed experts or dense feed-forward
    matrices are kept on the host (``--n-cpu-moe``, ``--n-cpu-ffn``); with ``cache_on_host``
    (``--no-kv-offload``) the whole cache is. ``overflows`` are parts of layers that lie elsewhere.
    """

    __hash__ = HashedOnce.__hash__

    device_of_layer: tuple[int | None, ...]
    output_device: int | None
    experts_on_host: frozenset[int] = NOWHERE
    feed_forward_on_host: frozenset[int] = NOWHERE
    cache_on_host: bool = False
    overflows: tuple[LayerOverflow, ...] = ()

    @property
    def first_device(self) -> int | None:
        """The device of layer 0, to which norms and projections of embeddings are counted."""
        return self.device_of_layer[0] if self.device_of_layer else self.output_device

    @property
    def devices(self) -> tuple[int, ...]:
        """The devices that hold layers or the output."""
        used = {*self.device_of_layer, self.output_device}
        return tuple(sorted(device for device in used if device is not HOST))


def layer_devices(
    layers: int, proportions: Sequence[float], gpu_layers: int | None = None
) -> tuple[int | None, ...]:
    """Return the device of each layer and, as the last entry, of the output.

    ``proportions`` are those of ``--tensor-split`` or the free bytes of each device; ``gpu_layers`` is
    ``-ngl`` (None: all). Computed in fp32, as the engine does, since a layer on the border depends on it.

    >>> layer_devices(4, [1, 1], gpu_layers=4)
    (None, 0, 0, 1, 1)
    """
    _check(proportions, gpu_layers)
    wanted = layers + 1 if gpu_layers is None else gpu_layers
    on_devices = min(wanted, layers + 1) if proportions else 0
    start = layers + 1 - on_devices
    bounds = _bounds(proportions)
    return tuple(
        HOST if layer < start else bisect_right(bounds, _fp32((layer - start) / on_devices))
        for layer in range(layers + 1)
    )


def layer_placement(
    layers: int,
    proportions: Sequence[float],
    *,
    gpu_layers: int | None = None,
    host_expert_layers: int = 0,
    host_feed_forward_layers: int = 0,
    cache_on_host: bool = False,
) -> LayerPlacement:
    """Return where the layers are; the first ``host_expert_layers`` keep their experts on the host."""
    devices = layer_devices(layers, proportions, gpu_layers)
    return LayerPlacement(
        device_of_layer=devices[:-1],
        output_device=devices[-1],
        experts_on_host=frozenset(range(min(layers, host_expert_layers))),
        feed_forward_on_host=frozenset(range(min(layers, host_feed_forward_layers))),
        cache_on_host=cache_on_host,
    )


def device_share(architecture: Architecture, placement: LayerPlacement, device: int | None) -> Architecture:
    """Return the weights that lie on a device, or on the host (None).

    A tied head on a device has a copy of the token table there. Towers are left out: they are a file of
    their own. Raises UsageError (bad_option) as `check_one_stack` does, and for a placement with parts of
    layers, which only the tensors of a GGUF file have apart.
    """
    _check_layers(architecture, placement)
    if placement.overflows:
        raise UsageError("bad_option", "parts of layers can only be placed by the tensors of a GGUF file")
    table = token_table(architecture)
    copied = placement.output_device is not HOST and device == placement.output_device

    def holds(part: Part, place: Place) -> bool:
        if isinstance(place, int):
            return _device_of_part(part, place, placement) == device
        if place == "embedding":
            return device is HOST or (copied and part is table)
        return device == (placement.output_device if place == "end" else placement.first_device)

    return selected(architecture, holds)


def host_share(architecture: Architecture, placement: LayerPlacement) -> Architecture:
    """Return the weights that lie on the host."""
    return device_share(architecture, placement, HOST)


@lru_cache(maxsize=256)
def cache_share(architecture: Architecture, placement: LayerPlacement, device: int | None) -> Architecture:
    """Return the layers whose cache lies on a device, or on the host (None): where the layer itself is."""
    _check_layers(architecture, placement)

    def holds(part: Part, place: Place) -> bool:
        if not isinstance(place, int):
            return False
        return device == (HOST if placement.cache_on_host else placement.device_of_layer[place])

    return selected(architecture, holds)


def _device_of_part(part: Part, layer: int, placement: LayerPlacement) -> int | None:
    component = part.component
    if isinstance(component, ROUTED) and layer in placement.experts_on_host:
        return HOST
    if isinstance(component, FeedForward) and component.role == "feed_forward":
        return HOST if layer in placement.feed_forward_on_host else placement.device_of_layer[layer]
    return placement.device_of_layer[layer]


def _check_layers(architecture: Architecture, placement: LayerPlacement) -> None:
    check_one_stack(architecture, shared_blocks=len(set(placement.device_of_layer)) < 2)
    if architecture.depth != len(placement.device_of_layer):
        count = len(placement.device_of_layer)
        raise UsageError("bad_option", f"a placement of {count:,} layers for {architecture.depth:,} layers")


def _check(proportions: Sequence[float], gpu_layers: int | None) -> None:
    if gpu_layers is not None and gpu_layers < 0:
        raise UsageError("bad_option", f"{gpu_layers:,} layers cannot be on devices; give 0 or more")
    bounded = all(0 <= share <= LARGEST for share in proportions)
    if proportions and not (bounded and any(_fp32(share) for share in proportions)):
        raise UsageError(
            "bad_option", "the parts of a split are numbers from 0, not all of them 0; write 3,1"
        )


def _bounds(proportions: Sequence[float]) -> list[float]:
    """Return the running sums of the proportions over their total, in fp32."""
    sums, running = [], 0.0
    for share in proportions:
        running = _fp32(running + _fp32(share))
        sums.append(running)
    return [_fp32(value / running) for value in sums]


def _fp32(number: float) -> float:
    """Round to the nearest number in fp32."""
    rounded: float = unpack("f", pack("f", number))[0]
    return rounded
