"""An option of a verb: its name, JSON schema and words on a command line, read off the command itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import click

from sizewise.errors import UsageError
from sizewise.escaping import shorten
from sizewise.units import COUNT_LIMIT

TEXT_LIMIT = 300
"""Characters of an option's text."""
LIST_LIMIT = 32
"""Values of an option that may be repeated."""
MODEL_LIMIT = 8
"""Models that are compared in one question."""
NUMBER_LIMIT = 1e30
"""Beyond any amount that is meant: FLOPs, dollars, tokens."""

ELSEWHERE = frozenset(
    {"offline", "via", "as_json", "output_file", "plot", "quiet", "no_color", "refresh", "check", "card",
     "existing", "check_sweep", "calibration"}
)  # fmt: skip
"""Parameters that speak of this machine: its files, its network, its terminal, its exit code."""
RENAMED = {"references": "model", "file": "runs", "items": "laws"}
FORMATS = ("json", "table", "csv", "md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option. ``flag`` is empty where the value has a place instead of a name."""

    name: str
    flag: str
    schema: Mapping[str, Any]
    is_switch: bool = False
    required: bool = False

    @property
    def positional(self) -> bool:
        """Whether the value stands on the command line without a name."""
        return not self.flag

    def words(self, value: Any) -> list[str]:
        """Return the value's words on a command line. Raises UsageError (bad_option) for another kind."""
        if value is None or value is False:
            return []
        if self.is_switch:
            if value is not True:
                raise UsageError("bad_option", f"{self.name}: true or false")
            return [self.flag]
        values = value if isinstance(value, list) else [value]
        texts = [_text(self.name, one) for one in values]
        return texts if self.positional else [f"{self.flag}={text}" for text in texts]


def _text(name: str, value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UsageError("bad_option", f"{name}: a number or a text")
    if isinstance(value, float):
        if not isfinite(value):
            raise UsageError("bad_option", f"{name}: a finite number")
        return f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else repr(value)
    text = str(value)
    if "\0" in text:
        raise UsageError("bad_option", f"{name}: {shorten(text, 40)!r} holds a character that no text has")
    return text


def options_of(command: click.Command) -> dict[str, Option]:
    """Return the options of a command that a service takes, under the names of their flags."""
    found = {}
    for parameter in command.params:
        if parameter.name is None or parameter.name in ELSEWHERE:
            continue
        option = _option(parameter)
        found[option.name] = option
    return found


def _option(parameter: click.Parameter) -> Option:
    if isinstance(parameter, click.Argument):
        name = RENAMED.get(str(parameter.name), str(parameter.name))
        return Option(
            name=name, flag="", schema=_argument_schema(name, parameter), required=parameter.required
        )
    flag = next((one for one in parameter.opts if one.startswith("--")), parameter.opts[0])
    is_switch = isinstance(parameter, click.Option) and parameter.is_flag
    name = flag.lstrip("-").replace("-", "_")
    return Option(
        name=name,
        flag=flag,
        schema=_option_schema(parameter),
        is_switch=is_switch,
        required=parameter.required,
    )


def _argument_schema(name: str, parameter: click.Argument) -> dict[str, Any]:
    if name == "model":
        one = {
            "anyOf": [
                {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT},
                {"type": "object", "description": "A config.json as it is."},
            ]
        }
        many = {"type": "array", "items": one, "minItems": 1, "maxItems": MODEL_LIMIT}
        return {
            "anyOf": [*one["anyOf"], many],
            "description": "A catalogue name, an Ollama tag, a size (7b), a configuration; or several.",
        }
    if name == "runs":
        return {"type": "string", "minLength": 1, "description": "The text of a CSV, JSON or JSONL file."}
    schema = _value_schema(parameter.type)
    return schema if parameter.nargs == 1 else {"type": "array", "items": schema, "maxItems": LIST_LIMIT}


def _option_schema(parameter: click.Parameter) -> dict[str, Any]:
    assert isinstance(parameter, click.Option)
    schema: dict[str, Any] = {"type": "boolean"} if parameter.is_flag else _value_schema(parameter.type)
    if parameter.name == "format":
        schema = {"type": "string", "enum": list(FORMATS)}
    elif parameter.multiple:
        schema = {"type": "array", "items": schema, "maxItems": LIST_LIMIT}
    if parameter.help:
        schema["description"] = parameter.help
    return schema


def _value_schema(kind: click.ParamType[Any]) -> dict[str, Any]:
    """Return the schema of one value; every number has bounds on both sides."""
    if isinstance(kind, click.Choice):
        return {"type": "string", "enum": list(kind.choices)}
    if isinstance(kind, click.IntRange | click.FloatRange):
        return _range_schema(kind)
    if isinstance(kind, type(click.INT)):
        return {"type": "integer", "minimum": 0, "maximum": COUNT_LIMIT}
    if isinstance(kind, type(click.FLOAT)):
        return {"type": "number", "minimum": 0, "maximum": NUMBER_LIMIT}
    text = {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT}
    if isinstance(kind, type(click.STRING)):
        return text
    return {"anyOf": [{"type": "number", "minimum": 0, "maximum": NUMBER_LIMIT}, text]}


def _range_schema(kind: click.IntRange | click.FloatRange) -> dict[str, Any]:
    whole = isinstance(kind, click.IntRange)
    least = 0 if kind.min is None else kind.min
    most = (COUNT_LIMIT if whole else NUMBER_LIMIT) if kind.max is None else kind.max
    low, high = (
        ("exclusiveMinimum" if kind.min_open else "minimum"),
        ("exclusiveMaximum" if kind.max_open else "maximum"),
    )
    return {"type": "integer" if whole else "number", low: least, high: most}
