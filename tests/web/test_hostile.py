"""Requests that mean harm, over a real socket: each is a problem, and the service goes on answering."""

import json
from collections.abc import Iterator

import pytest

from .asking import Service, check_problem, read_answer

JSON = {"Content-Type": "application/json"}
HOST = b"Host: 127.0.0.1\r\n"


@pytest.fixture(autouse=True)
def still_answers(service: Service) -> Iterator[None]:
    yield
    assert service.answers()


PATHS = r"""
/static/../app.py /static/..%2fapp.py /static/%2e%2e/app.py //static/app.js /static//style.css /static/
/static/style.css%00.js /static/%c0%ae%c0%ae/app.py /static/..\app.py /..%2f..%2fetc/passwd /%00 /%E2%80%AE
/<script> /docs /api//memory /api/memory/ /api/memory%2f /API/memory /api/plan /api/%6demory%20 /api/web
/api/doctor /api/quantize /api/profile
"""
DEEP = b'{"model":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001
BODIES = {
    "nothing": (b"", 400),
    "no JSON": (b"{", 400),
    "a list": (b"[1]", 400),
    "a text": (b'"memory"', 400),
    "null": (b"null", 400),
    "NaN": (b'{"context": NaN}', 400),
    "Infinity": (b'{"context": Infinity}', 400),
    "-Infinity": (b'{"rps": -Infinity}', 400),
    "1e400": (b'{"gpu_memory_utilization": 1e400}', 422),
    "a thousand digits": (b'{"sequences": ' + b"9" * 1_000 + b"}", 422),
    "five thousand digits": (b'{"sequences": ' + b"9" * 5_000 + b"}", 400),
    "a thousand digits of a quantity": (b'{"context": ' + b"9" * 1_000 + b"}", 422),
    "a negative number": (b'{"layers": -5}', 422),
    "a number and a half": (b'{"layers": 1.5}', 422),
    "a number as text": (b'{"layers": "5"}', 422),
    "true as a number": (b'{"layers": true}', 422),
    "1 as true": (b'{"explain": 1}', 422),
    "null as a value": (b'{"model": null}', 422),
    "a list of lists": (b'{"model": [["a"]]}', 422),
    "too many models": (json.dumps({"model": ["7b"] * 9}).encode(), 422),
    "an unknown name": (b'{"__proto__": {}}', 422),
    "a name twice": (b'{"model": "7b", "model": "8b"}', 400),
    "bad UTF-8": (b'{"model": "\xff\xfe"}', 400),
    "half a surrogate": (b'{"model": "\\ud800"}', 422),
    "a null byte": (b'{"model": "a\\u0000b"}', 409),
    "deep objects": (DEEP, 400),
    "deep lists": (b'{"model":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 400),
    "less deep lists": (b'{"model":' + b"[" * 3_000 + b"]" * 3_000 + b"}", 400),
    "many entries": (b'{"model":{"a":[' + b"1," * 200_000 + b"1]}}", 400),
    "markup": (b'{"model": "<script>alert(1)</script>"}', 404),
    "a file": (b'{"model": "/etc/passwd"}', 404),
    "an address": (b'{"model": "http://169.254.169.254/latest"}', 404),
    "an option of the terminal": (b'{"output_file": "/tmp/x"}', 422),
    "this machine": (b'{"model": "7b", "on": "here"}', 409),
    "a configuration of nothing": (b'{"model": {}}', 409),
    "a configuration as an empty text": (b'{"model": "{"}', 409),
    "infinite layers": (b'{"model": {"model_type": "llama", "num_hidden_layers": 1e400}}', 409),
    "negative layers": (b'{"model": {"model_type": "llama", "num_hidden_layers": -3}}', 409),
    "many layers": (b'{"model": {"model_type": "llama", "num_hidden_layers": 10e30}}', 409),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_a_problem(service: Service, name: str) -> None:
    body, status = BODIES[name]
    check_problem(service.post("/api/memory", body), status)


SAID = {
    "nothing": (b"", "the body is empty; send an object of options, {} for none"),
    "a mark first": (
        b"\xef\xbb\xbf{}",
        "the body begins with a byte order mark; save it as UTF-8 without one",
    ),
    "five thousand digits": (
        b'{"a": ' + b"9" * 5_000 + b"}",
        "the body holds a number of thousands of digits",
    ),
    "NaN": (b'{"a": NaN}', "the body is not valid JSON: NaN is not a JSON number"),
    "a long name": (
        json.dumps({"model": "x" * 300}).encode(),
        "model: a name of at most 200 characters, a configuration (an object, or a text that begins with {, "
        "of at most 1,000,000 characters), or a list of at most 8 of them",
    ),
    "an unknown device": (
        b'{"model": "7b", "on": "#"}',
        "no device is called '#'; catalog, subject devices lists them",
    ),
    "a null character": (b'{"model": "a\\u0000b"}', "model: a null character is in no text"),
}


@pytest.mark.parametrize("name", SAID)
def test_a_problem_speaks_of_the_request_alone(service: Service, name: str) -> None:
    body, detail = SAID[name]
    assert service.post("/api/memory", body).json["detail"] == detail


def test_a_binary_file_of_runs_is_named_without_a_rule_of_the_terminal(service: Service) -> None:
    answer = service.post("/api/laws/fit", {"runs": "a\0b"})
    check_problem(answer, 409)
    assert answer.json["detail"].endswith("CSV, JSON or JSONL alone")


@pytest.mark.parametrize("text", ["," * 400_000, "[" * 400_000, '",' * 200_000, '\\",' * 200_000])
def test_commas_of_a_text_are_no_entries(service: Service, text: str) -> None:
    check_problem(service.post("/api/laws/fit", {"runs": f"{text}\n1,2\n"}), 409)


@pytest.mark.parametrize(
    ("path", "size"),
    [("/api/choose", 64_001), ("/api/memory", 1_100_001), ("/api/laws/fit", 1_100_001)],
)
def test_a_large_body_is_refused_by_what_it_says(service: Service, path: str, size: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n"
    check_problem(service.raw(head.encode() + HOST + b"\r\n"), 413)


@pytest.mark.parametrize("length", ["9" * 30, "18446744073709551616"])
def test_a_length_beyond_any_integer_is_refused(service: Service, length: str) -> None:
    head = f"POST /api/memory HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    check_problem(service.raw(head.encode() + HOST + b"\r\n"), 400, 413)


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "", "5, 6"])
def test_a_length_that_is_none_is_refused(service: Service, length: str) -> None:
    head = f"POST /api/memory HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n"
    check_problem(service.raw(head.encode() + HOST + b"\r\n{}"), 400)


def test_a_large_body_without_a_length_is_refused_while_it_comes(service: Service) -> None:
    head = b"POST /api/choose HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    with service.connect() as connection:
        connection.sendall(head + HOST + b"\r\n")
        sent = 0
        try:
            while sent < 4_000_000:
                connection.sendall(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
                sent += 0x2000
        except OSError:
            pass
        else:
            raise AssertionError("the service read on")


def test_a_body_in_chunks_is_read(service: Service) -> None:
    head = b"POST /api/memory HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    answer = service.raw(head + HOST + b'\r\n10\r\n{"model": "7b"} \r\n0\r\n\r\n')
    assert answer.status == 200


def test_bad_chunks_are_refused(service: Service) -> None:
    head = b"POST /api/memory HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
    check_problem(service.raw(head + HOST + b"\r\nzz\r\n{}\r\n0\r\n\r\n"), 400)


def test_many_options_are_refused_where_no_configuration_is(service: Service) -> None:
    check_problem(service.post("/api/memory", {"set": ["a=" + "b" * 70_000]}), 413)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_only_a_post_has_a_body(service: Service, method: str) -> None:
    answer = service.ask(method, "/api/health", b"{}", JSON)
    assert answer.status == 413


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/html",
     "application/json; charset=utf-16", "application/jsonx", "*/*"],
)  # fmt: skip
def test_other_content_types_are_refused(service: Service, kind: str) -> None:
    check_problem(service.ask("POST", "/api/memory", b'{"model": "7b"}', {"Content-Type": kind}), 415)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
def test_packed_bodies_are_refused(service: Service, encoding: str) -> None:
    headers = JSON | {"Content-Encoding": encoding}
    check_problem(service.ask("POST", "/api/memory", b"\x1f\x8b\x08", headers), 415)


@pytest.mark.parametrize("path", PATHS.split())
def test_a_path_leads_to_what_is_listed_alone(service: Service, path: str) -> None:
    check_problem(service.raw(f"GET {path} HTTP/1.1\r\n".encode() + HOST + b"\r\n"), 404)


@pytest.mark.parametrize(
    "request_line",
    [b"GET http://example.org/api/health HTTP/1.1", b"GET * HTTP/1.1", b"CONNECT 127.0.0.1:80 HTTP/1.1"],
)
def test_other_targets_are_refused(service: Service, request_line: bytes) -> None:
    check_problem(service.raw(request_line + b"\r\n" + HOST + b"\r\n"), 400, 404, 405)


@pytest.mark.parametrize(
    "request_text",
    [b"\x16\x03\x01\x02\x00\x01", b"GET /\r\n\r\n", b"nonsense\r\n\r\n", b"GET / HTTP/x\r\n\r\n",
     b"GET /\x00 HTTP/1.1\r\n" + HOST + b"\r\n", b"GET / HTTP/1.1\r\nna\x00me: 1\r\n" + HOST + b"\r\n",
     b"GET / HTTP/1.1\r\nname : 1\r\n" + HOST + b"\r\n", b"GET / HTTP/1.1\r\n\r\n",
     b"GET / HTTP/1.1\r\n" + HOST + HOST + b"\r\n", b"GET /\xff HTTP/1.1\r\n" + HOST + b"\r\n",
     b"POST /api/memory HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n" + HOST + b"\r\n{}"],
)  # fmt: skip
def test_what_is_no_http_is_refused(service: Service, request_text: bytes) -> None:
    if request_text.startswith(b"\x16"):
        request_text += b"\r\n\r\n"
    check_problem(service.raw(request_text), 400, 404)


@pytest.mark.parametrize(
    "host",
    ["example.org", "127.0.0.1.example.org", "localhost.example.org", "127.0.0.2", "", "a b", "[::1", "@x"],
)
def test_other_hosts_are_refused(service: Service, host: str) -> None:
    request = f"GET /api/health HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    check_problem(service.raw(request), 421, 400)


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8741", "127.0.0.1:1", "[::1]:8741", "localhost."])
def test_the_names_of_this_machine_are_served(service: Service, host: str) -> None:
    assert service.ask("GET", "/api/health", headers={"Host": host}).status == 200


def test_a_long_address_is_refused(service: Service) -> None:
    check_problem(service.get("/api/memory?model=" + "a" * 65_536), 414)
    check_problem(service.get("/" + "a" * 100_000), 414, 431)
    check_problem(service.get("/api/memory?model=" + "a" * 30_000), 422)
    check_problem(service.get("/api/memory?" + "&".join(["a"] * 500)), 400)


def test_many_and_large_headers_are_refused(service: Service) -> None:
    check_problem(service.ask("GET", "/", headers={f"x-{n}": "1" for n in range(120)}), 431)
    check_problem(service.ask("GET", "/", headers={"x": "a" * 17_000}), 431)


def test_an_endless_header_is_refused(service: Service) -> None:
    with service.connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n" + HOST + b"x: " + b"a" * 100_000)
        check_problem(read_answer(connection), 431)


@pytest.mark.parametrize(
    "query",
    ["model=%ff", "model=%", "%00=1", "model=a%00b", "model=%f0%28%8c%28", "=", "&&&", "model=%0d%0aX: 1"],
)
def test_odd_query_strings_are_problems(service: Service, query: str) -> None:
    answer = service.raw(f"GET /api/memory?{query.replace(' ', '')} HTTP/1.1\r\n".encode() + HOST + b"\r\n")
    check_problem(answer, 400, 404, 409, 422)


def test_every_answer_has_the_headers_of_a_careful_site(service: Service) -> None:
    for path in ("/", "/api/health", "/api/memory?model=7b", "/nothing", "/static/style.css"):
        headers = service.get(path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert "cache-control" in headers
        assert "server" not in headers
        assert "set-cookie" not in headers
        assert "access-control-allow-origin" not in headers


def test_many_connections_at_once_are_answered(service: Service) -> None:
    connections = [service.connect() for _ in range(100)]
    try:
        for one in connections:
            one.sendall(b"GET /api/health HTTP/1.1\r\n" + HOST + b"\r\n")
        assert all(read_answer(one).status == 200 for one in connections)
    finally:
        for one in connections:
            one.close()


def test_requests_in_a_row_on_one_connection_are_answered(service: Service) -> None:
    request = b"GET /api/health HTTP/1.1\r\n" + HOST + b"\r\n"
    with service.connect() as connection:
        connection.sendall(request * 3)
        received = b""
        while received.count(b'"schema_version"') < 3:
            received += connection.recv(65_536)
    assert received.count(b"HTTP/1.1 200") == 3
