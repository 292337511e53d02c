"""What the OpenAPI document says of a question: its parameters, its body, its answer."""

from collections.abc import Mapping
from typing import Any

from sizewise.service.examples import EXAMPLES
from sizewise.service.options import MODEL_LIMIT, Option
from sizewise.service.verbs import Verb

MEDIA_TYPES = {
    "json": "application/json",
    "table": "text/plain; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "md": "text/markdown; charset=utf-8",
}
QUERY_LIMIT = 4_000
"""Characters of a text in an address."""
ANSWER: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "schema_version": {"type": "integer", "minimum": 1, "maximum": 1000},
        "warnings": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["schema_version"],
}
"""What every answer in JSON is."""


def by_query_operation(asked: Verb) -> dict[str, Any]:
    """Return the parameters of a GET: every option, lists as repeated names."""
    example = EXAMPLES[asked.name]
    parameters = [_parameter(option, example.get(option.name)) for option in asked.options.values()]
    return {"parameters": parameters, "responses": _answers()}


def by_body_operation(asked: Verb) -> dict[str, Any]:
    """Return the body of a POST: an object of the options."""
    content = {
        "schema": {"$ref": f"#/components/schemas/{body_name(asked)}"},
        "examples": {"example": {"value": dict(EXAMPLES[asked.name])}},
    }
    body = {"required": True, "content": {"application/json": content}}
    return {"requestBody": body, "responses": _answers()}


def body_name(asked: Verb) -> str:
    """Return the name of the schema of a verb's options: ``PlanServeQuestion``."""
    return "".join(word.title() for word in asked.name.split()) + "Question"


def body_schema(asked: Verb) -> dict[str, Any]:
    """Return the schema of a verb's options, as an object."""
    return {
        "type": "object",
        "title": body_name(asked),
        "properties": {option.name: dict(option.schema) for option in asked.options.values()},
        "required": [option.name for option in asked.options.values() if option.required],
        "additionalProperties": False,
    }


def _answers() -> dict[str, Any]:
    content: dict[str, Any] = {
        kind.partition(";")[0]: {"schema": {"type": "string"}} for kind in MEDIA_TYPES.values()
    }
    content["application/json"] = {"schema": {"$ref": "#/components/schemas/Answer"}}
    return {"200": {"description": "What the command line prints.", "content": content}}


def _parameter(option: Option, example: Any) -> dict[str, Any]:
    schema = _as_text(option)
    parameter: dict[str, Any] = {
        "name": option.name,
        "in": "query",
        "required": option.required,
        "description": schema.pop("description", ""),
        "schema": schema,
    }
    if schema["type"] == "array":
        parameter |= {"style": "form", "explode": True}
    if example is not None:
        listed = schema["type"] == "array" and not isinstance(example, list)
        parameter["example"] = [example] if listed else example
    return parameter


def _as_text(option: Option) -> dict[str, Any]:
    """Return the schema of an option in an address, where numbers of a quantity are texts too."""
    schema = dict(option.schema)
    if option.name == "model" and option.positional:
        names, text = schema["anyOf"][:2]
        texts = {"anyOf": [names, {**text, "maxLength": QUERY_LIMIT}]}
        told = {"description": schema["description"]}
        return {"type": "array", "items": texts, "minItems": 1, "maxItems": MODEL_LIMIT} | told
    if option.name == "runs":
        return schema | {"maxLength": QUERY_LIMIT}
    if schema.get("type") == "array":
        return schema | {"items": _one(schema["items"])}
    return _one(schema)


def _one(schema: Mapping[str, Any]) -> dict[str, Any]:
    if "anyOf" not in schema:
        return dict(schema)
    told = {name: schema[name] for name in ("description", "examples") if name in schema}
    return dict(schema["anyOf"][1]) | told
