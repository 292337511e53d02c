import os
import socket
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from sizewise.errors import HubError, InputError, SizewiseError, UsageError
from sizewise.sources.http import ranges as http_ranges
from sizewise.sources.http.budget import Budget, Limits
from sizewise.sources.http.origin import Origin
from sizewise.sources.http.ranges import FIRST_BYTES, RangeClient, checked_endpoint
from sizewise.sources.hub.checkpoint import hub_listing, hub_weights
from sizewise.sources.hub.gguf import chosen_gguf
from sizewise.sources.hub.reference import HubReference, parse_hub_reference
from sizewise.sources.hub.repository import HubRepository, hub_config, hub_files

from .lying_hub import (
    CASES,
    COMMIT,
    CONFIG,
    REPO,
    TOKEN,
    Case,
    Handler,
    Hub,
    pickled,
    redirects_to,
    running_hub,
    safetensors,
    says,
    sharded,
)

QUICK = Limits(seconds=1.0, waiting_seconds=0.0)
OPEN: list[HubRepository] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Close what a test opened."""
    yield
    while OPEN:
        OPEN.pop().close()


def opened(limits: Limits | None = None, reference: str = REPO, *, offline: bool = False) -> HubRepository:
    """Return a repository that is closed at the end of the test."""
    found = parse_hub_reference(reference)
    assert found is not None
    OPEN.append(HubRepository(found, offline=offline, budget=Budget(limits)))
    return OPEN[-1]


def cached(root: Path, files: dict[str, bytes]) -> None:
    """Lay files into a cache as huggingface_hub does."""
    folder = root / "cache" / "models--org--name"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text(COMMIT)
    for name, data in files.items():
        path = folder / "snapshots" / COMMIT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


# What an honest hub costs


def test_a_model_of_one_file_takes_two_requests(hub: Hub) -> None:
    hub.files[REPO]["model.safetensors"] = safetensors({"a": 100_000, "b": 50_000})
    repository = opened()
    assert hub_config(repository) == (CONFIG, [])
    assert hub_listing(repository).elements == 150_000
    assert len(hub.requests) == 2
    assert hub.sent < 100_000
    assert repository.revision == COMMIT
    assert [request.path for request in hub.requests] == [
        "/org/name/resolve/main/config.json",
        f"/org/name/resolve/{COMMIT}/model.safetensors",
    ]


def test_a_long_header_takes_one_request_more(hub: Hub) -> None:
    hub.redirects = True
    hub.files[REPO]["model.safetensors"] = safetensors({"a": 100_000}, padding=500_000)
    assert hub_listing(opened()).elements == 100_000
    assert [request.path.startswith("/cdn/") for request in hub.requests] == [False, True, True]


@pytest.mark.parametrize(("redirects", "requests"), [(False, 7), (True, 13)])
def test_four_shards_are_opened(hub: Hub, redirects: bool, requests: int) -> None:
    hub.redirects = redirects
    hub.files[REPO] |= sharded(4, 50_000)
    repository = opened()
    hub_config(repository)
    weights = hub_weights(repository)
    assert weights.listing is not None
    assert weights.listing.bytes == weights.declared_bytes == 4 * 8 * 50_000
    assert len(hub.requests) == requests


def test_thirty_shards_are_not_opened_unless_asked_for(hub: Hub) -> None:
    hub.files[REPO] |= sharded(30, 1_000)
    repository = opened()
    hub_config(repository)
    weights = hub_weights(repository)
    assert (weights.shards, weights.declared_bytes, weights.listing) == (30, 240_000, None)
    assert len(hub.requests) == 3
    assert hub_listing(repository).bytes == 240_000


def test_a_server_that_always_sends_whole_files_is_good_enough_for_small_ones(hub: Hub) -> None:
    hub.files[REPO]["model.safetensors"] = safetensors({"a": 100}, padding=200_000)
    hub.lie = lambda it: it.send(200, it.server.files[REPO][it.path.rpartition("/")[2]])
    assert hub_listing(opened()).elements == 100
    assert len(hub.requests) == 1


def test_parts_of_a_file_in_any_order(hub: Hub) -> None:
    data = hub.files[REPO]["x.bin"] = bytes(range(256)) * 4_000
    with opened().opened("x.bin") as reader:
        for start, length in [(0, 8), (1_000_000, 500), (1_000_100, 400), (8, 200_000), (300_000, 5), (0, 0)]:
            assert reader.read(start, length) == data[start : start + length]
        assert len(hub.requests) == 4
        with pytest.raises(InputError, match="ends before"):
            reader.read(len(data) - 1, 2)


def test_a_pickled_checkpoint_is_read_by_its_directory(hub: Hub) -> None:
    hub.files[REPO]["pytorch_model.bin"] = pickled(1_000_000)
    repository = opened()
    assert hub_listing(repository).elements == 1_000_000
    assert len(hub.requests) == 5
    assert hub.sent < 400_000


def test_one_file_of_a_repository(hub: Hub) -> None:
    hub.files[REPO]["sub/other.safetensors"] = safetensors({"a": 7})
    assert hub_listing(opened(reference=f"{REPO}:sub/other.safetensors")).elements == 7


def test_a_format_names_a_gguf_file(hub: Hub) -> None:
    hub.files[REPO] |= {"x-Q4_K_M.gguf": b"", "x-Q4_K_S.gguf": b"", "x-IQ4_K_M.gguf": b""}
    assert chosen_gguf(opened(), "q4_k_m") == "x-Q4_K_M.gguf"
    with pytest.raises(InputError, match="no file for 'Q9'"):
        chosen_gguf(opened(), "Q9")


def test_a_repository_without_safetensors_says_what_it_has(hub: Hub) -> None:
    hub.files[REPO]["odd.gguf"] = b"GGUF"
    with pytest.raises(InputError, match=r"odd\.gguf") as caught:
        hub_listing(opened())
    assert caught.value.code == "not_found"


def test_listed_names_that_no_file_can_have_are_left_out(hub: Hub) -> None:
    names = ["good.bin", "sub/good.bin", "../evil", "/etc/passwd", "a//b", "C:\\x", "a\x1b[2J", "", "x" * 500]
    hub.files[REPO] = dict.fromkeys(names, b"")
    assert opened().files() == ("good.bin", "sub/good.bin")


@pytest.mark.parametrize("body", [b'{"siblings": 5}', b'{"siblings": null}', b"{}"])
def test_a_list_of_files_of_another_form_is_refused(hub: Hub, body: bytes) -> None:
    hub.lie = says(200, body)
    with pytest.raises(HubError):
        opened().files()


@pytest.mark.parametrize(
    "body",
    [b"[" * 1_000_000, b'{"a":' * 50_000, b'{"siblings":[' + b"{}," * 2_000_000, b'{"a":1e400,"b":NaN}'],
)
def test_a_list_of_files_that_is_a_bomb_is_refused(hub: Hub, body: bytes) -> None:
    hub.lie = says(200, body)
    started = time.process_time()
    with pytest.raises(SizewiseError):
        opened().files()
    assert time.process_time() - started < 1


# Lies


def config_of(repository: HubRepository) -> object:
    return hub_config(repository)


def listing_of(repository: HubRepository) -> object:
    return hub_listing(repository)


@pytest.mark.parametrize("asked", ["whole", "part"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_lie_ends_in_one_error_within_the_limits(hub: Hub, case: Case, asked: str) -> None:
    hub.lie = case.tell
    repository = opened(QUICK)
    ask: Callable[[HubRepository], object] = config_of if asked == "whole" else listing_of
    started, worked = time.monotonic(), time.thread_time()
    with pytest.raises((HubError, InputError)) as caught:
        ask(repository)
    assert caught.value.code in case.codes[asked], caught.value
    assert time.monotonic() - started < QUICK.seconds + 0.7
    assert time.thread_time() - worked < 1
    assert repository.budget is not None
    assert repository.budget.requests == len(hub.requests) <= 25
    assert repository.budget.bytes < 41 * 2**20
    text = str(caught.value)
    assert text.isprintable()
    assert TOKEN not in text
    assert "http:" not in text
    assert "oops" not in text
    assert "pwn" not in text


def test_an_endless_answer_takes_little_memory(hub: Hub) -> None:
    hub.lie = next(case.tell for case in CASES if case.name == "endless without length")
    tracemalloc.start()
    try:
        with pytest.raises(HubError):
            hub_config(opened())
        assert tracemalloc.get_traced_memory()[1] < 60_000_000
    finally:
        tracemalloc.stop()


def test_a_server_that_accepts_and_says_nothing_meets_the_deadline(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        client = RangeClient(address, None, Budget(Limits(seconds=0.4)))
        with pytest.raises(HubError) as caught:
            client.whole(f"{address}/x", "x", 10)
    assert caught.value.code == "http_timeout"


def test_a_refused_connection_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    client = RangeClient(address, None, Budget(QUICK))
    with pytest.raises(HubError) as caught:
        client.whole(f"{address}/x", "x", 10)
    assert caught.value.code == "http_error"


def test_a_name_that_nobody_knows_is_an_error() -> None:
    client = RangeClient("https://hub.invalid", None, Budget(Limits(seconds=5)))
    with pytest.raises(HubError) as caught:
        client.whole("https://hub.invalid/x", "x", 10)
    assert caught.value.code in ("http_error", "http_timeout")


# Second attempts


def failing(times: int, lie: Callable[[Handler], None]) -> Callable[[Handler], None]:
    return lambda it: lie(it) if len(it.server.requests) <= times else it.honest()


@pytest.mark.parametrize("name", ["503", "reset", "nothing", "short body"])
def test_what_passes_is_tried_again_twice(hub: Hub, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(http_ranges, "_RETRY_SECONDS", 0.05)
    tell = next(case.tell for case in CASES if case.name == name)
    hub.lie = failing(2, tell)
    assert hub_config(opened()) == (CONFIG, [])
    hub.requests.clear()
    hub.lie = failing(3, tell)
    with pytest.raises(HubError):
        hub_config(opened())
    assert len(hub.requests) == 3


def test_a_short_wait_is_honoured_and_a_long_one_is_not(hub: Hub) -> None:
    hub.lie = failing(1, says(429, b"", Retry_After="1"))
    started = time.monotonic()
    assert hub_config(opened()) == (CONFIG, [])
    assert 1 <= time.monotonic() - started < 2
    hub.requests.clear()
    hub.lie = failing(1, says(429, b"", Retry_After="3600"))
    with pytest.raises(HubError, match="too many requests"):
        hub_config(opened())
    assert len(hub.requests) == 1


def test_what_stays_is_asked_once(hub: Hub) -> None:
    hub.lie = says(403)
    with pytest.raises(HubError, match="licence"):
        hub_config(opened())
    assert len(hub.requests) == 1


def test_a_kept_connection_that_was_closed_is_opened_again(hub: Hub) -> None:
    def closes(it: Handler) -> None:
        it.honest()
        it.connection.shutdown(socket.SHUT_RDWR)
        it.close_connection = True

    hub.files[REPO]["model.safetensors"] = safetensors({"a": 5})
    hub.lie = closes
    repository = opened()
    hub_config(repository)
    assert hub_listing(repository).elements == 5


def test_the_number_of_requests_is_bounded(hub: Hub) -> None:
    hub.files[REPO] |= sharded(4, 10)
    with pytest.raises(HubError) as caught:
        hub_listing(opened(Limits(requests=1)))
    assert caught.value.code == "http_too_large"
    assert len(hub.requests) == 1


def test_the_bytes_of_all_requests_are_bounded_together(hub: Hub) -> None:
    hub.files[REPO] |= sharded(6, 20_000)
    with pytest.raises(HubError) as caught:
        hub_listing(opened(Limits(bytes=3 * FIRST_BYTES)))
    assert caught.value.code == "http_too_large"


# The token


def test_the_token_goes_to_the_endpoint(hub: Hub) -> None:
    hub_config(opened())
    assert [request.authorization for request in hub.requests] == [f"Bearer {TOKEN}"]


def test_the_token_does_not_follow_a_redirect(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    with running_hub() as other:
        monkeypatch.setattr(http_ranges, "_is_cdn", lambda origin: origin.port == other.server_address[1])
        other.files[REPO] = {"config.json": b'{"here": 1}'}
        hub.lie = redirects_to(f"{other.address}/org/name/resolve/main/config.json")
        assert hub_config(opened()) == ({"here": 1}, [])
        assert [request.authorization for request in other.requests] == [None]


def test_a_refused_redirect_is_not_visited(hub: Hub) -> None:
    with running_hub() as other:
        hub.lie = redirects_to(f"{other.address}/org/name/resolve/main/config.json")
        with pytest.raises(HubError):
            hub_config(opened())
        assert not other.requests


@pytest.mark.parametrize("token", ["hf_\nX-Evil: 1", "hf_é", "hf secret"])
def test_a_token_that_cannot_be_sent_is_not_shown(
    hub: Hub, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: token)
    with pytest.raises(HubError) as caught:
        hub_config(opened())
    assert "hf_" not in str(caught.value)
    assert not hub.requests


def test_a_token_that_cannot_be_read_is_an_error(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> str:
        raise RuntimeError(TOKEN)

    monkeypatch.setattr("huggingface_hub.get_token", fails)
    with pytest.raises(HubError, match="auth login") as caught:
        hub_config(opened())
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("huggingface.co", True),
        ("cdn-lfs.huggingface.co", True),
        ("cas-bridge.xethub.hf.co", True),
        ("hf.co", False),
        ("huggingface.co.evil.example", False),
        ("evilhf.co", False),
        (".hf.co", False),
    ],
)
def test_where_redirects_may_lead(host: str, known: bool) -> None:
    assert http_ranges._is_cdn(Origin(scheme="https", host=host, port=443)) is known
    assert not http_ranges._is_cdn(Origin(scheme="http", host=host, port=443))


@pytest.mark.parametrize(
    "endpoint",
    ["http://hub.example", "https://me:secret@hub.example", "ftp://hub.example", "hub", "", "https://a b/"],
)
def test_an_endpoint_without_tls_is_refused(endpoint: str) -> None:
    with pytest.raises(UsageError) as caught:
        checked_endpoint(endpoint)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint", ["https://huggingface.co", "http://localhost:8080/hf", "http://[::1]:80"]
)
def test_an_endpoint_with_tls_or_on_this_machine_is_taken(endpoint: str) -> None:
    assert checked_endpoint(endpoint)


# The cache


def test_what_the_cache_holds_needs_no_network(hub: Hub, tmp_path: Path) -> None:
    cached(tmp_path, {"config.json": b'{"old": 1}', **sharded(30, 10)})
    repository = opened(offline=True)
    assert hub_config(repository) == ({"old": 1}, [])
    weights = hub_weights(repository)
    assert weights.listing is not None
    assert weights.listing.bytes == weights.declared_bytes == 2_400
    assert not hub.requests


def test_what_the_cache_lacks_comes_from_the_same_commit(hub: Hub, tmp_path: Path) -> None:
    cached(tmp_path, {"config.json": b"{}"})
    hub.files[REPO]["model.safetensors"] = safetensors({"a": 5})
    repository = opened()
    hub_config(repository)
    hub_listing(repository)
    assert [request.path for request in hub.requests] == [f"/org/name/resolve/{COMMIT}/model.safetensors"]


def test_the_cache_may_know_that_a_file_is_missing(hub: Hub, tmp_path: Path) -> None:
    cached(tmp_path, {"config.json": b"{}"})
    missing = tmp_path / "cache" / "models--org--name" / ".no_exist" / COMMIT
    missing.mkdir(parents=True)
    (missing / "model.safetensors").touch()
    hub.files[REPO] |= sharded(2, 5)
    assert hub_listing(opened()).elements == 20
    assert not any(request.path.endswith("/model.safetensors") for request in hub.requests)


def test_nothing_is_written(hub: Hub, tmp_path: Path) -> None:
    hub.files[REPO]["model.safetensors"] = safetensors({"a": 5})
    repository = opened()
    hub_config(repository)
    hub_listing(repository)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("switch", ["option", "variable"])
def test_offline_opens_no_connection(hub: Hub, monkeypatch: pytest.MonkeyPatch, switch: str) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", switch == "variable")
    with pytest.raises(HubError, match="hf download") as caught:
        hub_config(opened(offline=switch == "option"))
    assert caught.value.code == "offline"
    assert not hub.requests


# References


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("org/name", HubReference(repo="org/name")),
        ("org/name@v1.0", HubReference(repo="org/name", revision="v1.0")),
        ("org/name@refs/pr/1", HubReference(repo="org/name", revision="refs/pr/1")),
        ("hf.co/org/name:Q4_K_M", HubReference(repo="org/name", file="Q4_K_M")),
        ("org/name@main:sub/x.gguf", HubReference(repo="org/name", revision="main", file="sub/x.gguf")),
        ("https://huggingface.co/org/name/", HubReference(repo="org/name")),
        ("huggingface.co/gpt2", HubReference(repo="gpt2")),
    ],
)
def test_references(text: str, expected: HubReference) -> None:
    assert parse_hub_reference(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        *(
            "gpt2",
            "",
            "/",
            "a/b/c",
            "../../x",
            "org/..",
            "org/name@../x",
            "org/name@/x",
            "org/name@x/",
            "org/",
        ),
        *(
            "http://127.0.0.1:9/x",
            "https://evil.example/org/name",
            "file:///etc/passwd",
            "org/na me",
            "org/name\n",
        ),
        *(
            "org/näme",
            "org/name@",
            "org/name:",
            "org/name:/etc/passwd",
            "org/name:a//b",
            "a" * 97 + "/b",
            "1e400",
        ),
    ],
)
def test_what_is_no_reference(text: str) -> None:
    assert parse_hub_reference(text) is None


@pytest.mark.parametrize("repo", ["a--b/c", "org/name.git", "org/-name"])
def test_names_that_the_hub_cannot_have_are_refused(hub: Hub, repo: str) -> None:
    with pytest.raises(UsageError) as caught:
        opened(reference=repo)
    assert caught.value.code == "bad_reference"


# The real variables of the environment


PROGRAM = """
import sys
assert "huggingface_hub" not in sys.modules
from sizewise.sources.hub.repository import hub_config, hub_files
from sizewise.sources.hub.reference import parse_hub_reference
with hub_files(parse_hub_reference("org/name")) as repository:
    print(hub_config(repository)[0]["model_type"], repository.revision)
"""


def test_the_environment_of_huggingface_hub_counts(hub: Hub, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("hf_from_file\n")
    names = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    environment = {name: value for name, value in os.environ.items() if name not in names}
    environment |= {
        "HF_ENDPOINT": hub.address,
        "HF_TOKEN_PATH": str(token),
        "HF_HOME": str(tmp_path / "home"),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.split() == ["llama", COMMIT]
    assert [request.authorization for request in hub.requests] == ["Bearer hf_from_file"]


def test_leaving_closes_the_connections(hub: Hub) -> None:
    with hub_files(HubReference(repo=REPO)) as repository:
        hub_config(repository)
        assert repository._client is not None
        assert repository._client._connections
    assert not repository._client._connections
