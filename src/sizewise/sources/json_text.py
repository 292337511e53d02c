"""Read JSON that somebody else wrote: bounded, strict, inert.

The gates run on the bytes before parsing, so that work and memory stay proportional to what is there
and small: size, number of containers and entries, nesting. NaN and Infinity are refused, duplicate
keys reported.
"""

import codecs
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

from sizewise.errors import InputError
from sizewise.escaping import shorten

CONFIG_BYTES = 10_000_000
NESTING_LIMIT = 64
CONTAINER_LIMIT = 100_000
ENTRY_LIMIT = 150_000
DUPLICATES_NAMED = 5


def parse_object(data: bytes, where: str, *, limit: int = CONFIG_BYTES) -> tuple[dict[str, Any], list[str]]:
    """Return the JSON object in ``data`` and the keys that it holds more than once.

    Raises InputError: header_too_large, truncated, lfs_pointer, unknown_format, bad_utf8, bad_json,
    too_deep, too_many_entries.
    """
    if len(data) > limit:
        raise InputError("header_too_large", f"{where} is over {limit:,} bytes; a config.json is smaller")
    _sniff(data, where)
    if _is_crowded(data) and _is_crowded(_without_strings(data)):
        raise InputError("too_many_entries", f"{where} holds more entries than a config.json can mean")
    duplicates: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) != len(items):
            times = Counter(name for name, _ in items)
            doubled = sorted(name for name in times if times[name] > 1)
            duplicates.extend(doubled[: max(0, DUPLICATES_NAMED - len(duplicates))])
        return found

    def refuse(name: str) -> NoReturn:
        raise InputError("bad_json", f"{where} is not valid JSON: {name} is not a JSON number")

    try:
        document = json.loads(data.decode("utf-8"), object_pairs_hook=pairs, parse_constant=refuse)
    except UnicodeDecodeError as error:
        raise InputError(
            "bad_utf8", f"{where} is not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from None
    except RecursionError:
        raise InputError("too_deep", f"{where} nests deeper than {NESTING_LIMIT} levels") from None
    except json.JSONDecodeError as error:
        raise InputError("bad_json", f"{where} is not valid JSON: {shorten(str(error), 120)}") from None
    except ValueError:
        raise InputError("bad_json", f"{where} holds a number of thousands of digits") from None
    if not isinstance(document, dict):
        raise InputError("bad_json", f"{where} holds no JSON object; a config.json starts with {{")
    _check_nesting(document, where)
    return document, duplicates


def _is_crowded(data: bytes) -> bool:
    return data.count(b"[") + data.count(b"{") > CONTAINER_LIMIT or data.count(b",") > ENTRY_LIMIT


def _without_strings(data: bytes) -> bytes:
    """Return what is outside strings; the data themselves where they hold more strings than entries may."""
    plain = data.replace(b"\\\\", b"").replace(b'\\"', b"")
    if plain.count(b'"') > 4 * (CONTAINER_LIMIT + ENTRY_LIMIT):
        return data
    return b"".join(plain.split(b'"')[::2])


def _sniff(data: bytes, where: str) -> None:
    """Name what is often found in place of a config.json."""
    if data.startswith(codecs.BOM_UTF8):
        raise InputError("bad_json", f"{where} begins with a byte order mark; save it as UTF-8 without one")
    start = data.lstrip()[:512]
    if not start:
        raise InputError("truncated", f"{where} is empty; download it again")
    if start.startswith(b"version https://git-lfs"):
        raise InputError("lfs_pointer", f"{where} is a Git LFS pointer, not the file; run: git lfs pull")
    if start.startswith(b"GGUF") or start[:2] == b"PK" or start.startswith(b"\x80"):
        raise InputError("unknown_format", f"{where} is a checkpoint, not a config.json; give the config")
    if start.startswith(b"<"):
        raise InputError(
            "unknown_format", f"{where} is a web page, not a config.json; download the file itself"
        )


def _check_nesting(document: Mapping[str, Any], where: str) -> None:
    level: list[Any] = [document]
    for _ in range(NESTING_LIMIT):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise InputError("too_deep", f"{where} nests deeper than {NESTING_LIMIT} levels")
