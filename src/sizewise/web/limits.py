"""Limits of a request before its body: address, headers, how many at once."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sizewise.web.problems import CLOSE, problem
from sizewise.web.settings import Limits


class RequestLimits:
    """Refuses long addresses (414) and large headers (431); a HEAD is a GET without the content."""

    def __init__(self, app: ASGIApp, *, limits: Limits) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if it keeps the limits."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limits, headers = self.limits, scope["headers"]
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > limits.url_bytes:
            detail = f"an address has at most {limits.url_bytes:,} bytes; post longer questions"
            await problem(414, "too_long", detail, CLOSE)(scope, receive, send)
        elif len(headers) > limits.headers or sum(map(_length, headers)) > limits.header_bytes:
            detail = f"at most {limits.headers} headers of {limits.header_bytes:,} bytes in all"
            await problem(431, "header_too_large", detail, CLOSE)(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self.app({**scope, "method": "GET"}, receive, _without_content(send))
        else:
            await self.app(scope, receive, send)


class AtOnce:
    """Answers so many requests at the same time; the next is told to come again (503)."""

    def __init__(self, app: ASGIApp, *, most: int) -> None:
        self.app = app
        self.most = most
        self.running = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on if there is a place for it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self.running >= self.most:
            headers = {"Retry-After": "1", **CLOSE}
            await problem(503, "busy", "too many requests at once; ask again", headers)(scope, receive, send)
            return
        self.running += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.running -= 1


def _length(header: tuple[bytes, bytes]) -> int:
    return len(header[0]) + len(header[1])


def _without_content(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message = {**message, "body": b""}
        await send(message)

    return sent
