"""The ideal engine: holds exactly what the arithmetic needs, with no rounding and no overhead.

It is nobody's engine: the floor that the others are compared with.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sizewise.catalog.devices import Device
from sizewise.ledger import Line, total
from sizewise.operations import Kept, SequenceState
from sizewise.runtimes import CacheRequest, Extent, cache_line, limited_extent
from sizewise.runtimes.working import Part, Working, cache_request, whole_device
from sizewise.scenario import Scenario

SOURCE = "what the next token needs"


def past_inputs(state: SequenceState) -> Extent:
    """Return the columns that a convolution needs of the past: kernel - 1."""
    inputs = {"kernel": state.kernel}
    return Extent(amount=max(state.kernel - 1, 0), formula="(kernel - 1)", inputs=inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ideal:
    """Windows and chunks at their length, kernel - 1 past inputs, recurrent states in fp32."""

    name: ClassVar[str] = "ideal"
    version: ClassVar[str] = "1"

    def cache(self, kept: Iterable[tuple[Kept, int]], request: CacheRequest) -> Line:
        """Return the bytes of the cache of all sequences at full context."""
        return cache_line(kept, request, tokens=limited_extent, columns=past_inputs, source=SOURCE)

    def usable(self, device: Device, scenario: Scenario) -> int:
        """Return all usable bytes of a device."""
        return whole_device(device, scenario)

    def working(self, part: Part) -> Working:
        """Return the cache; neither buffers nor overhead."""
        return Working(
            cache=self.cache(part.cached.kept(), cache_request(part)),
            buffers=total("buffers", (), "bytes"),
            overhead=total("overhead", (), "bytes"),
        )
