"""Tools are what the service offers: named, bounded, short, harmless."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from mcp.types import Tool

from sizewise.errors import UsageError
from sizewise.mcp.tools import chosen, tools
from sizewise.service.verbs import OFFERED

from .conftest import within
from .examples import EXAMPLES

LISTED = {tool.name: tool for tool in within(lambda client: client.list_tools()).tools}
LISTING_CHARACTERS = 62_000
"""What an agent reads before its first question; one that needs less names tools."""


def leaves(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield each schema of a plain type within a schema."""
    if isinstance(schema, dict):
        if isinstance(schema.get("type"), str | list) and schema["type"] != "object":
            yield schema
        for one in schema.values():
            yield from leaves(one)
    if isinstance(schema, list):
        for one in schema:
            yield from leaves(one)


def test_every_question_is_a_tool_with_an_example() -> None:
    assert list(LISTED) == [name.replace(" ", "_") for name in OFFERED]
    assert set(EXAMPLES) == set(LISTED)


@pytest.mark.parametrize("tool", LISTED.values(), ids=LISTED)
def test_a_schema_is_valid_and_takes_the_example(tool: Tool) -> None:
    Draft202012Validator.check_schema(tool.input_schema)
    Draft202012Validator(tool.input_schema).validate(EXAMPLES[tool.name].arguments)
    assert not Draft202012Validator(tool.input_schema).is_valid({"no_such_option": 1})


@pytest.mark.parametrize("tool", LISTED.values(), ids=LISTED)
def test_every_number_and_list_has_bounds(tool: Tool) -> None:
    found = list(leaves(tool.input_schema))
    assert found
    for leaf in found:
        types = set(leaf["type"]) if isinstance(leaf["type"], list) else {leaf["type"]}
        assert types <= {"number", "integer", "string", "boolean", "array", "object"}, leaf
        if types & {"number", "integer"}:
            assert {"minimum", "exclusiveMinimum"} & set(leaf), leaf
            assert {"maximum", "exclusiveMaximum"} & set(leaf), leaf
        if "array" in types:
            assert "maxItems" in leaf, leaf


@pytest.mark.parametrize("tool", LISTED.values(), ids=LISTED)
def test_a_tool_says_what_it_is_for_and_harms_nothing(tool: Tool) -> None:
    assert tool.description
    assert len(tool.description) < 800
    assert tool.annotations is not None
    assert tool.annotations.read_only_hint
    assert tool.annotations.idempotent_hint
    assert tool.annotations.destructive_hint is False
    assert tool.annotations.open_world_hint is False


def test_a_schema_names_what_the_command_requires() -> None:
    assert LISTED["laws_show"].input_schema["required"] == ["name"]
    assert "required" not in LISTED["memory"].input_schema


def test_the_list_is_short() -> None:
    assert sum(len(tool.model_dump_json(exclude_none=True)) for tool in LISTED.values()) < LISTING_CHARACTERS


def test_some_tools_alone_are_offered() -> None:
    assert list(chosen(["speed", "memory"])) == ["memory", "speed"]
    assert chosen([]) == tools()
    with pytest.raises(UsageError, match="did you mean memory"):
        chosen(["memry"])


def test_kinds_of_a_value_are_types_in_one_schema() -> None:
    properties = LISTED["memory"].input_schema["properties"]
    assert properties["context"]["type"] == ["integer", "string"]
    assert properties["model"]["type"] == ["string", "object", "array"]
    assert properties["model"]["items"]["type"] == ["string", "object"]
    assert properties["set"]["description"].endswith("As name=value.")
    assert LISTED["choose"].input_schema["properties"]["budget"]["description"].endswith("E.g. 5usd/h.")


@pytest.mark.parametrize("tool", LISTED.values(), ids=LISTED)
def test_no_flag_is_spoken_of(tool: Tool) -> None:
    assert "--" not in tool.model_dump_json()
