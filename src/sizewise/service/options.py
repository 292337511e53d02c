"""An option of a verb: its name, JSON schema and words on a command line, read off the command itself."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

import click

from sizewise.errors import UsageError
from sizewise.service.quantities import (
    AMOUNT_LIMIT,
    NUMBER_LIMIT,
    OF_COMMANDS,
    OF_TEXTS,
    OF_TYPES,
    Quantity,
)
from sizewise.units import COUNT_LIMIT

TEXT_LIMIT = 200
"""Characters of an option's text."""
LIST_LIMIT = 16
"""Values of an option that may be repeated."""
MODEL_LIMIT = 8
"""Models that are compared in one question."""
RUNS_LIMIT = 1_000_000
"""Characters of a file of runs."""
CONFIG_LIMIT = 1_000_000
"""Characters of a configuration, and of a file of runs."""

ELSEWHERE = frozenset(
    {"offline", "via", "as_json", "output_file", "plot", "quiet", "no_color", "refresh", "check",
     "existing", "check_sweep", "calibration"}
)  # fmt: skip
"""Parameters that speak of this machine: its files, its network, its terminal, its exit code."""
RENAMED = {"references": "model", "file": "runs", "items": "laws"}
FORMATS = ("json", "table", "csv", "md")
CARDS = ("html", "md", "json")
"""Kinds of a scaling card, which a command writes into a file and a service hands over in its answer."""
_ABOVE_0 = {"type": "number", "minimum": 1e-6, "maximum": AMOUNT_LIMIT}
_SHARE = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
_PART = {"type": "number", "minimum": 0, "exclusiveMaximum": 1}
BOUNDS: Mapping[str, Mapping[str, Any]] = {
    "users": _ABOVE_0,
    "rps": _ABOVE_0,
    "usd_per_hour": _ABOVE_0,
    "concurrency": {"type": "number", "minimum": 1e-6, "maximum": 1e6},
    "min_speed": {"type": "number", "minimum": 0, "maximum": AMOUNT_LIMIT},
    "prefix_hit": _PART,
    "adapter_dropout": _PART,
    "sure": _SHARE,
    "utilization": _SHARE,
    "mfu": _SHARE,
    "goodput": _SHARE,
    "max_loss": {"type": "number", "minimum": 0, "maximum": AMOUNT_LIMIT},
    "delta": {"type": "number", "minimum": 1e-9, "maximum": 1000},
    "top": {"type": "integer", "minimum": 1, "maximum": 100},
    "max_devices": {"type": "integer", "minimum": 1, "maximum": 4096},
    "bootstrap": {"type": "integer", "minimum": 2, "maximum": 20_000},
    "cores": {"type": "integer", "minimum": 1, "maximum": 100_000},
}
"""Bounds of numbers that their commands check later than click does, or where more outlasts a deadline."""
FLAG = re.compile(r"(?<![\w-])--(?P<flag>[a-z][a-z0-9-]*)")
_PAIR = r"[A-Z]+=[A-Z]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One option. ``flag`` is empty where the value has a place instead of a name."""

    name: str
    flag: str
    schema: Mapping[str, Any]
    is_switch: bool = False
    required: bool = False
    quantity: Quantity | None = None

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
        texts = [self._text(one) for one in values]
        return texts if self.positional else [f"{self.flag}={text}" for text in texts]

    def _text(self, value: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise UsageError("bad_option", f"{self.name}: a number or a text")
        if isinstance(value, str):
            if "\0" in value:
                raise UsageError("bad_option", f"{self.name}: a null character is in no text")
            return value
        if not isfinite(value):
            raise UsageError("bad_option", f"{self.name}: a finite number")
        if self.quantity is not None:
            return self.quantity.text(value)
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def options_of(command: click.Command) -> dict[str, Option]:
    """Return the options of a command that a service takes, under the names of their flags."""
    found = {}
    for parameter in command.params:
        if parameter.name is None or parameter.name in ELSEWHERE:
            continue
        option = _option(str(command.name), parameter)
        found[option.name] = option
    return found


def without_flags(text: str) -> str:
    """Return a text in which flags are names.

    >>> without_flags("goes with --kv-cache-dtype")
    'goes with kv_cache_dtype'
    """
    return FLAG.sub(lambda found: found["flag"].replace("-", "_"), text)


def place_name(parameter: click.Parameter) -> str:
    """Return the name of an option that has a place instead of a flag."""
    return RENAMED.get(str(parameter.name), str(parameter.name))


def _option(command: str, parameter: click.Parameter) -> Option:
    if isinstance(parameter, click.Argument):
        name = place_name(parameter)
        return Option(
            name=name, flag="", schema=_argument_schema(name, parameter), required=parameter.required
        )
    flag = next((one for one in parameter.opts if one.startswith("--")), parameter.opts[0])
    name = flag.lstrip("-").replace("-", "_")
    quantity = _quantity(command, name, parameter.type)
    assert isinstance(parameter, click.Option)
    return Option(
        name=name,
        flag=flag,
        schema=_option_schema(name, parameter, quantity),
        is_switch=parameter.is_flag,
        required=parameter.required,
        quantity=quantity,
    )


def _quantity(command: str, name: str, kind: click.ParamType[Any]) -> Quantity | None:
    """Return the quantity that an option is, None where it is a plain number, a choice or a text."""
    if isinstance(kind, type(click.STRING)):
        return OF_COMMANDS.get((command, name)) or OF_TEXTS.get(name)
    return OF_TYPES.get(type(kind).__name__)


def _argument_schema(name: str, parameter: click.Argument) -> dict[str, Any]:
    if name == "model":
        return _MODELS
    if name == "runs":
        told = "The text of a CSV, JSON or JSONL file."
        return {"type": "string", "minLength": 1, "maxLength": CONFIG_LIMIT, "description": told}
    schema = _value_schema(parameter.type)
    return schema if parameter.nargs == 1 else {"type": "array", "items": schema, "maxItems": LIST_LIMIT}


_TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1, "maxLength": TEXT_LIMIT}
_MODEL: tuple[Mapping[str, Any], ...] = (
    _TEXT,
    {"type": "string", "maxLength": CONFIG_LIMIT, "pattern": r"^\s*\{", "description": "Its text."},
    {"type": "object", "description": "A config.json as it is."},
)
_MODELS: dict[str, Any] = {
    "anyOf": [
        *_MODEL,
        {"type": "array", "items": {"anyOf": list(_MODEL)}, "minItems": 1, "maxItems": MODEL_LIMIT},
    ],
    "description": "A catalogue name, an Ollama tag, a size (7b), a configuration; or several.",
}


def _option_schema(name: str, parameter: click.Option, quantity: Quantity | None) -> dict[str, Any]:
    if parameter.is_flag:
        schema: dict[str, Any] = {"type": "boolean"}
    elif name == "format":
        schema = {"type": "string", "enum": list(FORMATS), "default": "json"}
    elif name == "card":
        schema = {
            "type": "string",
            "enum": list(CARDS),
            "description": "A scaling card, as text in the JSON.",
        }
    elif quantity is not None:
        schema = quantity.schema
    elif name in BOUNDS and not isinstance(parameter.type, type(click.STRING)):
        schema = dict(BOUNDS[name])
    else:
        schema = _value_schema(parameter.type)
        if isinstance(parameter.metavar, str) and re.fullmatch(_PAIR, parameter.metavar):
            schema["pattern"] = "^[^=]+="
    if parameter.multiple:
        schema = {"type": "array", "items": schema, "maxItems": LIST_LIMIT}
    if parameter.help and "description" not in schema:
        schema["description"] = without_flags(parameter.help)
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
    return dict(_TEXT)


def _range_schema(kind: click.IntRange | click.FloatRange) -> dict[str, Any]:
    whole = isinstance(kind, click.IntRange)
    least = 0 if kind.min is None else kind.min
    most = (COUNT_LIMIT if whole else NUMBER_LIMIT) if kind.max is None else kind.max
    low, high = (
        ("exclusiveMinimum" if kind.min_open else "minimum"),
        ("exclusiveMaximum" if kind.max_open else "maximum"),
    )
    return {"type": "integer" if whole else "number", low: least, high: most}
