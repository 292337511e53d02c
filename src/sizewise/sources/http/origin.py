"""Origins and checked URLs: what may be asked at all."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request goes: scheme, host in lower case, port."""

    scheme: str
    host: str
    port: int

    @property
    def loopback(self) -> bool:
        """Tell whether the host is this machine."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A checked URL: its origin, and path with query."""

    origin: Origin
    path: str


def parse_target(url: str) -> Target | None:
    """Return the parts of an http(s) URL; None for user-info, control characters or any other scheme.

    >>> parse_target("https://huggingface.co/a?b=c")
    Target(origin=Origin(scheme='https', host='huggingface.co', port=443), path='/a?b=c')
    >>> parse_target("https://user@huggingface.co/")
    """
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or len(url) > 8192:
        return None
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    except (ValueError, KeyError):
        return None
    if "@" in parts.netloc or not parts.hostname:
        return None
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(origin=Origin(scheme=parts.scheme, host=parts.hostname, port=port), path=path)


def host_of(origin: Origin) -> str:
    """Return the host as it stands in a URL: an IPv6 address in brackets."""
    return f"[{origin.host}]" if ":" in origin.host else origin.host


def url_of(target: Target) -> str:
    """Return the URL of a target, its port always named."""
    return f"{target.origin.scheme}://{host_of(target.origin)}:{target.origin.port}{target.path}"
