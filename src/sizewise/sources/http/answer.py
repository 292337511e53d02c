"""Check one HTTP answer against what was asked: kind, range, length, and the body to the byte.

Source: RFC 9110 sections 8.4 (encodings), 8.6 (Content-Length), 14.4 (Content-Range), 15.4 (redirects).
"""

import http.client
import re
from dataclasses import dataclass
from urllib.parse import urljoin

from sizewise.errors import HubError
from sizewise.sources.http.origin import Target, parse_target, url_of

PIECE_BYTES = 65_536
SMALL_PIECES = 1_000
_CONTENT_RANGE = re.compile(r"bytes (\d{1,19})-(\d{1,19})/(\d{1,19})", re.ASCII | re.I)
_LENGTH = re.compile(r"\d{1,19}", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request: ``span`` is the first and last byte, None the whole file; ``limit`` is in bytes.

    ``total`` is the size of the file where an earlier answer told it.
    """

    url: str
    name: str
    limit: int
    span: tuple[int, int] | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """What an answer announces: bytes from ``start``, ``length`` of ``total``; None where it does not say."""

    start: int
    length: int | None
    total: int | None
    limit: int


def fault(code: str, name: str, sentence: str) -> HubError:
    """Return the error that says what is wrong with an answer for one file."""
    return HubError(code, f"{name}: {sentence}")


def promised(response: http.client.HTTPResponse, ask: Ask, spare: int) -> Promise:
    """Return what a 200 or 206 announces, checked against what was asked.

    A whole file in place of a range may take ``spare`` bytes. Raises HubError: http_encoding,
    http_error, http_range, http_too_large.
    """
    _check_kind(response, ask.name)
    length = _content_length(response, ask.name)
    if response.status == 206:
        promise = _checked_range(response, ask, length)
    elif ask.span is not None and (length is None or length != (ask.total or length)):
        raise fault("http_range", ask.name, "the hub ignores the range and tells no fitting length")
    else:
        limit = ask.limit if ask.span is None else spare
        promise = Promise(start=0, length=length, total=length, limit=limit)
    if promise.length is not None and promise.length > promise.limit:
        raise fault(
            "http_too_large",
            ask.name,
            f"the hub would send {promise.length:,} bytes; at most {promise.limit:,} are read",
        )
    return promise


def body(response: http.client.HTTPResponse, promise: Promise, name: str) -> bytes:
    """Return the body: exactly the promised bytes, or at most the limit where none were promised.

    Raises HubError (http_range, http_too_large, http_error) and IncompleteRead.
    """
    limit = promise.limit if promise.length is None else promise.length
    data, pieces = bytearray(), 0
    while len(data) <= limit:
        piece = response.read1(min(PIECE_BYTES, limit + 1 - len(data)))
        if not piece:
            break
        data += piece
        pieces += 1
        if pieces > SMALL_PIECES + len(data) // 256:
            raise fault("http_error", name, "the hub sends pieces of a few bytes; try again later")
    if len(data) > limit:
        code = "http_too_large" if promise.length is None else "http_range"
        raise fault(code, name, f"the hub sends more than {limit:,} bytes")
    if promise.length is not None and len(data) < limit:
        raise http.client.IncompleteRead(b"", limit - len(data))
    response.close()
    return bytes(data)


def redirected(target: Target, response: http.client.HTTPResponse, name: str) -> Target:
    """Return where a redirect leads. Raises HubError (http_redirect) for no usable address."""
    places = response.headers.get_all("Location") or []
    try:
        found = parse_target(urljoin(url_of(target), places[0])) if len(places) == 1 else None
    except ValueError:
        found = None
    if found is None:
        raise fault("http_redirect", name, "the hub redirects to no usable address")
    return found


def commit_of(response: http.client.HTTPResponse) -> str | None:
    """Return the commit that the hub says it answered from."""
    value = response.headers.get("X-Repo-Commit", "")
    return value if _COMMIT.fullmatch(value) else None


def asked_wait(response: http.client.HTTPResponse) -> float:
    """Return the seconds that the hub asks to wait, 0 when it does not say."""
    value = response.headers.get("Retry-After", "").strip()
    return float(value) if _LENGTH.fullmatch(value) else 0.0


def _check_kind(response: http.client.HTTPResponse, name: str) -> None:
    """Refuse compressed answers and web pages."""
    encodings = response.headers.get_all("Content-Encoding") or []
    if any(encoding.strip().lower() not in ("", "identity") for encoding in encodings):
        raise fault("http_encoding", name, "the hub answers compressed although plain bytes were asked for")
    if response.headers.get_content_type() == "text/html":
        raise fault(
            "http_error",
            name,
            "a web page came in place of the file (a login page or a proxy?); log in first",
        )


def _content_length(response: http.client.HTTPResponse, name: str) -> int | None:
    values = set(response.headers.get_all("Content-Length") or [])
    if not values:
        return None
    value = values.pop().strip()
    if values or not _LENGTH.fullmatch(value):
        raise fault("http_error", name, "the hub announces a length that is no number")
    return int(value)


def _checked_range(response: http.client.HTTPResponse, ask: Ask, length: int | None) -> Promise:
    """Return the promise of a 206 whose range is exactly the asked one."""
    values = response.headers.get_all("Content-Range") or []
    found = _CONTENT_RANGE.fullmatch(values[0].strip()) if len(values) == 1 else None
    if found is None or ask.span is None:
        raise fault("http_range", ask.name, "the hub answers without one valid Content-Range")
    start, end, total = (int(number) for number in found.groups())
    first, last = ask.span
    if start != first or end != min(last, total - 1):
        raise fault("http_range", ask.name, f"the hub sends bytes {start}-{end}, not {first}-{last}")
    if ask.total is not None and total != ask.total:
        raise fault("http_range", ask.name, f"the file changed from {ask.total:,} to {total:,} bytes")
    size = end - start + 1
    if length is not None and length != size:
        raise fault("http_range", ask.name, f"the hub sends {length:,} bytes for a range of {size:,}")
    return Promise(start=start, length=size, total=total, limit=ask.limit)
