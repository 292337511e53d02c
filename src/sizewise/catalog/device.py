"""What a device is: its memory, its bandwidth, its peak rates, and where these facts come from."""

from dataclasses import dataclass, field, replace
from typing import Literal

from sizewise.catalog.device_rows import Confidence
from sizewise.errors import UsageError
from sizewise.hashed_once import HashedOnce
from sizewise.ledger import Status
from sizewise.units import MEMORY_LIMIT, binary_bytes

CUSTOM = "custom"
"""Id of a device that its user describes: its memory, perhaps its bandwidth and one peak rate."""

Cell = Literal["memory", "bandwidth", "rates", "link", "power"]
"""A group of facts that can be in doubt by itself."""

_DOUBTS: dict[str, tuple[Cell, ...]] = {
    "all cells": ("memory", "bandwidth", "rates", "link", "power"),
    "bandwidth": ("bandwidth",),
    "rates": ("rates",),
    "link": ("link",),
    "power": ("power",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeakRates:
    """Peak dense rates in operations per second, without sparsity; None: unknown or not supported.

    ``bf16`` accumulates in FP32, ``fp16`` in FP16, which is twice as fast on GeForce cards.
    """

    fp32: float | None = None
    tf32: float | None = None
    bf16: float | None = None
    fp16: float | None = None
    fp8: float | None = None
    int8: float | None = None
    fp4: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Device(HashedOnce):
    """One device. Sizes are bytes, ``bandwidth`` and ``link_bandwidth`` bytes per second.

    ``memory_bytes`` is what programs may use; ``memory_status`` speaks of the total it was derived from,
    and ``memory_basis`` says where that comes from. ``architecture`` is the generation of the part
    (``hopper``, ``rdna3``, ``apple-m3``). ``notes`` say how the name was read.
    """

    __hash__ = HashedOnce.__hash__

    id: str
    name: str
    vendor: str
    kind: str
    memory_bytes: int
    memory_status: Status
    memory_basis: str
    nominal_bytes: int
    architecture: str = ""
    memory_kind: str = ""
    display_reserve_bytes: int = 0
    system_reserve_bytes: int = 0
    unified_memory: str | None = None
    memory_is_chosen: bool = False
    bandwidth: int | None = None
    rates: PeakRates = PeakRates()
    link_kind: str | None = None
    link_bandwidth: int | None = None
    watts: int | None = None
    source: str = ""
    second_source: str = ""
    checked: str = ""
    confidence: Confidence = "unverified"
    to_check: tuple[str, ...] = ()
    note: str = ""
    notes: tuple[str, ...] = field(default=(), compare=False)

    @property
    def doubtful(self) -> frozenset[Cell]:
        """The facts that no two sources agree on: they answer as ``assumed`` and with a warning.

        A total of memory that public listings show is in no doubt.
        """
        doubts = frozenset(cell for doubt in self.to_check for cell in _DOUBTS.get(doubt, ()))
        return doubts - {"memory"} if self.memory_status == "exact" else doubts


def custom_device(
    memory_bytes: int, *, name: str = "", bandwidth: int | None = None, rate: float | None = None
) -> Device:
    """Return a device by what its user says of it: usable memory (bytes), bandwidth (bytes per second) and
    one peak dense rate (operations per second), which is taken for bf16 and fp16 alike.

    >>> custom_device(24 * 2**30).name
    '24 GiB device'
    """
    memory = memory_given(memory_bytes)
    return Device(
        id=CUSTOM,
        name=name or f"{binary_bytes(memory)} device",
        vendor="",
        kind=CUSTOM,
        memory_bytes=memory,
        memory_status="exact",
        memory_basis="given",
        nominal_bytes=memory,
        bandwidth=bandwidth,
        rates=PeakRates(bf16=rate, fp16=rate),
    )


def with_memory(device: Device, memory_bytes: int) -> Device:
    """Return the device with that usable memory (bytes), as its user says: nothing is taken off."""
    return replace(
        device,
        memory_bytes=memory_given(memory_bytes),
        memory_status="exact",
        memory_basis="given",
        display_reserve_bytes=0,
        system_reserve_bytes=0,
    )


def memory_given(memory_bytes: int) -> int:
    """Return the bytes that a user gave. Raises UsageError (bad_option) for less than one or over 1 EiB."""
    if not 1 <= memory_bytes <= MEMORY_LIMIT:
        raise UsageError("bad_option", f"{memory_bytes:,} bytes is no memory of a device; write 24GiB")
    return memory_bytes
