"""How a service is run: whom it answers, and its limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""The names that this machine has for itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a request may cost. Sizes in bytes, times in seconds.

    ``rate`` requests a second and bursts of ``burst`` are for each address that is not this machine; of
    ``addresses`` a count is kept. ``at_once`` requests are answered at the same time.
    """

    url_bytes: int = 65_536
    headers: int = 100
    header_bytes: int = 16_384
    header_seconds: float = 5.0
    body_seconds: float = 10.0
    idle_seconds: int = 5
    unread_seconds: float = 10.0
    connections: int = 200
    at_once: int = 64
    rate: float = 20.0
    burst: int = 60
    addresses: int = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Whom a service answers: ``hosts`` it may be asked as, who may ``embed`` it, whether it asks the hub.

    ``proxies`` are addresses that are believed to name the asker.
    """

    hosts: frozenset[str] = LOOPBACK
    embed: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    allow_hub: bool = False
    limits: Limits = field(default_factory=Limits)


QUESTION_BYTES = 64_000
"""A body of options."""
CONFIG_BODY_BYTES = 1_100_000
"""A body that may hold a configuration or a file of runs: 1 MB, and the options beside it."""

Bodies = Mapping[str, int]
"""The most bytes of a body, by the path it is posted to."""
