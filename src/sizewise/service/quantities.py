"""Quantities as people write them, as JSON schemas: a number in its bounds, or a text of a pattern.

A text that the command line reads matches the pattern; one that matches is read, or is out of range. Patterns
keep to what JSON Schema, Rust and Python understand alike.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sizewise.durations import SECONDS_LIMIT
from sizewise.scaling.budget import FLOPS_PER_PARAM_AND_TOKEN
from sizewise.units import CONTEXT_LIMIT, COUNT_LIMIT, FLOPS_LIMIT, GIB, MEMORY_LIMIT

Schema = Mapping[str, Any]

NUMBER_LIMIT = 1e30
"""Beyond any amount that is meant: FLOPs, dollars, tokens."""
AMOUNT_LIMIT = 1e9
"""The most of what is counted or paid: users, requests per second, USD, seconds."""

_NUMBER = r"[0-9][0-9_,]{0,29}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?"
_SECONDS = r"[0-9]{1,7}(\.[0-9]{1,9})? *[sS]?"
_MONEY = r"[0-9]{1,9}(\.[0-9]{1,9})?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """An amount: the pattern of its texts, an example, and the schema of its bare number where it has one.

    ``digits`` are the decimals that the text of a number may have; None where an exponent is read too.
    """

    pattern: str
    example: str
    number: Schema | None = None
    digits: int | None = None
    longest: int = field(default=60)

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of one value."""
        text = {
            "type": "string",
            "minLength": 1,
            "maxLength": self.longest,
            "pattern": f"^ *{self.pattern} *$",
        }
        if self.number is None:
            return {**text, "examples": [self.example]}
        return {"anyOf": [dict(self.number), text], "examples": [self.example]}

    def text(self, value: float) -> str:
        """Return a number as the command line reads it."""
        if value == int(value) and abs(value) < 1e15:
            return str(int(value))
        return repr(value) if self.digits is None else f"{value:.{self.digits}f}".rstrip("0").rstrip(".")


def _whole(most: int) -> Schema:
    return {"type": "integer", "minimum": 1, "maximum": most}


def _from(least: float, most: float) -> Schema:
    return {"type": "number", "minimum": least, "maximum": most}


TOKENS = Quantity(pattern=rf"{_NUMBER} *[kKmM]?", example="32k", number=_whole(CONTEXT_LIMIT))
COUNT = Quantity(pattern=rf"{_NUMBER} *[kKmMbBgGtT]?", example="8.03e9", number=_whole(COUNT_LIMIT))
FLOPS = Quantity(
    pattern=r"[0-9][0-9,]{0,29}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})? *"
    r"([pPeEzZyY]?[fF][lL][oO][pP]|[fF][lL][oO][pP][sS]|[pP][fF](-[dD][aA][yY][sS]?|[dD]))?",
    example="1e22",
    number=_from(FLOPS_PER_PARAM_AND_TOKEN, FLOPS_LIMIT),
)
MEMORY = Quantity(
    pattern=rf"{_NUMBER} *([kKmMgGtT]([iI]?[bB])?|[bB])?",
    example="24GiB",
    number=_from(1e-6, MEMORY_LIMIT / GIB),
)
BANDWIDTH = Quantity(
    pattern=r"[0-9]{1,20}(\.[0-9]{1,20})? *(([mMgGtT][bB]|[gGtT][iI][bB])/[sS])?",
    example="80GB/s",
    number=_from(1e-3, 1e6),
    digits=9,
)
DURATION = Quantity(
    pattern=r"[0-9]{1,9}(\.[0-9]{1,9})? *([uUµmM]?[sS]|[mM][iI][nN]|[hH])?",
    example="500ms",
    number=_from(1e-9, AMOUNT_LIMIT - 1),
    digits=9,
)
TARGET = Quantity(
    pattern=rf"({DURATION.pattern}|[aA][nN][yY])", example="500ms", number=DURATION.number, digits=9
)
BUDGET = Quantity(
    pattern=r"\$? *[0-9][0-9_,]{0,20}(\.[0-9]{1,10})? *([uU][sS][dD]|\$)? */ *"
    r"([hH]([oO][uU][rR])?|[dD]([aA][yY])?|[mM][oO]([nN][tT][hH])?|[yY][eE][aA][rR])",
    example="5usd/h",
)
PRICES = Quantity(pattern=rf"{_MONEY} *, *{_MONEY}", example="0.15,0.6")
PERCENTILE = Quantity(pattern=r"([mM][eE][aA][nN]|[pP]?(50|90|99))", example="90")
PIXELS = Quantity(pattern=r"[0-9]{1,6}[x×][0-9]{1,6}", example="1024x768", longest=20)
SOUNDS = Quantity(
    pattern=rf"{_SECONDS}( *, *{_SECONDS}){{0,31}}",
    example="30",
    number=_from(1e-9, SECONDS_LIMIT),
    digits=9,
    longest=600,
)
_ENTRIES = COUNT.pattern.replace("_,", "_")
VOCABULARY = Quantity(
    pattern=rf"{_ENTRIES} *, *{_ENTRIES} *, *{_ENTRIES}", example="32000,4096,6.5e9", longest=180
)

OF_TYPES: Mapping[str, Quantity] = {
    "Tokens": TOKENS,
    "Count": COUNT,
    "Flops": FLOPS,
    "Pixels": PIXELS,
    "Sounds": SOUNDS,
    "Reference": VOCABULARY,
}
"""By the class of the command line's type."""
OF_TEXTS: Mapping[str, Quantity] = {
    "memory": MEMORY,
    "ram": MEMORY,
    "bandwidth": BANDWIDTH,
    "network": BANDWIDTH,
    "tokens": COUNT,
    "global_tokens": COUNT,
    "seq": TOKENS,
    "ttft": DURATION,
    "tpot": DURATION,
    "budget": BUDGET,
    "api_price": PRICES,
    "p": PERCENTILE,
}
"""By the name of an option that the command line takes as a text and reads later."""
OF_COMMANDS: Mapping[tuple[str, str], Quantity] = {("serve", "ttft"): TARGET, ("serve", "tpot"): TARGET}
"""By command and option, where a command reads more."""
