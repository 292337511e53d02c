"""Memory that host and device share: what each needs then counts together.

Source of the shares: ``facts/unified_memory/shares.toml``.
"""

from dataclasses import dataclass

from sizewise.catalog.devices import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """Bytes needed of a memory and its limit; ``memory`` says whose memory it is."""

    memory: str
    needed: int
    limit: int | None
    """None: the host's memory is not known."""

    @property
    def fits(self) -> bool:
        """Tell whether the bytes fit, as far as the limit is known."""
        return self.limit is None or self.needed <= self.limit


def demands(
    device: Device, device_bytes: int, host_bytes: int, host_memory: int | None = None
) -> tuple[Demand, ...]:
    """Return what has to fit: of a device that shares RAM its own part, and both together in all RAM.

    ``host_memory`` is the RAM of a machine whose device has a memory of its own.

    >>> from sizewise.catalog.devices import find_device
    >>> [demand.needed for demand in demands(find_device("m1-16gb"), 9 * 2**30, 3 * 2**30)]
    [9663676416, 12884901888]
    """
    own = Demand(memory="device", needed=device_bytes, limit=device.memory_bytes)
    if device.unified_memory is None:
        return own, Demand(memory="host", needed=host_bytes, limit=host_memory)
    together = device.nominal_bytes - device.system_reserve_bytes
    return own, Demand(memory="shared", needed=device_bytes + host_bytes, limit=together)
