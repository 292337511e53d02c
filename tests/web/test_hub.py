"""Models of the hub: only where it is allowed, only by id, never with a login."""

import json
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from sizewise.web.app import create_app
from sizewise.web.settings import Settings

from ..sources.lying_hub import CONFIG, REPO, Hub, running_hub

BASE = "http://127.0.0.1:8741"


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    with running_hub() as found, pytest.MonkeyPatch.context() as patch:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
            patch.delenv(name, raising=False)
            patch.delenv(name.lower(), raising=False)
        patch.setenv("HF_ENDPOINT", found.address)
        patch.setenv("HF_TOKEN", "hf_of_the_service")
        patch.delenv("HF_HUB_OFFLINE", raising=False)
        found.files[REPO] = {"config.json": json.dumps(CONFIG).encode()}
        yield found


@pytest.fixture(scope="module")
def client(hub: Hub) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(allow_hub=True)), base_url=BASE) as client:
        yield client


def test_a_model_is_fetched_once_and_then_asked_about(hub: Hub, client: TestClient):
    told = client.get("/api/hub", params={"id": REPO})
    assert told.status_code == 200
    assert told.json()["model"] == f"hub:{REPO}"
    asked = len(hub.requests)
    assert asked
    assert client.get("/api/hub", params={"id": REPO}).json() == told.json()
    answer = client.get("/api/params", params={"model": f"hub:{REPO}"})
    assert answer.json()["parameters"]["total"] == told.json()["parameters"]
    assert len(hub.requests) == asked


def test_the_login_of_the_service_is_not_used(hub: Hub, client: TestClient):
    client.get("/api/hub", params={"id": REPO})
    assert all("hf_of_the_service" not in str(request) for request in hub.requests)


def test_what_the_hub_does_not_have_is_its_problem(client: TestClient):
    answer = client.get("/api/hub", params={"id": "nobody/nothing"})
    assert answer.status_code == 502
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["/etc/passwd", "file:///etc/passwd", "../..", "http://169.254.169.254/x"])
def test_only_ids_reach_the_hub(hub: Hub, client: TestClient, name: str):
    asked = len(hub.requests)
    answer = client.get("/api/hub", params={"id": name})
    assert answer.status_code == 404
    assert len(hub.requests) == asked


@pytest.mark.parametrize("query", [f"id={REPO}&id=a/b", f"id={REPO}&revision=main"])
def test_an_address_with_more_than_an_id_is_refused(hub: Hub, client: TestClient, query: str):
    asked = len(hub.requests)
    assert client.get(f"/api/hub?{query}").status_code == 422
    assert len(hub.requests) == asked


def test_questions_fetch_nothing(hub: Hub, client: TestClient):
    asked = len(hub.requests)
    answer = client.get("/api/params", params={"model": "hub:someone/else"})
    assert answer.status_code == 404
    assert "/api/hub" in answer.json()["detail"]
    assert client.get("/api/params", params={"model": "someone/else"}).status_code == 404
    assert len(hub.requests) == asked


def test_without_leave_there_is_no_such_address():
    with TestClient(create_app(), base_url=BASE) as client:
        assert client.get("/api/hub", params={"id": REPO}).status_code == 404
        assert "/api/hub" not in client.get("/api/openapi.json").json()["paths"]
