"""Headers of every answer: what a browser may do with it."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors {}"
)


def security_headers(embed: Sequence[str] = ()) -> list[tuple[bytes, bytes]]:
    """Return the headers; ``embed`` are the origins whose pages may show this one in a frame."""
    ancestors = " ".join(embed) or "'none'"
    return [
        (b"content-security-policy", POLICY.format(ancestors).encode("ascii")),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
    ]


class SecurityHeaders:
    """Adds the headers, and ``Cache-Control: no-store`` where an answer says nothing of its own."""

    def __init__(self, app: ASGIApp, *, embed: Sequence[str] = ()) -> None:
        self.app = app
        self.headers = security_headers(embed)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its answer back with the headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = list(message.get("headers", ()))
                said = any(name.lower() == b"cache-control" for name, _ in given)
                cache = [] if said else [(b"cache-control", b"no-store")]
                message = {**message, "headers": [*given, *self.headers, *cache]}
            await send(message)

        await self.app(scope, receive, with_headers)
