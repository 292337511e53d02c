"""Slow senders and readers, with short deadlines: they are let go, and others are answered."""

from collections.abc import Iterator

import pytest

from sizewise.web.settings import Limits, Settings

from .asking import Service, check_problem, read_answer, running

HOST = b"Host: 127.0.0.1\r\n"
SHORT = Limits(header_seconds=0.3, body_seconds=0.3, idle_seconds=1, unread_seconds=0.3)
FEW = Limits(header_seconds=3, body_seconds=3, connections=20, at_once=4)


@pytest.fixture(scope="module")
def hurried() -> Iterator[Service]:
    with running(Settings(limits=SHORT)) as found:
        yield found


@pytest.fixture(scope="module")
def small() -> Iterator[Service]:
    with running(Settings(limits=FEW)) as found:
        yield found


@pytest.fixture(autouse=True)
def still_answers(hurried: Service) -> Iterator[None]:
    yield
    assert hurried.answers()


def test_a_header_that_never_ends_is_let_go(hurried: Service) -> None:
    with hurried.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        check_problem(read_answer(connection), 408)
        assert connection.recv(1) == b""


def test_a_header_that_drips_has_no_longer(hurried: Service) -> None:
    with hurried.connect() as connection:
        answered = False
        for byte in b"GET / HTTP/1.1\r\n" * 100:
            connection.settimeout(0.05)
            try:
                connection.sendall(bytes([byte]))
                answered = bool(connection.recv(65_536))
            except TimeoutError:
                continue
            except OSError:
                answered = True
            if answered:
                break
        assert answered


def test_a_connection_that_says_nothing_is_let_go(hurried: Service) -> None:
    with hurried.connect() as connection:
        assert read_answer(connection).status == 408


def test_the_second_header_has_its_time_too(hurried: Service) -> None:
    with hurried.connect() as connection:
        connection.sendall(b"GET /api/health HTTP/1.1\r\n" + HOST + b"\r\n")
        assert read_answer(connection).status == 200
        connection.sendall(b"GET /api/health HTTP/1.1\r\n")
        assert read_answer(connection).status == 408


def test_an_idle_connection_is_closed(hurried: Service) -> None:
    with hurried.connect() as connection:
        connection.sendall(b"GET /api/health HTTP/1.1\r\n" + HOST + b"\r\n")
        assert read_answer(connection).status == 200
        assert connection.recv(1) == b""


@pytest.mark.parametrize("path", ["/api/memory", "/api/header?kind=gguf&size=100"])
def test_a_body_that_never_ends_is_let_go(hurried: Service, path: str) -> None:
    kind = b"octet-stream" if "header" in path else b"json"
    head = b"POST " + path.encode() + b" HTTP/1.1\r\nContent-Type: application/" + kind
    with hurried.connect() as connection:
        connection.sendall(head + b"\r\nContent-Length: 100\r\n" + HOST + b"\r\n{")
        check_problem(read_answer(connection), 408)
        assert connection.recv(1) == b""


def test_a_reader_who_does_not_read_is_let_go(hurried: Service) -> None:
    request = b"GET /api/openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
    with hurried.connect() as connection, pytest.raises(OSError, match=r"reset|[Bb]roken"):
        connection.sendall(request * 300_000)


def test_more_connections_than_allowed_are_refused(small: Service) -> None:
    connections = [small.connect() for _ in range(40)]
    try:
        statuses = [read_answer(one).status for one in connections]
    finally:
        for one in connections:
            one.close()
    assert set(statuses) == {408, 503}
    assert statuses.count(408) <= FEW.connections


def test_more_requests_at_once_than_allowed_are_told_to_come_again(small: Service) -> None:
    head = b"POST /api/memory HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 15\r\n"
    connections = [small.connect() for _ in range(8)]
    try:
        for one in connections:
            one.sendall(head + HOST + b"\r\n{")
        answers = [read_answer(one) for one in connections]
    finally:
        for one in connections:
            one.close()
    assert sorted(answer.status for answer in answers) == [408] * FEW.at_once + [503] * 4
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status == 503)


def test_a_sender_who_goes_away_leaves_nothing_behind(hurried: Service) -> None:
    for _ in range(30):
        with hurried.connect() as connection:
            connection.sendall(b"POST /api/memory HTTP/1.1\r\nContent-Length: 50\r\n" + HOST + b"\r\n{")
