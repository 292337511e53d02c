"""What commands say to a person at a terminal, said to who asks a service: no flags, no other commands."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from sizewise.service.options import FLAG
from sizewise.service.verbs import OFFERED

_CATALOG = re.compile(r"\bsizewise catalog (?P<subject>[a-z]+)\b(?! --)")
_COMMAND = re.compile(rf"\bsizewise (?=(?:{'|'.join(sorted({name.split()[0] for name in OFFERED}))})\b)")
_RULE = re.compile(r" \(LAW[0-9]{2}\)")
_ELSEWHERE = re.compile(r", or --plot FILE\b|, count the library's class \(--via transformers\)")
"""Advice that only a command line can follow."""
_TWICE = re.compile(r"\b(?P<once>(?P<name>[a-z_]+)(=[A-Z]+)?) \((?P=name)( [A-Z]+)?\)")
"""A name as Python has it, with that of its flag behind it, which are one to a service."""
_NAMED = re.compile(r"(?P<name>[a-z][a-z_]*):")
_QUOTED = re.compile(r"'([^']+)'")
_OF_CODES = {"unknown_device": "on"} | dict.fromkeys(
    ("bad_reference", "bad_config", "bad_json", "unsupported_architecture", "missing_field"), "model"
)
"""The option that an error is about, by its code."""
QUOTED_LIMIT = 200
"""Characters of a value that a message may quote."""


def for_service(message: str, names: Mapping[str, str]) -> str:
    """Return a message in which options have the names that a service has for them, by their flags.

    >>> names = {"kv-cache-dtype": "kv_cache_dtype", "on": "on", "tp": "tensor_parallel_size"}
    >>> for_service("--tp needs --on; run: sizewise catalog devices", names)
    'tensor_parallel_size needs on; ask: catalog, subject devices'
    """

    def named(found: re.Match[str]) -> str:
        return names.get(found["flag"], found[0])

    plain = _ELSEWHERE.sub("", _RULE.sub("", message)).replace("--json", "format json")
    catalog = _CATALOG.sub(r"catalog, subject \g<subject>", _TWICE.sub(r"\g<once>", FLAG.sub(named, plain)))
    return _COMMAND.sub("", catalog.replace("run: catalog,", "ask: catalog,"))


def field_of(code: str, message: str, values: Mapping[str, Any], names: Collection[str] = ()) -> str:
    """Return the name of what an error is about: an option named at its begin, or a value that it quotes.

    ``names`` are those of the options. Some codes are of one option. Empty where none is found, or several.

    >>> field_of("bad_option", "no device is called 'rtx-4900'", {"model": "7b", "on": "rtx-4900:2"})
    'on'
    """
    begin = _NAMED.match(message)
    if begin is not None and (begin["name"] in values or begin["name"] in names):
        return begin["name"]
    quoted = set(_QUOTED.findall(message))
    holding = [name for name, value in values.items() if quoted & set(_parts(value))]
    if len(holding) == 1:
        return holding[0]
    of_code = _OF_CODES.get(code, "")
    return of_code if of_code in values and not holding else ""


def _parts(value: Any) -> list[str]:
    """Return a text, and what commas and colons part in it; nothing of other values and long texts."""
    if isinstance(value, list):
        return [part for one in value for part in _parts(one)]
    if not isinstance(value, str) or len(value) > QUOTED_LIMIT:
        return []
    return [value, *(part.strip() for part in re.split("[,:]", value))]
