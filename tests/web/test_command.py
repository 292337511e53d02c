"""``sizewise web`` as a process: one line when it listens, one when it cannot, an end without noise."""

import re
import signal
import socket
import subprocess
import sys
from http.client import HTTPConnection

import pytest

from sizewise.__main__ import main

LISTENING = r"sizewise: http://127\.0\.0\.1:(\d+)/ \(Ctrl-C ends it\)\n"


def start(*options: str) -> subprocess.Popen[str]:
    """Return a process that serves."""
    command = [sys.executable, "-m", "sizewise", "web", "--port", "0", *options]
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored ones stay so in a child
    try:
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    finally:
        signal.signal(signal.SIGINT, before)


def first_line(process: subprocess.Popen[str]) -> str:
    """Return the next line on standard error."""
    assert process.stderr is not None
    return process.stderr.readline()


def test_it_says_where_it_listens_answers_and_ends_when_interrupted() -> None:
    process = start()
    try:
        match = re.fullmatch(
            r"sizewise: http://127\.0\.0\.1:(\d+)/ \(Ctrl-C ends it\)\n", first_line(process)
        )
        assert match is not None
        connection = HTTPConnection("127.0.0.1", int(match[1]), timeout=30)
        connection.request("GET", "/api/health")
        assert connection.getresponse().status == 200
        connection.close()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert (process.returncode, out, err) == (130, "", "\n")


def test_it_warns_where_others_can_reach_it_and_serves_the_names_it_is_told() -> None:
    process = start(
        "--host", "0.0.0.0", "--allow-host", "sizes.example.org", "--embed", "https://example.org"
    )
    try:
        assert first_line(process).startswith("sizewise: warning [open]: ")
        match = re.search(r":(\d+)/", first_line(process))
        assert match is not None
        for host, status in (("sizes.example.org", 200), ("example.org", 421)):
            connection = HTTPConnection("127.0.0.1", int(match[1]), timeout=30)
            connection.request("GET", "/api/health", headers={"Host": host})
            response = connection.getresponse()
            policy = response.headers["content-security-policy"]
            connection.close()
            assert response.status == status
            assert "frame-ancestors https://example.org" in policy
        process.send_signal(signal.SIGTERM)
    finally:
        process.communicate(timeout=30)


def test_a_port_that_is_taken_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["web", "--port", str(port)]) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith(f"sizewise: error [unwritable]: 127.0.0.1:{port} cannot be listened on: ")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--allow-host", "a b"),
        ("--allow-host", "http://example.org"),
        ("--embed", "example.org"),
        ("--embed", "https://example.org; script-src *"),
        ("--embed", "*"),
        ("--port", "65536"),
        ("--port", "-1"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(
    options: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["web", *options]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize("host", ["no.such.host.invalid", "256.256.256.256", "\0", "8.8.8.8"])
def test_an_address_that_is_not_ours_is_one_line(host: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["web", "--host", host, "--port", "0"]) == 3
    assert capsys.readouterr().err.count("\n") == 1
