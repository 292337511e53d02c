"""The proxy of the environment, tested with one on this machine in front of a hub with TLS."""

import base64
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sizewise.errors import HubError, UsageError
from sizewise.sources.http.budget import Budget, Limits
from sizewise.sources.http.origin import Origin
from sizewise.sources.http.proxy import parse_proxy, proxy_for
from sizewise.sources.http.ranges import RangeClient
from sizewise.sources.hub.reference import HubReference
from sizewise.sources.hub.repository import HubRepository, hub_config

from .lying_hub import CONFIG, REPO, TOKEN, Hub, says
from .stand_in_proxy import Proxy, running_proxy

HUB = "https://hub.test"
FILE = f"{HUB}/{REPO}/resolve/main/config.json"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a key and a certificate of hub.test in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl makes the certificate")
    folder = tmp_path_factory.mktemp("tls")
    key, own, both = folder / "key.pem", folder / "own.pem", folder / "both.pem"
    options = ["-nodes", "-days", "2", "-subj", "/CN=hub.test", "-addext", "subjectAltName=DNS:hub.test"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-keyout", key, "-out", own, *options],
        check=True,
        capture_output=True,
    )
    both.write_bytes(key.read_bytes() + own.read_bytes())
    return both


@pytest.fixture
def tls(hub: Hub, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Return the stand-in with TLS; its certificate is trusted."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    hub.socket = context.wrap_socket(hub.socket, server_side=True, do_handshake_on_connect=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    return hub


@pytest.fixture
def proxy(tls: Hub) -> Iterator[Proxy]:
    with running_proxy(("127.0.0.1", tls.server_address[1])) as found:
        yield found


def fetched(limits: Limits | None = None) -> tuple[bytes, RangeClient]:
    client = RangeClient(HUB, TOKEN, Budget(limits))
    try:
        return client.whole(FILE, "config.json", 1_000).data, client
    finally:
        client.close()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_https_goes_through_a_tunnel(
    tls: Hub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, f"http://{proxy.place}")
    data, client = fetched()
    assert data == tls.files[REPO]["config.json"]
    assert [head.split("\r\n")[:2] for head in proxy.heads] == [
        ["CONNECT hub.test:443 HTTP/1.1", "Host: hub.test:443"]
    ]
    assert client.budget.requests == len(tls.requests) == 1
    assert client.budget.bytes > len(proxy.answer) + len(data)


def test_the_proxy_sees_neither_token_nor_answer(
    tls: Hub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.place)
    fetched()
    assert [request.authorization for request in tls.requests] == [f"Bearer {TOKEN}"]
    seen = proxy.relayed + proxy.heads[0].encode()
    assert TOKEN.encode() not in seen
    assert b"model_type" not in seen
    assert b"Authorization" not in seen


def test_one_tunnel_serves_all_requests(tls: Hub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.place)
    client = RangeClient(HUB, None, Budget())
    for _ in range(3):
        client.whole(FILE, "config.json", 1_000)
    client.close()
    assert (len(proxy.heads), len(tls.requests)) == (1, 3)


def test_user_and_password_go_to_the_proxy_alone(
    tls: Hub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:p%40ss@{proxy.place}")
    fetched()
    expected = base64.b64encode(b"me:p@ss").decode()
    assert f"Proxy-Authorization: Basic {expected}\r\n" in proxy.heads[0]
    assert expected not in str(tls.requests)


def test_a_certificate_of_another_host_is_refused_behind_a_proxy(
    tls: Hub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.place)
    client = RangeClient("https://other.test", TOKEN, Budget())
    with pytest.raises(HubError, match="certificate"):
        client.whole("https://other.test/x", "x", 10)
    assert not tls.requests


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\n\x1b[", "407"),
        (b"HTTP/1.1 403 Forbidden\x1b[2J\r\n\r\n", "403"),
        (b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\n\r\n", "302"),
        (b"HTTP/1.1 99999 x\r\n\r\n", "no status"),
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "no status"),
        (b"", "not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n", "not answer in HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\nmore", "bytes of its own"),
        (b"HTTP/1.1 200 OK\r\na: " + b"b" * 70_000, "not answer in HTTP"),
    ],
)
def test_a_proxy_that_lies_is_an_error(
    tls: Hub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, answer: bytes, words: str
) -> None:
    proxy.answer, proxy.opens = answer, False
    monkeypatch.setenv("HTTPS_PROXY", f"http://me:secret@{proxy.place}")
    with pytest.raises(HubError, match=words) as caught:
        fetched(Limits(seconds=2, waiting_seconds=0))
    assert caught.value.code == "http_error"
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)
    assert not tls.requests


def test_a_silent_proxy_meets_the_deadline(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_proxy(hub.server_address[:2]) as proxy:
        proxy.answer = b"HTTP/1.1 200 OK\r\n"
        monkeypatch.setenv("HTTPS_PROXY", proxy.place)
        started = time.monotonic()
        with pytest.raises(HubError) as caught:
            fetched(Limits(seconds=0.5))
    assert caught.value.code == "http_timeout"
    assert time.monotonic() - started < 1.2


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    origin = Origin(scheme="https", host="cdn-lfs.huggingface.co", port=443)
    assert proxy_for(origin) is not None
    for value in ("*", "huggingface.co", ".huggingface.co", "x, cdn-lfs.huggingface.co:443"):
        monkeypatch.setenv("NO_PROXY", value)
        assert proxy_for(origin) is None
    for value in ("", "other.co", "cdn-lfs.huggingface.co:8443"):
        monkeypatch.setenv("NO_PROXY", value)
        assert proxy_for(origin) is not None


def test_plain_http_asks_the_proxy_for_the_whole_address_and_keeps_the_token(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_proxy(hub.server_address[:2]) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://me:pw@{proxy.place}")
        repository = HubRepository(HubReference(repo=REPO))
        assert hub_config(repository) == (CONFIG, [])
        repository.close()
        assert proxy.heads[0].startswith(f"GET {hub.address}/{REPO}/resolve/main/config.json HTTP/1.1\r\n")
        assert "Proxy-Authorization: Basic " in proxy.heads[0]
    assert [request.authorization for request in hub.requests] == [None]


def test_no_proxy_leads_past_a_proxy_that_is_not_there(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    repository = HubRepository(HubReference(repo=REPO))
    assert hub_config(repository) == (CONFIG, [])
    repository.close()


def test_redirects_are_checked_behind_a_proxy_too(
    tls: Hub, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", proxy.place)
    tls.lie = says(302, Location="https://169.254.169.254/latest")
    with pytest.raises(HubError) as caught:
        fetched()
    assert caught.value.code == "http_redirect"
    assert len(proxy.heads) == 1


@pytest.mark.parametrize(
    "address",
    [
        "socks5://me:secret@host:1080",
        "https://me:secret@host:3128",
        "http://me:secret@",
        "http://me:secret@host:99999",
        "http://me:secret@[::1",
        "http://me:secret@host\r\nX: y",
        "file:///etc/passwd",
    ],
)
def test_an_address_of_no_usable_proxy_is_not_shown(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(UsageError, match="HTTPS_PROXY") as caught:
        proxy_for(Origin(scheme="https", host="huggingface.co", port=443))
    assert caught.value.code == "bad_option"
    assert "secret" not in str(caught.value)


def test_a_proxy_does_not_show_its_password() -> None:
    proxy = parse_proxy("http://me:secret@[::1]:3128")
    assert proxy is not None
    assert (proxy.origin.host, proxy.origin.port) == ("::1", 3128)
    assert proxy.authorization == "Basic bWU6c2VjcmV0"
    assert "bWU6c2VjcmV0" not in repr(proxy)
