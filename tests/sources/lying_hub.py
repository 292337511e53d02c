"""False hubs on 127.0.0.1: an honest stand-in, and one that answers with a given lie.

A lie is a function that gets the request handler and writes what it likes to the wire.
"""

import gzip
import io
import json
import re
import socket
import struct
import threading
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

REPO = "org/name"
TOKEN = "hf_secret"
CONFIG = {"model_type": "llama", "hidden_size": 64}
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_RESOLVE = re.compile(r"/(?:cdn/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")
_LISTING = re.compile(r"/api/models/([^/]+/[^/]+)(?:/revision/([^/]+))?")


@dataclass
class Request:
    path: str
    range: str | None
    authorization: str | None


class Handler(BaseHTTPRequestHandler):
    """One request, answered honestly unless the hub has a lie for its path."""

    protocol_version = "HTTP/1.1"
    timeout = 20
    server: "Hub"

    def do_GET(self) -> None:
        range_ = self.headers.get("Range")
        self.server.requests.append(Request(self.path, range_, self.headers.get("Authorization")))
        lie = self.server.lie
        try:
            if lie is not None and not (self.server.honest and self.server.honest in self.path):
                lie(self)
            else:
                self.honest()
        except OSError:
            self.close_connection = True

    def honest(self) -> None:
        place = urlsplit(self.path)
        if listing := _LISTING.fullmatch(place.path):
            self.send_listing(listing[1])
            return
        found = _RESOLVE.fullmatch(unquote(place.path))
        files = self.server.files.get(found[1]) if found else None
        if found is None or files is None:
            self.send(404, b"", {"X-Error-Code": "RepoNotFound"})
        elif found[2] not in ("main", COMMIT):
            self.send(404, b"", {"X-Error-Code": "RevisionNotFound"})
        elif found[3] not in files:
            self.send(404, b"Entry not found", {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": COMMIT})
        elif self.server.redirects and not place.path.startswith("/cdn/"):
            self.send(302, b"", {"Location": f"/cdn{self.path}", "X-Repo-Commit": COMMIT})
        else:
            self.send_file(files[found[3]])

    def send_listing(self, repo: str) -> None:
        files = self.server.files.get(repo)
        if files is None:
            self.send(404, b"", {"X-Error-Code": "RepoNotFound"})
            return
        document: dict[str, Any] = {"sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}
        if self.server.counts:
            document["safetensors"] = {
                "parameters": self.server.counts,
                "total": sum(self.server.counts.values()),
            }
        self.send(200, json.dumps(document).encode(), {"Content-Type": "application/json"})

    def send_file(self, data: bytes) -> None:
        span = self.asked()
        if span is None:
            self.send(200, data, {"X-Repo-Commit": COMMIT})
            return
        start, end = span[0], min(span[1], len(data) - 1)
        if start > end:
            self.send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
            return
        headers = {"Content-Range": f"bytes {start}-{end}/{len(data)}", "X-Repo-Commit": COMMIT}
        self.send(206, data[start : end + 1], headers)

    def asked(self) -> tuple[int, int] | None:
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range") or "")
        return (int(found[1]), int(found[2])) if found else None

    def send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.server.sent += len(body)

    def raw(self, data: bytes) -> None:
        """Write bytes as they are and hang up."""
        self.wfile.write(data)
        self.wfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


Lie = Callable[[Handler], None]


class Hub(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, dict[str, bytes]] = {}
        self.requests: list[Request] = []
        self.sent = 0
        self.redirects = False
        self.counts: dict[str, int] = {}
        self.lie: Lie | None = None
        self.honest = ""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients hang up on liars."""


@contextmanager
def running_hub() -> Iterator[Hub]:
    hub = Hub()
    thread = threading.Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()


def safetensors(tensors: Mapping[str, int], padding: int = 0) -> bytes:
    """Return a file of F32 vectors of the given lengths, its header padded with spaces."""
    entries, place = {}, 0
    for name, elements in tensors.items():
        entries[name] = {"dtype": "F32", "shape": [elements], "data_offsets": [place, place + 4 * elements]}
        place += 4 * elements
    header = json.dumps(entries).encode() + b" " * padding
    return struct.pack("<Q", len(header)) + header + bytes(place)


def sharded(shards: int, elements: int) -> dict[str, bytes]:
    """Return an index and its shards, each with two vectors of the given length."""
    files, weight_map = {}, {}
    for place in range(shards):
        name = f"model-{place + 1:05}-of-{shards:05}.safetensors"
        names = [f"layers.{place}.{part}" for part in "ab"]
        files[name] = safetensors(dict.fromkeys(names, elements))
        weight_map |= dict.fromkeys(names, name)
    index = {"metadata": {"total_size": 8 * elements * shards}, "weight_map": weight_map}
    return {"model.safetensors.index.json": json.dumps(index).encode(), **files}


def pickled(elements: int) -> bytes:
    """Return what torch.save writes for one F32 vector, in a dict, under the name ``a``."""
    count = b"J" + struct.pack("<i", elements)
    storage = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu" + count + b"tQ"
    hooks = b"ccollections\nOrderedDict\n)R"
    shape, stride = count + b"\x85", b"K\x01\x85"
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + shape + stride + b"\x89" + hooks + b"tR"
    )
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", b"\x80\x02}X\x01\0\0\0a" + tensor + b"s.")
        file.writestr("archive/data/0", bytes(4 * elements))
    return archive.getvalue()


@dataclass(frozen=True)
class Case:
    """A lie, and the error codes that may answer it for a small file and for a range."""

    name: str
    tell: Lie
    whole: tuple[str, ...]
    part: tuple[str, ...] = field(default=())

    @property
    def codes(self) -> Mapping[str, tuple[str, ...]]:
        return {"whole": self.whole, "part": self.part or self.whole}


def _head(status: str, *headers: str) -> bytes:
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode("latin-1")


def says(status: int, body: bytes = b"", **headers: str) -> Lie:
    return lambda it: it.send(status, body, {name.replace("_", "-"): text for name, text in headers.items()})


def writes(*pieces: bytes) -> Lie:
    return lambda it: it.raw(b"".join(pieces))


def redirects_to(place: str) -> Lie:
    return says(302, Location=place)


def ranges(form: str, body: bytes = bytes(98_304)) -> Lie:
    return says(206, body, Content_Range=form)


def endless(head: bytes, piece: bytes = bytes(65_536)) -> Lie:
    """Return a lie without end: 300 MB at most, so that a failing test ends."""

    def tell(it: Handler) -> None:
        it.wfile.write(head)
        for _ in range(300_000_000 // len(piece)):
            it.wfile.write(piece)
        it.close_connection = True

    return tell


def drips(head: bytes, piece: bytes, pause: float = 0.2) -> Lie:
    def tell(it: Handler) -> None:
        it.wfile.write(head)
        for _ in range(100):
            it.wfile.write(piece)
            it.wfile.flush()
            time.sleep(pause)
        it.close_connection = True

    return tell


def silent(it: Handler) -> None:
    time.sleep(5)
    it.close_connection = True


def resets(it: Handler) -> None:
    it.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    it.connection.close()
    it.close_connection = True


def total_changes(it: Handler) -> None:
    """Answer every range correctly, but with a file that grows."""
    start, end = it.asked() or (0, 9)
    total = 10_000_000 + len(it.server.requests)
    body = (struct.pack("<Q", 500_000) + b"{" + b" " * (end - start))[: end - start + 1]
    it.send(206, body, {"Content-Range": f"bytes {start}-{end}/{total}"})


def short_body(it: Handler) -> None:
    it.raw(_head("206 Partial", "Content-Length: 98304", "Content-Range: bytes 0-98303/200000") + bytes(50))


def short_whole(it: Handler) -> None:
    it.raw(_head("200 OK", "Content-Length: 100") + b"{")


def extra_bytes(it: Handler) -> None:
    it.raw(_head("200 OK", "Content-Length: 2") + b"{}" + b"GET /")


def extra_after_range(it: Handler) -> None:
    head = _head("206 Partial", "Content-Length: 98304", "Content-Range: bytes 0-98303/200000")
    it.raw(head + bytes(98_304) + b"more")


def loops(it: Handler) -> None:
    it.send(302, b"", {"Location": it.path})


_BOMB = gzip.compress(bytes(30_000_000))
_PAGE = b"<!doctype html><title>Log in</title><form>"
_RANGE = ("http_range",)
_ERROR = ("http_error",)
_LATE = ("http_timeout",)
_LARGE = ("http_too_large",)
_STATUS = ("http_status",)
_ELSEWHERE = ("http_redirect",)

CASES: tuple[Case, ...] = (
    Case("ignores the range, 300 MB", endless(_head("200 OK", "Content-Length: 300000000")), _LARGE),
    Case("gzip bomb", says(200, _BOMB, Content_Encoding="gzip"), ("http_encoding",)),
    Case("gzip in a range", says(206, _BOMB, Content_Encoding="x-gzip"), _STATUS, ("http_encoding",)),
    Case("brotli header", says(200, b"{}", Content_Encoding="br"), ("http_encoding",)),
    Case("redirect to the metadata service", redirects_to("http://169.254.169.254/latest"), _ELSEWHERE),
    Case("redirect to a private host", redirects_to("https://10.0.0.1/x"), _ELSEWHERE),
    Case("redirect to http", redirects_to("http://huggingface.co/x"), _ELSEWHERE),
    Case("redirect to another port", redirects_to("http://127.0.0.1:9/x"), _ELSEWHERE),
    Case("redirect to another port of the CDN", redirects_to("https://cdn.hf.co:8443/x"), _ELSEWHERE),
    Case("redirect with user-info", redirects_to("https://huggingface.co@evil.example/x"), _ELSEWHERE),
    Case("redirect with user-info of the CDN", redirects_to("https://a:b@cdn.hf.co/x"), _ELSEWHERE),
    Case("redirect to a look-alike", redirects_to("https://evilhuggingface.co/x"), _ELSEWHERE),
    Case("redirect to a file", redirects_to("file:///etc/passwd"), _ELSEWHERE),
    Case("redirect to broken brackets", redirects_to("https://[::1/x"), _ELSEWHERE),
    Case("redirect to nowhere", says(302), _ELSEWHERE),
    Case("redirect loop", loops, _ELSEWHERE),
    Case("500", says(500, b"\x1b[2J<b>oops"), _STATUS),
    Case("503", says(503), _STATUS),
    Case("401", says(401, b"", X_Error_Code="RepoNotFound"), _STATUS),
    Case("403", says(403, b"", X_Error_Code="GatedRepo", X_Error_Message="\x1b[2Jpwn"), _STATUS),
    Case("404", says(404), _STATUS),
    Case("204", says(204), _STATUS),
    Case("429 for an hour", says(429, b"", Retry_After="3600"), _STATUS),
    Case("login page", says(200, _PAGE, Content_Type="text/html; charset=utf-8"), _ERROR),
    Case("login page as text", says(200, _PAGE, Content_Type="text/plain"), ("unknown_format",)),
    Case("other range", ranges("bytes 8-98311/200000"), _STATUS, _RANGE),
    Case("range ends beyond", ranges("bytes 0-98999/200000"), _STATUS, _RANGE),
    Case("range ends early", ranges("bytes 0-99/200000", bytes(100)), _STATUS, _RANGE),
    Case("range beyond the total", ranges("bytes 0-98303/100"), _STATUS, _RANGE),
    Case("range of unknown total", ranges("bytes 0-98303/*"), _STATUS, _RANGE),
    Case("range in words", ranges("bytes a-b/c"), _STATUS, _RANGE),
    Case("range is negative", ranges("bytes -1-98303/200000"), _STATUS, _RANGE),
    Case("no range", says(206, bytes(98_304)), _STATUS, _RANGE),
    Case("range and length differ", ranges("bytes 0-98303/200000", bytes(10)), _STATUS, _RANGE),
    Case("total changes", total_changes, _STATUS, _RANGE),
    Case("short body", short_whole, _ERROR, ("http_range", "truncated", "http_error")),
    Case("short range", short_body, _STATUS, _ERROR),
    Case("extra bytes", extra_bytes, _RANGE),
    Case("extra bytes after a range", extra_after_range, _STATUS, _RANGE),
    Case("endless without length", endless(_head("200 OK")), _LARGE, _RANGE),
    Case(
        "endless chunks",
        endless(_head("200 OK", "Transfer-Encoding: chunked"), b"10000\r\n" + bytes(65_536) + b"\r\n"),
        _LARGE,
        _RANGE,
    ),
    Case(
        "chunks of one byte",
        endless(_head("200 OK", "Transfer-Encoding: chunked"), b"1\r\n \r\n" * 10_000),
        _ERROR,
        _RANGE,
    ),
    Case(
        "negative chunk", writes(_head("200 OK", "Transfer-Encoding: chunked"), b"-1\r\n{}"), _ERROR, _RANGE
    ),
    Case("drips bytes", drips(_head("200 OK", "Content-Length: 90000"), b" "), _LATE),
    Case("drips a range", drips(_head("206 P", "Content-Range: bytes 0-98303/200000"), b"1"), _STATUS, _LATE),
    Case("drips headers", drips(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"), _LATE),
    Case("drips one header", drips(b"HTTP/1.1 200 OK\r\na: ", b"b"), _LATE),
    Case("silent", silent, _LATE),
    Case("huge header", endless(b"HTTP/1.1 200 OK\r\na: ", b"b" * 65_536), ("http_error", "http_too_large")),
    Case(
        "many headers",
        endless(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n" * 10_000),
        ("http_error", "http_too_large"),
    ),
    Case("endless 100 Continue", endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000), _LARGE),
    Case("negative length", writes(_head("200 OK", "Content-Length: -5"), b"{}"), _ERROR),
    Case("two lengths", writes(_head("200 OK", "Content-Length: 2", "Content-Length: 3"), b"{}"), _ERROR),
    Case("length of 5,000 digits", writes(_head("200 OK", "Content-Length: " + "9" * 5_000)), _ERROR),
    Case("no HTTP", writes(b"SSH-2.0-OpenSSH_9.6\r\n" * 5), _ERROR),
    Case("nothing", writes(b""), _ERROR),
    Case("reset", resets, _ERROR),
    Case("deep JSON", says(200, b"[" * 200_000), ("too_many_entries",), ("header_too_large",)),
)
