"""Connections of slow senders and readers: deadlines for a header and for taking an answer; their number."""

import asyncio
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import STATUS_PHRASES, H11Protocol

from sizewise.web.problems import MEDIA_TYPE, problem_text
from sizewise.web.security_headers import security_headers
from sizewise.web.settings import Limits


class BoundedConnection(H11Protocol):
    """uvicorn's protocol with limits. Requests that cannot be read are answered with problem documents."""

    limits = Limits()
    """Those of a service; `bounded_connections` sets them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin the time for a header, or refuse where too many are connected."""
        self._header_timer: asyncio.TimerHandle | None = None
        self._unread_timer: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(503, "busy", "too many connections; ask again")
        else:
            self._await_header()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the timers."""
        self._no_header_timer()
        self._no_unread_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a header that has begun has to end in time."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._no_header_timer()
        elif self._header_timer is None:
            self._await_header()

    def on_response_complete(self) -> None:
        """Wait for the next request, or read the one that has come already."""
        super().on_response_complete()
        if self.conn.their_state is not h11.IDLE:
            self._no_header_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP; the parser says whether it was too much of it."""
        error = sys.exc_info()[1]
        too_large = isinstance(error, h11.RemoteProtocolError) and error.error_status_hint == 431
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if too_large:
            self._refuse(431, "header_too_large", f"a header has at most {self.limits.header_bytes:,} bytes")
        else:
            self._refuse(400, "bad_http", "this is no request of HTTP/1.1")

    def pause_writing(self) -> None:
        """Give a sender who does not read some time to do so."""
        super().pause_writing()
        self._no_unread_timer()
        self._unread_timer = self.loop.call_later(self.limits.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: what was written has been read."""
        self._no_unread_timer()
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, at once where an answer was never read."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            super().timeout_keep_alive_handler()

    def _await_header(self) -> None:
        self._header_timer = self.loop.call_later(self.limits.header_seconds, self._no_header)

    def _no_header(self) -> None:
        self._header_timer = None
        if not self.transport.is_closing():
            self._refuse(408, "timeout", f"a header arrives within {self.limits.header_seconds:g} seconds")

    def _no_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _no_unread_timer(self) -> None:
        if self._unread_timer is not None:
            self._unread_timer.cancel()
            self._unread_timer = None

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Answer without the application, and close."""
        self._no_header_timer()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            content = problem_text(status, code, detail).encode("ascii")
            headers = [
                (b"content-type", MEDIA_TYPE.encode("ascii")),
                (b"content-length", str(len(content)).encode("ascii")),
                (b"cache-control", b"no-store"),
                (b"connection", b"close"),
                *security_headers(),
            ]
            response = h11.Response(status_code=status, headers=headers, reason=STATUS_PHRASES[status])
            for event in (response, h11.Data(data=content), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
        self.loop.call_later(self.limits.unread_seconds, self.transport.abort)


def bounded_connections(limits: Limits) -> type[asyncio.Protocol]:
    """Return the protocol with these limits."""
    fields: dict[str, Any] = {"limits": limits}
    return type("BoundedConnection", (BoundedConnection,), fields)
