"""One HTTP connection that obeys a deadline and counts what arrives, headers included.

The time-out of every receive is what is left until the deadline, so a server that drips bytes cannot
hold the run; a time-out per read alone would let it.
"""

import http.client
import io
import ipaddress
import socket
import ssl
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from sizewise.errors import HubError
from sizewise.sources.http_budget import Budget

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

HEADER_BYTES = 65_536
CONNECT_SECONDS = 10.0
"""For one address, so that a dead one leaves time for the next."""


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


def url_of(target: Target) -> str:
    """Return the URL of a target, its port always named."""
    origin = target.origin
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    return f"{origin.scheme}://{host}:{origin.port}{target.path}"


class BoundedConnection(http.client.HTTPConnection):
    """A connection to one origin whose every wait ends at the budget's deadline."""

    def __init__(self, origin: Origin, budget: Budget, context: ssl.SSLContext | None) -> None:
        """Prepare; nothing is sent before the first request."""
        self.default_port = 443 if origin.scheme == "https" else 80  # keeps it out of the Host header
        super().__init__(origin.host, origin.port)
        self._origin = origin
        self._budget = budget
        self._context = context
        self._wire: _Wire | None = None

    def connect(self) -> None:
        """Connect, and shake hands for https."""
        plain = _connected(self._origin, self._budget)
        try:
            plain.settimeout(self._budget.seconds_left())
            if self._context is not None:
                plain = self._context.wrap_socket(plain, server_hostname=self._origin.host)
        except BaseException:
            plain.close()
            raise
        self._wire = _Wire(plain, self._budget)
        self.sock = cast("Any", self._wire)

    def answer(self) -> http.client.HTTPResponse:
        """Return the response with its headers read, 64 KiB of them at most."""
        wire = self._wire
        assert wire is not None
        wire.header_room = HEADER_BYTES
        response = self.getresponse()
        wire.header_room = None
        return response

    def abandon(self) -> None:
        """Close at once, whatever response is still being read."""
        self.close()
        if self._wire is not None:
            self._wire.abandon()

    @property
    def surplus(self) -> bool:
        """Tell whether more than the promised bytes of the last response arrived."""
        return self._wire is not None and self._wire.surplus


class _Wire:
    """The part of a socket that http.client uses, with deadline and count."""

    def __init__(self, sock: socket.socket, budget: Budget) -> None:
        self.header_room: int | None = None
        self.surplus = False
        self._socket = sock
        self._budget = budget
        self._streams = 0
        self._closed = False

    def sendall(self, data: "ReadableBuffer") -> None:
        self._socket.settimeout(self._budget.seconds_left())
        self._socket.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        self._streams += 1
        return _Incoming(_Receiver(self))

    def close(self) -> None:
        """Close the socket as soon as no response reads from it any more."""
        self._closed = True
        if not self._streams:
            self._socket.close()

    def abandon(self) -> None:
        self._socket.close()

    def release(self) -> None:
        """Note that a response is done with the socket."""
        self._streams -= 1
        if self._closed:
            self.close()

    def receive(self, buffer: "WriteableBuffer") -> int:
        self._socket.settimeout(self._budget.seconds_left())
        count = self._socket.recv_into(buffer)
        self._budget.spend_bytes(count)
        if self.header_room is not None:
            self.header_room -= count
            if self.header_room < 0:
                raise HubError("http_too_large", f"the hub sent more than {HEADER_BYTES:,} bytes of headers")
        return count

    def receive_now(self, buffer: "WriteableBuffer") -> int:
        """Receive what has arrived already, nothing otherwise."""
        try:
            self._socket.settimeout(0)
            return self._socket.recv_into(buffer)
        except OSError:
            return 0


class _Receiver(io.RawIOBase):
    """The receiving side of a wire as a raw stream."""

    def __init__(self, wire: _Wire) -> None:
        self.wire = wire
        self.ending = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self.wire.receive_now(buffer) if self.ending else self.wire.receive(buffer)


class _Incoming(io.BufferedReader):
    """The stream of one response; on closing it notes whether bytes beyond the response have arrived."""

    def __init__(self, receiver: _Receiver) -> None:
        super().__init__(receiver)
        self._receiver = receiver

    def close(self) -> None:
        if not self.closed:
            self._receiver.ending = True
            self._receiver.wire.surplus = bool(self.peek(1))
            self._receiver.wire.release()
        super().close()


def _connected(origin: Origin, budget: Budget) -> socket.socket:
    """Return a socket connected to the first address of the host that answers."""
    problem: OSError | None = None
    for family, kind, protocol, address in _addresses(origin, budget):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(min(CONNECT_SECONDS, budget.seconds_left()))
            sock.connect(address)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except OSError as error:
            sock.close()
            problem = error
        else:
            return sock
    raise problem or ConnectionError("no address")


_Address = tuple[socket.AddressFamily, socket.SocketKind, int, Any]


def _addresses(origin: Origin, budget: Budget) -> list[_Address]:
    """Return the addresses of a host; the look-up has no time-out of its own, so it runs beside us."""
    found: list[_Address] = []
    failed: list[OSError] = []

    def look_up() -> None:
        try:
            rows = socket.getaddrinfo(origin.host, origin.port, type=socket.SOCK_STREAM)
            found.extend((family, kind, protocol, address) for family, kind, protocol, _, address in rows)
        except (OSError, UnicodeError) as error:
            failed.append(error if isinstance(error, OSError) else socket.gaierror(str(error)))

    worker = threading.Thread(target=look_up, daemon=True)
    worker.start()
    worker.join(budget.seconds_left())
    if failed:
        raise failed[0]
    if not found:
        raise budget.timeout()
    return found
