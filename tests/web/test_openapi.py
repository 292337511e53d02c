"""The OpenAPI document says what the routes do."""

from collections.abc import Iterator
from typing import Any

import pytest

from sizewise.service.examples import EXAMPLES
from sizewise.service.verbs import OFFERED, verb

from .asking import Service

NUMBERS = ("number", "integer")


@pytest.fixture(scope="module")
def document(service: Service) -> Any:
    return service.get("/api/openapi.json").json


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every schema of a document."""
    if isinstance(node, dict):
        if "type" in node and isinstance(node["type"], str):
            yield node
        for name, child in node.items():
            if name not in ("example", "examples", "enum", "default"):
                yield from schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from schemas(child)


def test_every_option_of_every_question_is_there_both_ways(document: Any) -> None:
    for asked in map(verb, OFFERED):
        ways = document["paths"][f"/api/{asked.path}"]
        assert [one["name"] for one in ways["get"]["parameters"]] == list(asked.options)
        reference = ways["post"]["requestBody"]["content"]["application/json"]["schema"]["$ref"]
        body = document["components"]["schemas"][reference.rpartition("/")[2]]
        assert list(body["properties"]) == list(asked.options)
        assert body["additionalProperties"] is False


def test_every_number_that_is_asked_has_both_bounds(document: Any) -> None:
    asked = [
        document["components"]["schemas"],
        [way.get("parameters", []) for ways in document["paths"].values() for way in ways.values()],
    ]
    unbound = [
        schema
        for schema in schemas(asked)
        if schema["type"] in NUMBERS
        and not (
            {"minimum", "exclusiveMinimum"} & set(schema) and {"maximum", "exclusiveMaximum"} & set(schema)
        )
    ]
    assert not unbound
    wholes = [schema for schema in schemas(asked) if schema["type"] == "integer"]
    assert all(len(str(schema["maximum"])) <= 19 for schema in wholes)


def test_every_text_that_is_asked_has_a_longest(document: Any) -> None:
    for ways in document["paths"].values():
        for way in ways.values():
            for schema in schemas(way.get("parameters", [])):
                bounded = "maxLength" in schema or "enum" in schema or "const" in schema
                assert schema["type"] != "string" or bounded, schema


def test_every_answer_and_every_problem_has_a_schema(document: Any) -> None:
    for path, ways in document["paths"].items():
        for method, way in ways.items():
            assert {"400", "404", "413", "414", "421", "429", "431", "503"} <= set(way["responses"]), path
            content = way["responses"]["200"]["content"]
            assert all(one["schema"] for one in content.values()), (method, path)
    answer = document["components"]["schemas"]["Answer"]
    assert answer["required"] == ["schema_version"]


def test_every_reference_leads_somewhere(document: Any) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            yield from (value for name, value in node.items() if name == "$ref" and isinstance(value, str))
            for child in node.values():
                yield from references(child)
        elif isinstance(node, list):
            for child in node:
                yield from references(child)

    for reference in set(references(document)):
        place = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_every_question_has_an_example(document: Any) -> None:
    assert set(EXAMPLES) == set(OFFERED)
    for asked in map(verb, OFFERED):
        body = document["paths"][f"/api/{asked.path}"]["post"]["requestBody"]
        assert body["content"]["application/json"]["examples"]["example"]["value"] == EXAMPLES[asked.name]
