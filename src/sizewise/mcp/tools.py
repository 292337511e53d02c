"""A tool for each verb: its name, its options as a JSON schema, and what it may touch."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from mcp.types import Tool, ToolAnnotations

from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.service.options import Option
from sizewise.service.verbs import OFFERED, Verb, verb

FORMAT = "json: structured content and a text; the others: a text alone."
MODEL = "A catalogue name, an Ollama tag, a size (7b), a config.json as an object; or a list of these."
PAIRS = " As name=value."
LEFT_OUT = frozenset({"pattern", "examples", "minLength", "maxLength", "description"})
HARMLESS = ToolAnnotations(
    read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
)


@cache
def tools() -> dict[str, tuple[Tool, Verb]]:
    """Return every tool and the verb that it asks, under the tool's name: ``plan_serve``."""
    named = {name.replace(" ", "_"): verb(name) for name in OFFERED}
    return {name: (_tool(name, asked), asked) for name, asked in named.items()}


def chosen(names: Sequence[str]) -> dict[str, tuple[Tool, Verb]]:
    """Return the tools of these names, all where none is given. Raises UsageError (bad_option) for others."""
    unknown = next((name for name in names if name not in tools()), None)
    if unknown is not None:
        near = did_you_mean(unknown, tools())
        raise UsageError("bad_option", f"unknown tool {shorten(unknown, 60)!r}{near}")
    return {name: one for name, one in tools().items() if not names or name in names}


def _tool(name: str, asked: Verb) -> Tool:
    return Tool(
        name=name,
        title=f"sizewise {asked.name}",
        description=asked.description,
        input_schema=input_schema(asked),
        annotations=HARMLESS,
    )


def input_schema(asked: Verb) -> dict[str, Any]:
    """Return the JSON schema of a verb's options, each number with both bounds."""
    required = [option.name for option in asked.options.values() if option.required]
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {name: _property(option) for name, option in asked.options.items()},
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def _property(option: Option) -> dict[str, Any]:
    """Return the schema of an option with its description, and how it is written where no pattern tells."""
    schema = _short(option.schema)
    said = str(option.schema.get("description", ""))
    if option.name == "format":
        said = FORMAT
    elif "object" in schema["type"]:
        said = MODEL
    elif "pattern" in option.schema.get("items", {}):
        said += PAIRS
    elif option.quantity is not None and option.quantity.number is None and "e.g." not in said:
        said += f" E.g. {option.quantity.example}."
    return schema | ({"description": said} if said else {})


def _short(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same schema without what an agent needs no words for; an answer checks it all the same.

    Kinds of one value are a list of types: bounds of numbers hold for numbers alone.

    >>> _short({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^[0-9]+$"}]})
    {'type': ['number', 'string'], 'minimum': 0}
    """
    if "anyOf" in schema:
        kinds = [_short(one) for one in schema["anyOf"]]
        types = list(dict.fromkeys(kind["type"] for kind in kinds))
        return {name: value for kind in kinds for name, value in kind.items()} | {"type": types}
    kept = {name: value for name, value in schema.items() if name not in LEFT_OUT}
    return kept | ({"items": _short(schema["items"])} if "items" in schema else {})
