"""A service over a real socket in a thread, and what asks it: the standard library alone."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from threading import Thread
from time import sleep
from typing import Any

from sizewise.web.app import create_app
from sizewise.web.serving import listen, server
from sizewise.web.settings import Settings

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        """The content, as strict JSON."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} in an answer")

        return json.loads(self.content, parse_constant=refuse)


@dataclass(frozen=True, slots=True)
class Service:
    """Where a service listens."""

    port: int

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the answer to a request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read())
        finally:
            connection.close()

    def get(self, path: str) -> Answer:
        """Return the answer to a GET."""
        return self.ask("GET", path)

    def post(self, path: str, values: Any) -> Answer:
        """Return the answer to values as JSON."""
        body = values if isinstance(values, bytes) else json.dumps(values).encode()
        return self.ask("POST", path, body, {"Content-Type": "application/json"})

    def connect(self) -> socket.socket:
        """Return a connection."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)

    def raw(self, request: bytes) -> Answer:
        """Return the answer to bytes that are sent as they are."""
        with self.connect() as connection:
            connection.sendall(request)
            return read_answer(connection)

    def answers(self) -> bool:
        """Tell whether the service still answers."""
        return self.get("/api/health").status == 200


def read_answer(connection: socket.socket) -> Answer:
    """Return what comes until the other side closes, or its content is there."""
    received = bytearray()
    while b"\r\n\r\n" not in received:
        piece = connection.recv(65536)
        if not piece:
            return Answer(0, {}, bytes(received))
        received += piece
    head, _, content = bytes(received).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers.get("content-length", "0"))
    while len(content) < length:
        content += connection.recv(65536)
    return Answer(int(first.split()[1]), headers, content)


def check_problem(answer: Answer, *statuses: int) -> None:
    """Assert that an answer is a problem document of one of these statuses."""
    assert answer.status in statuses, (answer.status, answer.content[:300])
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json
    assert set(document) - {"field"} == {"type", "title", "status", "detail"}
    assert document["status"] == answer.status
    assert document["type"].startswith("urn:sizewise:problem:")
    assert "\n" not in document["detail"]
    assert not set(b"<>&") & set(answer.content)
    assert b"Traceback" not in answer.content
    assert answer.headers["x-content-type-options"] == "nosniff"


@contextmanager
def running(settings: Settings) -> Iterator[Service]:
    """Run a service on a free port."""
    listening = listen("127.0.0.1", 0)
    found = server(create_app(settings), settings)
    thread = Thread(target=found.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        while not found.started:
            assert thread.is_alive()
            sleep(0.01)
        yield Service(listening.getsockname()[1])
    finally:
        found.should_exit = True
        thread.join(PATIENCE)
        listening.close()
