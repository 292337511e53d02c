"""Scenario: what is assumed about a run. Everything in it is printed with the answer."""

from dataclasses import dataclass

from sizewise.catalog.devices import Device
from sizewise.catalog.formats import CacheFormat, Format
from sizewise.formats.scheme import Scheme
from sizewise.ledger import Line

DEFAULT_CONTEXT = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """``count`` devices of one kind."""

    device: Device
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One run: tokens per sequence, sequences at once, formats, engine and devices.

    ``weights`` is the main format of the weights and ``scheme`` how each of them is stored in it.
    """

    context: int
    sequences: int
    image_tokens: int = 0
    """Tokens of the context that pictures take."""
    audio: Line | None = None
    """Tokens of the context that sound takes, a part per piece; None where there is none."""
    encoder_tokens: int | None = None
    """Keys that cross-attention keeps of pictures; None where it keeps those of an encoder of text."""
    weights: Format
    scheme: Scheme
    shipped: Line | None = None
    """Bytes of the weights as the checkpoint's own header says them."""
    cache: CacheFormat
    runtime: str
    placements: tuple[Placement, ...] = ()

    @property
    def audio_tokens(self) -> int:
        """Count the tokens of the context that sound takes."""
        return 0 if self.audio is None else int(self.audio.value)

    @property
    def devices(self) -> int:
        """Count the devices the model is shared over; 1 when none is named."""
        return sum(placement.count for placement in self.placements) or 1
