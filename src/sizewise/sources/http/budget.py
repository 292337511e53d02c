"""What a run may still ask of the network: bytes on the wire, requests, and one deadline for all."""

import time
from dataclasses import dataclass

from sizewise.errors import HubError

PER_SHARD_REQUESTS = 3
"""A redirect, the first part of a header, the rest of a long one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one run. ``bytes`` counts everything that arrives, ``seconds`` runs from the start."""

    bytes: int = 40 * 2**20
    requests: int = 25
    seconds: float = 30.0
    redirects: int = 3
    retries: int = 2
    waiting_seconds: float = 5.0


class Budget:
    """The bounds of one run and what is left of them; shared by all its requests.

    Every spending method raises HubError (http_timeout, http_too_large) when nothing is left.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        """Start the clock."""
        self.limits = limits or Limits()
        self.requests = 0
        self.bytes = 0
        self._allowed_requests = self.limits.requests
        self._waited = 0.0
        self._end = time.monotonic() + self.limits.seconds

    @property
    def bytes_left(self) -> int:
        """Bytes that may still arrive."""
        return self.limits.bytes - self.bytes

    def seconds_left(self) -> float:
        """Return the seconds until the deadline, always above 0."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise self.timeout()
        return left

    def allow_shards(self, shards: int) -> None:
        """Make room for the requests of a model of several files."""
        self._allowed_requests = self.limits.requests + PER_SHARD_REQUESTS * shards

    def spend_request(self) -> None:
        """Count one request."""
        if self.requests >= self._allowed_requests:
            raise HubError(
                "http_too_large",
                f"the hub needs more than {self._allowed_requests} requests for this model; "
                "download it and give its folder",
            )
        self.requests += 1

    def spend_bytes(self, count: int) -> None:
        """Count bytes that arrived."""
        self.bytes += count
        if self.bytes > self.limits.bytes:
            raise HubError(
                "http_too_large",
                f"the hub sent more than {self.limits.bytes:,} bytes; download the model and give its folder",
            )

    def wait(self, seconds: float) -> bool:
        """Sleep if the waiting allowance and the deadline have room for it; tell whether they had."""
        left = self._end - time.monotonic()
        if self._waited + seconds > self.limits.waiting_seconds or seconds >= left:
            return False
        self._waited += seconds
        time.sleep(seconds)
        return True

    def timeout(self) -> HubError:
        """Return the error that says that the deadline passed."""
        return HubError(
            "http_timeout",
            f"the hub did not answer completely within {self.limits.seconds:g} s; "
            "try again, or download the file and give its path",
        )
