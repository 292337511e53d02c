"""The proxy that the environment names: HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY, as curl reads them.

For https the proxy only relays bytes (CONNECT): certificates are checked end to end, and it sees neither
token nor answer. Only proxies that are spoken to in plain http are known.
Source: RFC 9110 section 9.3.6 (CONNECT), RFC 7617 (Basic).
"""

import base64
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from sizewise.errors import UsageError
from sizewise.sources.http.origin import Origin, Target, host_of, parse_target

_DEFAULT_PORT = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """Where a proxy listens, and what it wants to know of the user; never shown."""

    origin: Origin
    authorization: str | None = field(default=None, repr=False)

    def tunnel_request(self, origin: Origin) -> bytes:
        """Return the request for a tunnel to an origin."""
        place = f"{host_of(origin)}:{origin.port}"
        lines = [f"CONNECT {place} HTTP/1.1", f"Host: {place}", "User-Agent: sizewise"]
        lines += [f"{name}: {value}" for name, value in self.headers().items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")

    def headers(self) -> dict[str, str]:
        """Return the headers that are for the proxy alone."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def proxy_for(origin: Origin) -> Proxy | None:
    """Return the proxy for an origin, None where it is reached directly.

    Raises UsageError (bad_option) for an address of a proxy that cannot be used; it is not repeated, as it
    may hold a password.
    """
    proxies = getproxies()
    address = proxies.get(origin.scheme) or proxies.get("all")
    if not address or _bypassed(origin):
        return None
    proxy = parse_proxy(address)
    if proxy is None:
        name = f"{origin.scheme.upper()}_PROXY"
        raise UsageError(
            "bad_option",
            f"{name} (or ALL_PROXY) must be http://host:port; unset it, or name the hub in NO_PROXY",
        )
    return proxy


def parse_proxy(address: str) -> Proxy | None:
    """Return the proxy of an address such as ``http://user:password@host:3128``; None for any other form.

    >>> parse_proxy("proxy.example:3128").origin
    Origin(scheme='http', host='proxy.example', port=3128)
    >>> parse_proxy("socks5://proxy.example:1080")
    """
    text = address if "://" in address else f"http://{address}"
    try:
        netloc = urlsplit(text).netloc
    except ValueError:
        return None
    user, at, place = netloc.rpartition("@")
    target = parse_target(f"http://{place}/")
    if target is None or not text.lower().startswith("http://"):
        return None
    return Proxy(origin=target.origin, authorization=_basic(user) if at else None)


def absolute(target: Target) -> str:
    """Return what a proxy is asked for in plain http: the whole URL."""
    origin = target.origin
    port = "" if origin.port == _DEFAULT_PORT else f":{origin.port}"
    return f"{origin.scheme}://{host_of(origin)}{port}{target.path}"


def _basic(user: str) -> str:
    name, _, password = user.partition(":")
    pair = f"{unquote(name)}:{unquote(password)}".encode()
    return f"Basic {base64.b64encode(pair).decode('ascii')}"


def _bypassed(origin: Origin) -> bool:
    """Tell whether NO_PROXY, or the system's own list, names an origin by host or by host and port."""
    return bool(proxy_bypass(origin.host) or proxy_bypass(f"{host_of(origin)}:{origin.port}"))
