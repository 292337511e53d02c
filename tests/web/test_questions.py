"""The routes of questions: both ways to ask, the statuses, and the same answer as the command line's."""

import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest

from sizewise.service.examples import EXAMPLES
from sizewise.service.verbs import OFFERED, arguments, verb
from sizewise.web.operations import MEDIA_TYPES

from .asking import Service, check_problem

LLAMA = "model=llama-3.1-8b"


def path_of(name: str, values: Mapping[str, Any] | None = None) -> str:
    """Return the address of a question."""
    query = urlencode(values or {}, doseq=True)
    return f"/api/{name.replace(' ', '/')}" + (f"?{query}" if query else "")


@pytest.mark.parametrize("name", OFFERED)
def test_the_example_of_every_question_is_answered_both_ways_alike(service: Service, name: str) -> None:
    asked = service.post(path_of(name), EXAMPLES[name])
    assert asked.status == 200, asked.content
    assert asked.json["schema_version"] == 1
    assert service.get(path_of(name, EXAMPLES[name])).content == asked.content


@pytest.mark.parametrize("name", ["memory", "speed", "laws loss", "plan train", "choose", "catalog"])
def test_an_answer_is_what_the_command_line_prints(
    service: Service, run: Callable[..., Any], name: str
) -> None:
    values = EXAMPLES[name]
    printed = run(*name.split(), "--json", *arguments(verb(name), values))
    assert service.post(path_of(name), values).content.decode() == printed.out


@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_every_format_has_its_content_type(service: Service, form: str) -> None:
    answer = service.get(f"/api/memory?{LLAMA}&format={form}")
    assert answer.status == 200
    assert answer.headers["content-type"] == MEDIA_TYPES[form]


@pytest.mark.parametrize(
    ("values", "part"),
    [
        ("context=a+lot", "context"),
        ("context=", "context"),
        ("sequences=0", "sequences"),
        ("sequences=" + "9" * 1000, "sequences"),
        ("sequences=1&sequences=2", "sequences"),
        ("explain=1", "explain"),
        ("format=jsonl", "format"),
        ("format=html", "format"),
        ("gpu_memory_utilization=nan", "utilization"),
        ("gpu_memory_utilization=1e400", "utilization"),
        ("contxt=8k", "did you mean context"),
        ("output=/etc/passwd", "no option"),
        ("memory=1;2", "memory"),
        ("set=a", "set"),
    ],
)
def test_a_value_beyond_the_schema_is_refused(service: Service, values: str, part: str) -> None:
    answer = service.get(f"/api/memory?{LLAMA}&{values}")
    check_problem(answer, 422)
    assert part in answer.json["detail"]


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ("model=no-such-model", 404),
        ("model=/etc/passwd", 404),
        ("model=file:///etc/passwd", 404),
        ("model=http://169.254.169.254/", 404),
        ("model=org/name", 404),
        ("model=-", 404),
        ("model=--help", 404),
        (f"{LLAMA}&on=no-such-device", 409),
        (f"{LLAMA}&on=here", 409),
        ("", 409),
        ("layers=4", 409),
        (f"{LLAMA}&layers=4", 409),
        (f"{LLAMA}&set=a%00=b", 409),
    ],
)
def test_a_question_without_an_answer_says_why(service: Service, values: str, status: int) -> None:
    check_problem(service.get(f"/api/memory?{values}"), status)


def test_nothing_is_read_from_this_machine_and_nothing_fetched(service: Service, tmp_path: Any) -> None:
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model_type": "llama"}))
    check_problem(service.get(f"/api/memory?model={path}"), 404)
    check_problem(service.get(f"/api/laws/fit?runs={path}"), 409)


def test_what_is_missing_is_named(service: Service) -> None:
    answer = service.post("/api/laws/distill", {"student": "1b"})
    check_problem(answer, 422)
    assert "student_tokens" in answer.json["detail"]


def test_numbers_and_texts_of_quantities_mean_the_same(service: Service) -> None:
    numbers = {"model": "llama-3.1-8b", "context": 8192, "memory": 24}
    texts = {"model": ["llama-3.1-8b"], "context": "8k", "memory": "24GiB"}
    floats = {"model": "llama-3.1-8b", "context": 8192.0, "memory": 24.0}
    answers = {service.post("/api/memory", values).content for values in (numbers, texts, floats)}
    assert len(answers) == 1


def test_health_says_the_versions(service: Service) -> None:
    assert set(service.get("/api/health").json) == {"status", "version", "schema_version"}


def test_a_head_is_a_get_without_content(service: Service) -> None:
    head, got = service.ask("HEAD", "/api/health"), service.get("/api/health")
    assert (head.status, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND"])
def test_other_methods_are_told_which_there_are(service: Service, method: str) -> None:
    answer = service.ask(method, "/api/memory")
    check_problem(answer, 405)
    assert answer.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert service.ask("OPTIONS", "/api/health").headers["allow"] == "GET, HEAD, OPTIONS"


def test_a_file_is_asked_for_again_only_when_it_changed(service: Service) -> None:
    first = service.get("/")
    assert first.status == 200
    again = service.ask("GET", "/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("query", "status", "field"),
    [
        ("memory?model=7b&context=lots", 422, "context"),
        ("memory?model=7b&context=1k&context=2k", 422, "context"),
        ("memory?model=7b&on=rtx-4900", 409, "on"),
        ("memory?model=no-such-model", 404, "model"),
        ("memory?model=7b&context=0", 409, "context"),
        ("laws/show?name=none", 409, "name"),
        ("laws/optimal", 409, None),
        ("memory?model=7b&contxt=1k", 422, None),
    ],
)
def test_a_problem_names_the_option_that_is_meant(
    service: Service, query: str, status: int, field: str | None
) -> None:
    found = service.get(f"/api/{query}")
    check_problem(found, status)
    assert found.json.get("field") == field
