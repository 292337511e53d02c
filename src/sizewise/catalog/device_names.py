"""Find the rows that a device's name may mean.

Case, punctuation and leading vendor words do not matter, ``+`` is ``plus``, GiB is GB, and a card's own
memory may follow its name. Of machines whose RAM the buyer chooses, a size at the end is that RAM.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sizewise.catalog.device_rows import Row, device_rows
from sizewise.units import GIB

VENDOR_WORDS = (
    "nvidia",
    "geforce",
    "amd",
    "instinct",
    "radeon",
    "intel",
    "apple",
    "tesla",
    "quadro",
    "google",
    "aws",
    "qualcomm",
)

_VENDOR = re.compile(f"^(?:{'|'.join(VENDOR_WORDS)})+(?=.)", re.M)
_GIB = re.compile("gib$", re.M)
_SIZE = re.compile(r"([0-9]+)gb$")
_MARKS = {chr(code): None for code in range(128) if not chr(code).isalnum()}
_LETTERS = str.maketrans(_MARKS | {"\n": "\n"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDevices:
    """The devices that a name may mean, the default first, and the RAM (bytes) that it stated."""

    ids: tuple[str, ...]
    ram_bytes: int | None = None


def device_key(name: str) -> str:
    """Return the spelling under which a name is looked up.

    >>> device_key("NVIDIA GeForce RTX-4090"), device_key("Ryzen AI Max+ 395"), device_key("H100 80 GiB")
    ('rtx4090', 'ryzenaimaxplus395', 'h10080gb')
    """
    return _keys(name.replace("\n", " "))


def _keys(lines: str) -> str:
    """Return the keys of many names, one a line: a thousand at once cost what fifty cost singly."""
    text = (lines if lines.isascii() else lines.encode("ascii", "ignore").decode()).lower()
    text = text.replace("+", "plus").replace("(r)", "").replace("(tm)", "").translate(_LETTERS)
    return _GIB.sub("gb", _VENDOR.sub("", text))


def named_devices(name: str) -> NamedDevices | None:
    """Return the devices that a name may mean, or None when no row has it."""
    key = device_key(name)
    return _named(key) or (_named(key + "b") if key.endswith("g") else None)


@cache
def device_index() -> dict[str, tuple[str, ...]]:
    """Return {key of an id, name or alias: ids of the devices with it, in the order of their rows}."""
    spellings = [(row["id"], name) for row in device_rows().values() for name in _spellings(row)]
    keys = _keys("\n".join(name for _, name in spellings)).split("\n")
    found: dict[str, dict[str, None]] = {}
    for (device, _), key in zip(spellings, keys, strict=True):
        found.setdefault(key, {})[device] = None
    return {key: tuple(ids) for key, ids in found.items()}


def _spellings(row: Row) -> tuple[str, ...]:
    """Return the names of a row, its own one without the size of the card too."""
    name, size = row["name"], f" {row['memory']['gb']}GB"
    return (name.removesuffix(size), name, row["id"], *row.get("aliases", ()))


def _named(key: str) -> NamedDevices | None:
    index, rows = device_index(), device_rows()
    ids = dict.fromkeys(index.get(key, ()))
    for stem, size in _sizes_at_the_end(key):
        fitting = index.get(stem, ())
        if fitting and all(rows[device].get("memory_is_chosen") for device in fitting):
            return NamedDevices(ids=_sold_with(size, fitting), ram_bytes=size * GIB)
        ids |= dict.fromkeys(device for device in fitting if rows[device]["memory"]["gb"] == size)
    return NamedDevices(ids=tuple(ids)) if ids else None


def _sold_with(size: int, ids: tuple[str, ...]) -> tuple[str, ...]:
    """Put the devices that are sold with that much RAM first: 128 GB make an M4 Max one with 40 cores."""
    return tuple(sorted(ids, key=lambda device: device_rows()[device]["memory"]["gb"] < size))


def _sizes_at_the_end(key: str) -> Iterator[tuple[str, int]]:
    """Split digits off the end: ``m116gb`` is read as m11 with 6 GB, then as m1 with 16 GB."""
    size = _SIZE.search(key[-16:])
    for digits in range(1, len(size[1]) + 1) if size else ():
        assert size is not None
        end = len(key) - len(size[0]) + len(size[1])
        yield key[: end - digits], int(key[end - digits : end])
