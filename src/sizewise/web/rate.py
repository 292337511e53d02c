"""How often one address may ask: a bucket of permits that fills at a steady rate."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from time import monotonic

from starlette.types import ASGIApp, Receive, Scope, Send

from sizewise.web.problems import CLOSE, problem
from sizewise.web.settings import Limits


@dataclass(slots=True)
class Bucket:
    """Permits that are left, and when that was so (seconds)."""

    permits: float
    at: float


class RateLimit:
    """Refuses addresses that ask too often (429); this machine may ask as often as it likes.

    Buckets are kept of the addresses that asked last, so many as the limits say.
    """

    def __init__(self, app: ASGIApp, *, limits: Limits, clock: Callable[[], float] = monotonic) -> None:
        self.app = app
        self.limits = limits
        self.clock = clock
        self.buckets: OrderedDict[str, Bucket] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if its address has a permit left."""
        client = scope.get("client")
        wait = 0.0 if scope["type"] != "http" or client is None else self.wait(client[0])
        if wait > 0:
            headers = {"Retry-After": str(ceil(wait)), **CLOSE}
            detail = f"at most {self.limits.rate:g} requests a second from one address"
            await problem(429, "too_many_requests", detail, headers)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def wait(self, address: str) -> float:
        """Return 0 and take a permit, or the seconds until there is one."""
        if is_loopback(address):
            return 0.0
        now, limits = self.clock(), self.limits
        bucket = self.buckets.pop(address, None) or Bucket(limits.burst, now)
        bucket.permits = min(limits.burst, bucket.permits + (now - bucket.at) * limits.rate)
        bucket.at = now
        self.buckets[address] = bucket
        if len(self.buckets) > limits.addresses:
            self.buckets.popitem(last=False)
        if bucket.permits < 1:
            return (1 - bucket.permits) / limits.rate
        bucket.permits -= 1
        return 0.0


def is_loopback(address: str) -> bool:
    """Tell whether an address is this machine's own.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("10.0.0.1")
    (True, True, False)
    """
    return address == "::1" or address.removeprefix("::ffff:").startswith("127.")
