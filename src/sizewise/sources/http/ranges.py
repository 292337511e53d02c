"""Read parts of remote files without trusting the server: exact ranges, bounded, to a deadline.

A 206 counts only when its Content-Range is the asked one and its total the same on every request; a 200
only when its announced length is small; a compressed answer never. Redirects lead to the endpoint itself
or to Hugging Face's own hosts, and the token goes to the endpoint alone, never past a proxy that could
read it. One connection per host is kept and one request runs at a time.
"""

import http.client
import re
import socket
import ssl
from dataclasses import dataclass
from typing import NoReturn

from sizewise.errors import HubError, InputError, UsageError
from sizewise.escaping import shorten
from sizewise.sources.http.answer import Ask, asked_wait, body, commit_of, fault, promised, redirected
from sizewise.sources.http.budget import Budget
from sizewise.sources.http.connection import BoundedConnection
from sizewise.sources.http.origin import Origin, Target, parse_target, url_of
from sizewise.sources.http.proxy import absolute
from sizewise.sources.http.status import TRANSIENT, status_error

FIRST_BYTES = 96 * 1024
"""What is asked of a file first: the whole header of most files in one request."""
FIRST_BYTES_LIMIT = 2**20
"""The same where an index told that the header is longer."""
DRAINED_BYTES = 16_384
"""The body of a redirect is read up to this size, so that its connection can be used again."""
_RETRY_SECONDS = 0.5
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOKEN = re.compile(r"[!-~]{1,4096}")
_CDN_HOST = re.compile(r"huggingface\.co|([a-z0-9-]+\.)+(huggingface\.co|hf\.co)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Bytes ``start`` and on of a file of ``total`` bytes, and where they came from."""

    data: bytes
    start: int
    total: int
    url: str
    commit: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reply:
    """A response behind all redirects, its body not read yet."""

    response: http.client.HTTPResponse
    connection: BoundedConnection
    url: str
    commit: str | None


class _TransientError(Exception):
    """Something that another attempt may cure, and the seconds that the server asks to wait."""

    def __init__(self, error: HubError, wait: float = 0.0) -> None:
        super().__init__()
        self.error = error
        self.wait = wait


class RangeClient:
    """The requests of one run, under one budget.

    Raises HubError: http_status, http_range, http_encoding, http_redirect, http_timeout,
    http_too_large, http_error. No message holds an address, a token or unescaped text of the server.
    """

    def __init__(self, endpoint: str, token: str | None, budget: Budget) -> None:
        """Prepare; nothing is sent yet. Raises UsageError (bad_option) for an endpoint without TLS."""
        self.budget = budget
        self._endpoint = checked_endpoint(endpoint)
        self._token = _checked_token(token)
        self._connections: dict[Origin, BoundedConnection] = {}
        self._context: ssl.SSLContext | None = None

    def whole(self, url: str, name: str, limit: int) -> Part:
        """Return a whole small file, at most ``limit`` bytes."""
        return self._attempts(Ask(url=url, name=name, limit=limit))

    def part(self, url: str, name: str, start: int, length: int, total: int | None = None) -> Part:
        """Return ``length`` bytes from ``start``, fewer only at the end of the file.

        Where the server sends whole files only, a file that fits the budget comes whole.
        """
        span = (start, start + length - 1)
        return self._attempts(Ask(url=url, name=name, limit=length, span=span, total=total))

    def open(self, url: str, name: str, header_bytes: int = 0) -> "HubFile":
        """Return a remote file whose first bytes are here, ``header_bytes`` of them if that is known."""
        first = min(max(FIRST_BYTES, header_bytes), FIRST_BYTES_LIMIT)
        return HubFile(self, name, self.part(url, name, 0, first))

    def close(self) -> None:
        """Close all connections; the next request opens new ones."""
        while self._connections:
            self._connections.popitem()[1].abandon()

    def _attempts(self, ask: Ask) -> Part:
        """Ask, and ask again where that may help."""
        retries = self.budget.limits.retries
        while True:
            try:
                return self._once(ask)
            except _TransientError as failure:
                retries -= 1
                if retries < 0 or not self.budget.wait(failure.wait or _RETRY_SECONDS):
                    raise failure.error from None

    def _once(self, ask: Ask) -> Part:
        """Ask once; whatever goes wrong leaves no connection open."""
        try:
            return self._read(ask, self._follow(ask))
        except (http.client.HTTPException, OSError, ValueError) as problem:
            self.close()
            self._fail(problem, ask.name)
        except BaseException:
            self.close()
            raise

    def _fail(self, problem: Exception, name: str) -> NoReturn:
        """Raise what a fault of the connection or of the protocol means."""
        if isinstance(problem, TimeoutError):
            raise self.budget.timeout() from None
        if isinstance(problem, ssl.SSLCertVerificationError):
            why = "the hub's certificate is not trusted here; set SSL_CERT_FILE to your certificates"
            raise fault("http_error", name, why) from None
        if isinstance(problem, socket.gaierror):
            why = "the hub's or the proxy's address is not found; check the network, or give a local path"
            raise fault("http_error", name, why) from None
        why = f"the connection to the hub failed ({type(problem).__name__}); try again"
        if isinstance(problem, ConnectionError | http.client.IncompleteRead):
            raise _TransientError(fault("http_error", name, why)) from None
        raise fault("http_error", name, why) from None

    def _follow(self, ask: Ask) -> _Reply:
        """Send the request, again to where redirects lead; return the first other answer."""
        target, commit = parse_target(ask.url), None
        if target is None:
            raise fault("http_error", ask.name, "the file has no usable address; check HF_ENDPOINT")
        for _ in range(self.budget.limits.redirects + 1):
            if target.origin != self._endpoint and not _is_cdn(target.origin):
                where = shorten(target.origin.host)
                raise fault("http_redirect", ask.name, f"the hub redirects to {where}, which is refused")
            connection = self._connection(target.origin)
            response = self._send(connection, target, ask)
            if target.origin == self._endpoint:
                commit = commit_of(response) or commit
            if response.status not in _REDIRECTS:
                return _Reply(response=response, connection=connection, url=url_of(target), commit=commit)
            target = redirected(target, response, ask.name)
            _drain(response, connection)
        raise fault(
            "http_redirect", ask.name, f"the hub redirects more than {self.budget.limits.redirects} times"
        )

    def _connection(self, origin: Origin) -> BoundedConnection:
        if origin not in self._connections:
            secure = origin.scheme == "https"
            if secure and self._context is None:
                self._context = ssl.create_default_context()
            context = self._context if secure else None
            self._connections[origin] = BoundedConnection(origin, self.budget, context)
        return self._connections[origin]

    def _send(self, connection: BoundedConnection, target: Target, ask: Ask) -> http.client.HTTPResponse:
        """Return the response to one request; a kept connection that the server closed is opened anew."""
        headers = {"Accept-Encoding": "identity", "User-Agent": "sizewise"}
        if ask.span is not None:
            headers["Range"] = f"bytes={ask.span[0]}-{ask.span[1]}"
        place = target.path
        if connection.proxy is not None and target.origin.scheme == "http":
            place = absolute(target)
            headers |= connection.proxy.headers()
        elif self._token and target.origin == self._endpoint:
            headers["Authorization"] = f"Bearer {self._token}"
        kept = connection.sock is not None
        try:
            return self._exchange(connection, place, headers)
        except (ConnectionError, http.client.BadStatusLine):
            connection.abandon()
            if not kept:
                raise
        return self._exchange(connection, place, headers)

    def _exchange(
        self, connection: BoundedConnection, place: str, headers: dict[str, str]
    ) -> http.client.HTTPResponse:
        self.budget.spend_request()
        connection.request("GET", place, headers=headers)
        return connection.answer()

    def _read(self, ask: Ask, reply: _Reply) -> Part:
        """Return the body of an answer that is as it must be."""
        response = reply.response
        if response.status != 200 and (response.status != 206 or ask.span is None):
            error = status_error(response.status, response.headers.get("X-Error-Code"), ask.name)
            if response.status in TRANSIENT:
                raise _TransientError(error, asked_wait(response))
            raise error
        promise = promised(response, ask, self.budget.bytes_left)
        data = body(response, promise, ask.name)
        if reply.connection.surplus:
            raise fault("http_range", ask.name, "the hub sends more bytes than it announced")
        total = len(data) if promise.total is None else promise.total
        return Part(data=data, start=promise.start, total=total, url=reply.url, commit=reply.commit)


class HubFile:
    """A remote file, read by range; what was read of its start is kept, and the last part read elsewhere."""

    def __init__(self, client: RangeClient, name: str, first: Part) -> None:
        """Take the first part."""
        self.name = name
        self.size = first.total
        self.commit = first.commit
        self._client = client
        self._url = first.url
        self._start = bytearray(first.data)
        self._elsewhere, self._elsewhere_at = b"", 0

    def read(self, start: int, length: int) -> bytes:
        """Return exactly ``length`` bytes from ``start``. Raises InputError (truncated) and HubError."""
        end = start + length
        if end > self.size:
            raise InputError("truncated", f"{self.name} has {self.size:,} bytes and ends before {end:,}")
        if start > len(self._start):
            return self._read_elsewhere(start, end)
        if end > len(self._start):
            ahead = min(self.size, max(end, 2 * len(self._start))) - len(self._start)
            self._start += self._fetch(len(self._start), ahead)
        return bytes(memoryview(self._start)[start:end])

    def _read_elsewhere(self, start: int, end: int) -> bytes:
        """Return bytes that do not join the start, such as the directory at the end of a zip."""
        known = range(self._elsewhere_at, self._elsewhere_at + len(self._elsewhere) + 1)
        if start not in known or end not in known:
            self._elsewhere, self._elsewhere_at = self._fetch(start, end - start), start
        place = start - self._elsewhere_at
        return self._elsewhere[place : place + end - start]

    def _fetch(self, start: int, length: int) -> bytes:
        """Return one range, straight from where the first redirect led."""
        part = self._client.part(self._url, self.name, start, length, self.size)
        return part.data[start - part.start :][:length]


def checked_endpoint(endpoint: str) -> Origin:
    """Return the origin of the hub: https, or http on this machine.

    Raises UsageError (bad_option). The text is not repeated: it may hold a password.
    """
    target = parse_target(endpoint)
    if target is None or (target.origin.scheme != "https" and not target.origin.loopback):
        raise UsageError("bad_option", "HF_ENDPOINT must be an https address without user and password")
    return target.origin


def _checked_token(token: str | None) -> str | None:
    if token and not _TOKEN.fullmatch(token):
        raise HubError("http_error", "the Hugging Face token holds characters that none has; log in again")
    return token


def _is_cdn(origin: Origin) -> bool:
    return origin.scheme == "https" and origin.port == 443 and _CDN_HOST.fullmatch(origin.host) is not None


def _drain(response: http.client.HTTPResponse, connection: BoundedConnection) -> None:
    """Read the small body of a redirect, or give the connection up."""
    small = response.length is not None and response.length <= DRAINED_BYTES
    if small:
        response.read()
    response.close()
    if not small or connection.surplus:
        connection.abandon()
