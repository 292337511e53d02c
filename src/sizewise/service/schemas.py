"""What a service accepts for each verb, as pydantic models made from its options.

Bodies are taken strictly (a text is no number), query strings as texts that are read as the option's kind.
"""

from collections.abc import Mapping
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from sizewise.service.verbs import Verb

_BOUNDS = {
    "minimum": "ge",
    "maximum": "le",
    "exclusiveMinimum": "gt",
    "exclusiveMaximum": "lt",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
}
"""The words of JSON Schema and those of pydantic."""
_PLAIN: dict[str, Any] = {"boolean": bool, "integer": int, "string": str}


@cache
def accepted(asked: Verb) -> type[BaseModel]:
    """Return the model of a verb's options; none is required here, the command says what it lacks."""
    fields: dict[str, Any] = {
        option.name: (
            Annotated[_kind(option.schema) | None, Field(description=option.schema.get("description"))],
            None,
        )
        for option in asked.options.values()
    }
    name = "".join(word.title() for word in asked.name.split())
    return create_model(name, __config__=ConfigDict(extra="forbid", title=name), **fields)


def _kind(schema: Mapping[str, Any]) -> Any:
    """Return the Python type of a JSON schema of an option."""
    if "anyOf" in schema:
        return reduce(or_, map(_kind, schema["anyOf"]))
    if "enum" in schema:
        return Literal[tuple(schema["enum"])]
    bounds = {word: schema[name] for name, word in _BOUNDS.items() if name in schema}
    kind = schema["type"]
    if kind == "array":
        return Annotated[list[_kind(schema["items"])], Field(**bounds)]  # type: ignore[misc]
    if kind == "number":
        return Annotated[float, Field(allow_inf_nan=False, **bounds)]
    if kind == "object":
        return dict[str, Any]
    return Annotated[_PLAIN[kind], Field(**bounds)]
