"""What llama.cpp's fitting is asked, what it tries and what it settles on.

Source: llama.cpp lib 0.5.0, common/fit.cpp.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from sizewise.catalog.sharing import fit_defaults

Overflow = Literal["experts", "attention", "up", "gate"]
"""What a partial layer keeps elsewhere: its routed experts · its whole feed-forward layer, so that the
attention stays · gate and down, so that up stays · down, so that gate and up stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceLayers:
    """``layers`` of one device, the output counted as one, of which the last ``partial`` are partial.

    The first partial layer keeps ``overflow`` on the next device or on the host, all others keep their
    experts on the host.
    """

    layers: int = 0
    partial: int = 0
    overflow: Overflow = "experts"
    overflows_to_next: bool = False

    @property
    def full(self) -> int:
        """Count the layers that are here whole."""
        return self.layers - self.partial


Layout = tuple[DeviceLayers, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What is measured: a context in all (for all streams) and the layers of each device.

    Without a layout all layers are on devices, split by free memory; with ``host_experts`` all routed
    experts are on the host.
    """

    context: int
    layout: Layout | None = None
    host_experts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Needed:
    """Bytes that each device needs: in all, and of that for weights. Without devices those of the host."""

    total: tuple[int, ...]
    weights: tuple[int, ...]


Measure = Callable[[Trial], Needed]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitRequest:
    """What is to be fitted: ``layers`` repeating layers into ``free`` bytes of each device.

    ``devices`` is false where there is only a host, whose memory is ``free`` then. ``context`` 0 means
    that the engine chooses it; otherwise it stays. ``streams`` sequences have a cache of their own.
    """

    layers: int
    free: tuple[int, ...]
    trained_context: int
    context: int = 0
    streams: int = 1
    experts: bool = False
    devices: bool = True
    margin: int = field(default_factory=lambda: fit_defaults().margin)
    minimum_context: int = field(default_factory=lambda: fit_defaults().minimum_context)

    @property
    def targets(self) -> tuple[int, ...]:
        """Bytes that each device may use."""
        return tuple(free - self.margin for free in self.free)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """What the engine runs; ``fits`` is false where it gives up and loads what was asked for."""

    trial: Trial
    fits: bool = True
