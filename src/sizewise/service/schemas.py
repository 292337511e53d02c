"""What a service accepts for each verb, as pydantic models made from its options.

Values are taken strictly: a text is no number and a number no text. What a query string says is read as JSON
values first.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache, reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.service.options import Option
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
    "pattern": "pattern",
}
"""The words of JSON Schema and those of pydantic."""
_WORDS = {
    "missing": "is needed",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
    "string_pattern_mismatch": "not written as it has to be",
    "string_unicode": "a text in Unicode",
    "string_type": "a text",
    "too_long": "at most {max_length} values",
    "too_short": "at least {min_length} values",
    "list_type": "a list",
    "dict_type": "an object",
    "less_than_equal": "at most {le}",
    "less_than": "below {lt}",
    "greater_than_equal": "at least {ge}",
    "greater_than": "above {gt}",
    "literal_error": "one of {expected}",
    "finite_number": "a finite number",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "int_parsing_size": "a whole number, not so large",
    "bool_type": "true or false",
}
"""What a value has to be, by the type of pydantic's error."""
_MODEL_WORDS = (
    "a name of at most 200 characters, a configuration (an object, or a text that begins with {, of at most "
    "1,000,000 characters), or a list of at most 8 of them"
)
_PLAIN: dict[str, Any] = {"boolean": bool, "number": float, "object": dict[str, Any], "string": str}
_INTEGER = r"-?(0|[1-9][0-9]{0,18})"
_REAL = rf"{_INTEGER}(\.[0-9]{{1,30}})?([eE][+-]?[0-9]{{1,3}})?"


class UnfitError(UsageError):
    """A value that a verb's schema refuses; ``field`` is the option's name, empty for an unknown one."""

    def __init__(self, message: str, field: str = "") -> None:
        """Keep what is wrong and with which option."""
        super().__init__("bad_option", message)
        self.field = field


@cache
def accepted(asked: Verb) -> type[BaseModel]:
    """Return the model of a verb's options; None stands for what is not said, as `checked` knows."""
    fields: dict[str, Any] = {
        option.name: (_kind(option.schema) | None, None) for option in asked.options.values()
    }
    name = "".join(word.title() for word in asked.name.split())
    return create_model(name, __config__=ConfigDict(extra="forbid", strict=True, title=name), **fields)


def checked(asked: Verb, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that a verb is told. Raises UnfitError (bad_option) for those its schema refuses.

    >>> from sizewise.service.verbs import verb
    >>> checked(verb("memory"), {"model": "7b", "context": "a lot"})
    Traceback (most recent call last):
    sizewise.service.schemas.UnfitError: [bad_option]: context: not accepted; write it like 32k
    """
    silent = next((name for name, value in values.items() if value is None), None)
    if silent is not None:
        known = silent if silent in asked.options else ""
        raise UnfitError(f"{shorten(silent)}: null is no value; leave it out", known)
    missing = [name for name, option in asked.options.items() if option.required and name not in values]
    if missing:
        raise UnfitError(f"{asked.name} needs {', '.join(missing)}", missing[0])
    try:
        return accepted(asked).model_validate(values, strict=True).model_dump(exclude_unset=True)
    except ValidationError as error:
        raise _unfit(asked, error) from None


def _unfit(asked: Verb, error: ValidationError) -> UnfitError:
    """Return the first thing that is wrong, without the value."""
    first = error.errors(include_url=False, include_input=False)[0]
    if not first["loc"]:
        return UnfitError("names of options are texts in Unicode")
    name = str(first["loc"][0])
    option = asked.options.get(name)
    if option is None:
        near = did_you_mean(name, asked.options)
        return UnfitError(f"{asked.name} has no option {shorten(name)!r}{near}")
    return UnfitError(_told(option, first), name)


def _told(option: Option, first: Mapping[str, Any]) -> str:
    """Return what is wrong with an option's value."""
    name = option.name
    if first["type"] == "list_type" and option.schema.get("type") == "array":
        return f"{name}: {refusal(first)}"
    if option.quantity is not None:
        return f"{name}: not accepted; write it like {option.quantity.example}"
    if name == "model":
        return f"model: {_MODEL_WORDS}"
    return f"{name}: {refusal(first)}"


def refusal(error: Mapping[str, Any]) -> str:
    """Return what a value has to be, of an error as pydantic details it."""
    return _WORDS.get(error["type"], "not accepted").format_map(error.get("ctx", {}))


def read_query(asked: Verb, query: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the JSON values that a query string's names and texts mean to a verb.

    What is unknown or of another kind stays a text that no schema accepts. Raises UnfitError (bad_option) for
    names that are repeated without being those of lists.
    """
    found: dict[str, Any] = {}
    for name, text in query:
        option = asked.options.get(name)
        schema = option.schema if option is not None else {}
        if schema.get("type") == "array":
            found.setdefault(name, []).append(_read(schema["items"], text))
        elif name in found:
            if name != "model":
                raise UnfitError(
                    f"{shorten(name, 60)}: given more than once", name if option is not None else ""
                )
            earlier = found[name]
            found[name] = [*(earlier if isinstance(earlier, list) else [earlier]), text]
        else:
            found[name] = _read(schema, text)
    return found


def _read(schema: Mapping[str, Any], text: str) -> Any:
    """Return a text as the kind of value that a schema wants, as it is where it is none."""
    kind = schema.get("type")
    if kind == "boolean" and text in ("true", "false"):
        return text == "true"
    if kind == "integer" and re.fullmatch(_INTEGER, text):
        return int(text)
    if kind == "number" and re.fullmatch(_REAL, text):
        return float(text)
    return text


def _whole(value: Any) -> Any:
    """Return 8.0 as 8, as JSON knows one kind of number alone."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


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
    if kind == "integer":
        return Annotated[int, BeforeValidator(_whole), Field(**bounds)]
    return Annotated[
        _PLAIN[kind], Field(allow_inf_nan=False, **bounds) if kind == "number" else Field(**bounds)
    ]
