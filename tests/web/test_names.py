import gzip
import json
from collections.abc import Callable

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from sizewise.catalog.devices import find_device
from sizewise.catalog.formats import find_format
from sizewise.service.answers import known_model
from sizewise.web.names import add_names, names


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    add_names(app)
    return TestClient(app)


def test_the_document_is_small_on_the_wire():
    assert len(gzip.compress(json.dumps(names(), separators=(",", ":")).encode())) < 12_000


def test_every_model_that_is_named_is_answered_with_its_parameters():
    for row in names()["models"][::15]:
        assert known_model(row["id"]).architecture is not None
    llama = next(row for row in names()["models"] if row["id"] == "meta-llama/Llama-3.1-8B")
    assert (llama["parameters"], llama["context"], llama["maker"]) == (8_030_261_248, 131_072, "meta-llama")


def test_devices_and_formats_are_found_by_the_names_given():
    for row in names()["devices"]:
        assert find_device(row["id"]).memory_bytes == row["memory"]
    for row in names()["formats"]:
        assert find_format(row["name"]).bits == pytest.approx(row["bits"])


def test_the_same_document_is_not_sent_twice(client):
    first = client.get("/api/names", headers={"accept-encoding": "gzip"})
    tag = first.headers["etag"]
    assert tag.startswith('"')
    again = client.get("/api/names", headers={"accept-encoding": "gzip", "if-none-match": f'"x", {tag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag


def test_packed_and_plain_are_one_document_under_two_tags(client):
    packed = client.get("/api/names", headers={"accept-encoding": "gzip"})
    plain = client.get("/api/names", headers={"accept-encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json() == json.loads(json.dumps(names()))
    assert packed.headers["etag"] != plain.headers["etag"]


def test_laws_of_loss_are_those_that_spend_a_budget(run: Callable) -> None:
    listed = {row["name"] for row in names()["loss_laws"]}
    for row in names()["laws"]:
        ran = run(
            "laws",
            "optimal",
            "--flops",
            "1e21",
            "--law",
            row["name"],
            "--force",
            "--curve",
            "--json",
            "--quiet",
        )
        assert (ran.code == 0) == (row["name"] in listed), row
