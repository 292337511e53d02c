"""A file's header over HTTP: read once, then a model like any other."""

import json

import pytest
from starlette.testclient import TestClient

from sizewise.service.headers import HEADER_BYTES
from sizewise.web.app import create_app

from ..service.test_headers import PAIRS, TOKENIZER, safetensors, sent_gguf

OCTETS = {"content-type": "application/octet-stream"}


@pytest.fixture(scope="module")
def client():
    with TestClient(create_app(), base_url="http://127.0.0.1:8741") as client:
        yield client


@pytest.fixture(scope="module")
def gguf(client):
    _, sent = sent_gguf(PAIRS, TOKENIZER)
    asked = {"kind": "gguf", "size": sent.size, "end": sent.end, "name": sent.name}
    return client.post("/api/header", params=asked, content=sent.data, headers=OCTETS).json()


def test_a_header_is_a_model_for_every_question(client, gguf):
    assert (gguf["quant"], gguf["model_type"], gguf["format"]) == ("q8_0", "llama", "gguf")
    told = client.get("/api/memory", params={"model": gguf["model"], "on": "rtx-4090", "context": 256}).json()
    assert told["model"]["name"] == "tiny-q8_0.gguf"
    weights = next(part for part in told["memory"] if part == "weights")
    assert weights
    both = client.post("/api/params", json={"model": [gguf["model"], "gpt2"]}).json()
    assert json.dumps(both).count(str(gguf["parameters"])) >= 1


def test_the_same_header_again_is_the_same_model(client, gguf):
    _, sent = sent_gguf(PAIRS, TOKENIZER)
    asked = {"kind": "gguf", "size": sent.size, "end": sent.end, "name": sent.name}
    assert client.post("/api/header", params=asked, content=sent.data, headers=OCTETS).json() == gguf


def test_a_header_that_is_gone_says_what_to_do(client):
    answer = client.get("/api/memory", params={"model": "header:0123456789abcdef0123"})
    assert answer.status_code == 404
    assert "drop the file again" in answer.json()["detail"]


def test_settings_change_no_file(client, gguf):
    answer = client.get("/api/params", params={"model": gguf["model"], "set": "num_hidden_layers=3"})
    assert answer.status_code == 409


def test_a_configuration_stands_before_the_header(client):
    config = json.dumps({"model_type": "gpt2"}).encode()
    data = safetensors({"wte.weight": ("F32", [4, 8], 128)})
    asked = {"kind": "safetensors", "size": len(data) + 128, "config_bytes": len(config)}
    told = client.post("/api/header", params=asked, content=config + data, headers=OCTETS).json()
    assert (told["model_type"], told["parameters"], told["checkpoint_bytes"]) == ("gpt2", 32, 128)
    assert "inconsistent" in [warning["code"] for warning in told["warnings"]]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"kind": "torch"}, 422),
        ({"size": -1}, 422),
        ({"size": 2**63}, 422),
        ({"size": 10}, 409),
        ({"end": 5}, 409),
        ({"name": "x" * 301}, 422),
        ({"config_bytes": 5}, 409),
        ({"kind": "safetensors"}, 409),
    ],
)
def test_what_cannot_be_read_is_a_problem(client, change, status):
    _, sent = sent_gguf(PAIRS, TOKENIZER)
    asked = {"kind": "gguf", "size": sent.size, "end": sent.end} | change
    answer = client.post("/api/header", params=asked, content=sent.data, headers=OCTETS)
    assert answer.status_code == status


def test_bodies_have_a_kind_and_a_bound(client):
    asked = {"kind": "gguf", "size": 100}
    assert client.post("/api/header", params=asked, json={}).status_code == 415
    long = client.post("/api/header", params=asked, content=bytes(HEADER_BYTES + 1), headers=OCTETS)
    assert long.status_code == 413
    pieces = (bytes(2**20) for _ in range(9))
    assert client.post("/api/header", params=asked, content=pieces, headers=OCTETS).status_code == 413


@pytest.mark.parametrize(
    ("query", "field"), [("kind=gguf&kind=safetensors&size=9", "kind"), ("kind=gguf&size=9&ends=3", None)]
)
def test_names_that_are_unknown_or_repeated_are_refused(client, query, field):
    answer = client.post(f"/api/header?{query}", content=b"GGUF", headers=OCTETS)
    assert answer.status_code == 422
    assert answer.json().get("field") == field
