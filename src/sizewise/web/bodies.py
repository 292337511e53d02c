"""Bodies: read whole, within the bytes and seconds of their endpoint, before anything looks at them."""

import asyncio

from fastapi import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sizewise.web.problems import CLOSE, problem
from sizewise.web.settings import Bodies


class WholeBodies:
    """Hands on requests with their whole body; refuses large (413), slow (408) and packed (415) ones.

    ``bodies`` are the most bytes by path; no other path takes a body, and no method but POST. Those of
    ``streamed`` read theirs themselves; reading raises TimeoutError when the time is over.
    """

    def __init__(
        self, app: ASGIApp, *, bodies: Bodies, streamed: frozenset[str] = frozenset(), seconds: float
    ) -> None:
        self.app = app
        self.bodies = bodies
        self.streamed = streamed
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body in one piece."""
        if scope["type"] != "http" or not _has_body(scope):
            await self.app(scope, receive, send)
            return
        path, posted = scope["path"], scope["method"] == "POST"
        if posted and path in self.streamed:
            await self.app(scope, _until(receive, self.seconds), send)
            return
        if (posted and path not in self.bodies) or scope["method"] not in ("GET", "POST"):
            await self.app(scope, receive, _closing(send))
            return
        found = await self._read(scope, receive, self.bodies[path] if posted else 0)
        if found is None:
            return
        if isinstance(found, Response):
            await found(scope, receive, send)
            return
        await self.app(scope, _replay(found, receive), send)

    async def _read(self, scope: Scope, receive: Receive, most: int) -> bytes | Response | None:
        """Return the body, the problem that it is, or None where the sender has gone."""
        if most and _header(scope, b"content-encoding").strip().lower() not in (b"", b"identity"):
            return problem(415, "http_encoding", "send the body as it is, without an encoding", CLOSE)
        length = _header(scope, b"content-length")
        if length.isdigit() and int(length[:19]) > most:
            return _too_large(most)
        try:
            async with asyncio.timeout(self.seconds):
                return await _collected(receive, most)
        except TimeoutError:
            return problem(408, "timeout", f"a body arrives within {self.seconds:g} seconds", CLOSE)


async def _collected(receive: Receive, most: int) -> bytes | Response | None:
    pieces = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces += message.get("body", b"")
        if len(pieces) > most:
            return _too_large(most)
        if not message.get("more_body", False):
            return bytes(pieces)


def _too_large(most: int) -> Response:
    detail = f"a body has at most {most:,} bytes here" if most else "no body is read here"
    return problem(413, "too_large", detail, CLOSE)


def _has_body(scope: Scope) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip(b"0") != b"")
        for name, value in scope["headers"]
    )


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((bytes(value) for name, value in scope["headers"] if name == wanted), b"")


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


def _until(receive: Receive, seconds: float) -> Receive:
    """Return what reads on for so many seconds from now."""
    end = asyncio.get_running_loop().time() + seconds

    async def within() -> Message:
        async with asyncio.timeout_at(end):
            return await receive()

    return within


def _closing(send: Send) -> Send:
    """Close the connection after the answer: the body is left where it is."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), (b"connection", b"close")]}
        await send(message)

    return sent
