"""What this machine can do at most, measured here: bytes a second from memory, FLOPs a second in a format.

A device without published rates is timed by these two numbers. They are what one large copy and one large
product reach, not peaks of a data sheet.
"""

from dataclasses import dataclass

import torch

from sizewise.lab.profiling.clock import timed
from sizewise.lab.profiling.untouched import same_randomness
from sizewise.units import GIB

COPIED = 256 * 2**20
"""Bytes that are copied: more than the caches of a processor hold."""
CALLS = 100
"""Calls of the smallest layer that are timed together."""
SIDE = {"cpu": 1024, "cuda": 8192}
"""Rows of the square matrices that are multiplied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Bytes a second, FLOPs a second, and the bytes of memory that models may use."""

    bandwidth: float
    flops: float
    memory: int
    start: float = 0.0
    """Seconds until the framework has started and done the smallest layer."""

    @property
    def device(self) -> str:
        """The device as ``--on`` takes it, three digits of each number.

        >>> Rates(bandwidth=20.04e9, flops=1.512e11, memory=24 * 2**30).device
        'custom:24GiB,20GB/s,0.151TFLOPS'
        """
        memory, rate = self.memory / GIB, self.flops / 1e12
        return f"custom:{memory:.3g}GiB,{self.bandwidth / 1e9:.3g}GB/s,{rate:.3g}TFLOPS"


def measured_rates(device: torch.device, dtype: torch.dtype, *, memory: int) -> Rates:
    """Measure a device for a quarter of a second each: a copy reads and writes, a product is square."""
    source = torch.ones(COPIED // 4, dtype=torch.float32, device=device)
    target = torch.empty_like(source)
    copied = timed(lambda: target.copy_(source), device, warm_ups=1, seconds=0.25)
    side = SIDE["cuda" if device.type == "cuda" else "cpu"]
    left = torch.ones(side, side, dtype=dtype, device=device)
    product = torch.empty_like(left)
    multiplied = timed(lambda: torch.mm(left, left, out=product), device, warm_ups=1, seconds=0.25)
    return Rates(
        bandwidth=2 * COPIED / copied.least,
        flops=2 * side**3 / multiplied.least,
        memory=memory,
        start=_start(device, dtype),
    )


def _start(device: torch.device, dtype: torch.dtype) -> float:
    """Measure a call of the smallest layer; on a card several wait in its queue."""
    with same_randomness():
        layer = torch.nn.Linear(1, 1, bias=False, device=device, dtype=dtype)
    given = torch.ones(1, 1, device=device, dtype=dtype)

    def calls() -> None:
        for _ in range(CALLS):
            layer(given)

    with torch.inference_mode():
        return timed(calls, device, warm_ups=2, seconds=0.05).seconds / CALLS
