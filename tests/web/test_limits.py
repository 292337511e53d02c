"""The guards by themselves: rates, hosts, origins."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import pytest

from sizewise.service.workers import Failed, Unanswered
from sizewise.web.busy import busy
from sizewise.web.errors import Bugs
from sizewise.web.host_check import HostCheck
from sizewise.web.rate import RateLimit
from sizewise.web.security_headers import security_headers
from sizewise.web.settings import Limits

from .asking import Answer, check_problem

LIMITS = Limits(rate=20, burst=60, addresses=3)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def _broken(scope: Any, receive: Any, send: Any) -> None:
    raise ZeroDivisionError("secret")


def answer(app: Any, **scope: Any) -> Answer:
    """Return what an application answers to a request."""
    sent: list[MutableMapping[str, Any]] = []

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    usual = {"type": "http", "method": "GET", "path": "/x", "query_string": b"", "headers": []}
    asyncio.run(app({**usual, **scope}, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], headers, b"".join(one["body"] for one in sent[1:]))


def test_a_burst_is_answered_and_then_so_many_a_second() -> None:
    clock = Clock()
    limit = RateLimit(_app, limits=LIMITS, clock=clock)
    assert [limit.wait("10.0.0.1") for _ in range(60)] == [0.0] * 60
    assert limit.wait("10.0.0.1") == pytest.approx(0.05)
    assert limit.wait("10.0.0.2") == 0.0
    clock.now = 1.0
    assert [limit.wait("10.0.0.1") > 0 for _ in range(21)] == [False] * 20 + [True]


def test_this_machine_asks_as_often_as_it_likes() -> None:
    limit = RateLimit(_app, limits=LIMITS, clock=Clock())
    assert not any(limit.wait(address) for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1") * 100)
    assert not limit.buckets


def test_of_few_addresses_a_count_is_kept() -> None:
    limit = RateLimit(_app, limits=LIMITS, clock=Clock())
    for number in range(1_000):
        limit.wait(f"10.0.{number // 256}.{number % 256}")
    assert len(limit.buckets) == 3


def test_who_asks_too_often_is_told_when_to_come_again() -> None:
    limit = RateLimit(_app, limits=Limits(rate=0.1, burst=1), clock=Clock())
    client = ("10.0.0.1", 5)
    assert answer(limit, client=client).status == 204
    refused = answer(limit, client=client)
    assert (refused.status, refused.headers["retry-after"]) == (429, "10")


@pytest.mark.parametrize(
    ("hosts", "served"),
    [
        ([b"sizes.example.org"], True),
        ([b"SIZES.example.org:443"], True),
        ([b"example.org"], False),
        ([b"evil-sizes.example.org"], False),
        ([], False),
        ([b"sizes.example.org", b"example.org"], False),
        ([b"sizes.example.org:443:1"], False),
        ([b"sizes.example.org\xff"], False),
    ],
)
def test_a_host_is_served_by_its_whole_name(hosts: list[bytes], served: bool) -> None:
    check = HostCheck(_app, hosts=frozenset({"sizes.example.org"}))
    assert answer(check, headers=[(b"host", host) for host in hosts]).status == (204 if served else 421)


def test_pages_that_may_embed_are_named() -> None:
    policy = dict(security_headers(["https://example.org"]))[b"content-security-policy"]
    assert policy.endswith(b"frame-ancestors https://example.org")


def test_a_bug_is_a_problem_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    found = answer(Bugs(_broken))
    assert found.status == 500
    assert found.json["type"].endswith(":bug")
    assert b"secret" not in found.content
    assert "ZeroDivisionError" in caplog.text
    assert "Traceback" not in caplog.text
    with pytest.raises(AssertionError):
        check_problem(found, 400)


def test_a_bug_in_a_process_is_called_as_there(caplog: pytest.LogCaptureFixture) -> None:
    async def failed(scope: Any, receive: Any, send: Any) -> None:
        raise Failed("KeyError")

    found = answer(Bugs(failed))
    assert found.status == 500
    assert found.json["detail"].startswith("KeyError;")


def test_who_is_cut_off_by_the_end_is_told_to_come_again() -> None:
    async def cut_off(scope: Any, receive: Any, send: Any) -> None:
        raise asyncio.CancelledError

    found = answer(Bugs(cut_off))
    assert found.status == 503
    assert found.headers["retry-after"] == "5"
    assert found.json["type"].endswith(":busy")


def test_only_who_may_gain_by_it_is_told_to_ask_again() -> None:
    late = busy(Unanswered("the answer takes more than 2 s"))
    assert late.status_code == 409
    assert "retry-after" not in late.headers
    full = busy(Unanswered("too many questions wait", retry_after=3))
    assert full.status_code == 503
    assert full.headers["retry-after"] == "3"
