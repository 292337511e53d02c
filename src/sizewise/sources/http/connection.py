"""One HTTP connection that obeys a deadline and counts what arrives, headers included.

The time-out of every receive is what is left until the deadline, so a server that drips bytes cannot
hold the run; a time-out per read alone would let it. The answer of a proxy is read under the same bounds.
"""

import http.client
import io
import re
import socket
import ssl
import threading
from typing import TYPE_CHECKING, Any, cast

from sizewise.errors import HubError
from sizewise.sources.http.budget import Budget
from sizewise.sources.http.origin import Origin
from sizewise.sources.http.proxy import Proxy, proxy_for

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

HEADER_BYTES = 65_536
CONNECT_SECONDS = 10.0
"""For one address, so that a dead one leaves time for the next."""
_TUNNEL_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3})(?= |\r)")


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
        self.proxy = proxy_for(origin)

    def connect(self) -> None:
        """Connect, by way of the proxy if there is one, and shake hands for https."""
        plain = _connected(self.proxy.origin if self.proxy else self._origin, self._budget)
        try:
            if self.proxy is not None and self._context is not None:
                _open_tunnel(plain, self.proxy, self._origin, self._budget)
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


def _open_tunnel(sock: socket.socket, proxy: Proxy, origin: Origin, budget: Budget) -> None:
    """Ask the proxy for a tunnel; nothing but its headers may come before the hub speaks."""
    sock.settimeout(budget.seconds_left())
    sock.sendall(proxy.tunnel_request(origin))
    head = bytearray()
    while b"\r\n\r\n" not in head:
        sock.settimeout(budget.seconds_left())
        piece = sock.recv(4096)
        budget.spend_bytes(len(piece))
        head += piece
        if not piece or len(head) > HEADER_BYTES:
            raise HubError("http_error", "the proxy does not answer in HTTP; check HTTPS_PROXY")
    status = _TUNNEL_STATUS.match(head)
    if status is None or status[1][:1] != b"2":
        shown = status[1].decode("ascii") if status else "with no status"
        advice = "give it as http://user:password@host:port" if shown == "407" else "check HTTPS_PROXY"
        raise HubError("http_error", f"the proxy answered {shown} and opens no way to the hub; {advice}")
    if not head.endswith(b"\r\n\r\n"):
        raise HubError("http_error", "the proxy sends bytes of its own before the hub does")


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
