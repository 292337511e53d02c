"""Number formats of weights and of the cache: rows of facts as frozen values, found by name or alias."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cache
from typing import Any

from sizewise.catalog.ggml import FileType, block_types, file_type_rules, file_types, find_file_type
from sizewise.catalog.rows import normalised, tables
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.ledger import Status

FOLDER = "formats"
FILE_TYPE = "file_type"
"""The layout of llama.cpp's file types: mixes that its own rules choose."""

VENDORS = {"CUDA": "nvidia", "Apple": "apple"}
"""How ``needs`` of a format starts, and whose devices that means."""

_EXL2 = re.compile(r"exl2-?([0-9]{1,2}(?:\.[0-9]{1,3})?)(?:bpw)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a method stores weights: its layout with its settings, and what it leaves at 16 bit.

    ``bits`` of one packed weight without scales; ``group`` weights of a row share a scale (None: the
    whole row); ``block`` = (rows, columns) that share one. ``leaves`` are roles that are not packed,
    ``only`` the roles that are (empty: all others), ``leaves_modules`` and ``leaves_classes`` modules
    and whole model classes that are not. ``quality`` 1 is the best among equal bits: a rough order.
    """

    name: str
    layout: str
    bits: Fraction
    status: Status
    source: str
    checked: str
    about: str
    quality: int
    aliases: tuple[str, ...] = ()
    needs: str = ""
    dtype: str = ""
    group: int | None = None
    block: tuple[int, int] | None = None
    head_bits: Fraction | None = None
    lowest: Fraction | None = None
    highest: Fraction | None = None
    zero_point: bool = False
    input_scale: bool = False
    tables: bool = False
    leaves: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    leaves_modules: tuple[str, ...] = ()
    leaves_classes: tuple[str, ...] = ()

    @property
    def vendor(self) -> str:
        """Name the vendor whose devices alone run it, in lower case; empty: any."""
        return next((vendor for word, vendor in VENDORS.items() if self.needs.startswith(word)), "")

    @property
    def plain(self) -> bool:
        """Tell whether every tensor is stored in it, without scales."""
        return self.layout == "plain"

    @property
    def is_file_type(self) -> bool:
        """Tell whether it is a file type of llama.cpp."""
        return self.layout == FILE_TYPE


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheFormat:
    """How one number of the cache is stored: ``block_bytes`` for each ``block`` numbers of a row."""

    name: str
    block: int
    block_bytes: int
    runtimes: tuple[str, ...]
    source: str
    checked: str
    aliases: tuple[str, ...] = ()

    @property
    def bits(self) -> Fraction:
        """Bits of one number, scales included.

        >>> cache_format("q8_0").bits
        Fraction(17, 2)
        """
        return _bits(self.block_bytes, self.block)

    def row_bytes(self, numbers: int) -> int:
        """Return the bytes of a row of numbers; a last, partly used block counts whole.

        >>> cache_format("q4_0").row_bytes(128)
        72
        """
        return -(-numbers // self.block) * self.block_bytes


@cache
def _bits(block_bytes: int, block: int) -> Fraction:
    return Fraction(8 * block_bytes, block)


@cache
def formats() -> Mapping[str, Format]:
    """Return {name: format} of all weight formats: most bits first, then by quality."""
    rows = (_format(row) for document in tables(FOLDER).values() for row in document.get("format", ()))
    return {row.name: row for row in sorted(rows, key=lambda row: (-row.bits, row.quality, row.name))}


@cache
def cache_formats() -> Mapping[str, CacheFormat]:
    """Return {name: format} of all cache formats."""
    return {row["name"]: _cache_format(row) for row in tables(FOLDER)["cache"]["cache"]}


@cache
def file_type_formats() -> Mapping[str, Format]:
    """Return {name: format} of the file types of llama.cpp, most bits first.

    >>> file_type_formats()["q4_k_m"].bits
    Fraction(9, 2)
    """
    rows = (_file_type_format(row) for row in file_types().values())
    return {row.name: row for row in sorted(rows, key=lambda row: (-row.bits, row.quality))}


def _file_type_format(row: FileType) -> Format:
    """Return a file type as a format; its bits are those of its commonest block type."""
    block = block_types()[row.block]
    rules = file_type_rules()
    return Format(
        name=row.name,
        layout=FILE_TYPE,
        bits=Fraction(8 * block.bytes, block.weights),
        status="derived",
        source=rules.source,
        checked=rules.checked,
        about="file type of llama.cpp: block types chosen tensor by tensor",
        quality=tuple(file_types()).index(row.name),
        aliases=row.aliases,
    )


def find_format(name: str) -> Format:
    """Return the weight format of a name or alias; case and punctuation do not matter.

    Raises UsageError (bad_option) for an unknown name.

    >>> find_format("4bit").name, find_format("EXL2-4.25").bits
    ('nf4', Fraction(17, 4))
    """
    word = name.strip().lower()[:100]
    found = formats().get(word) or _by_alias().get(normalised(word)) or _exl2(word)
    if found is not None:
        return found
    file_type = find_file_type(word)
    if file_type is not None:
        return file_type_formats()[file_type.name]
    rows = (*formats().values(), *file_type_formats().values())
    known = (known for row in rows for known in (row.name, *row.aliases))
    near = did_you_mean(word, known)
    raise UsageError("bad_option", f"{shorten(name)!r} is not a known format{near or _known(formats())}")


def cache_format(name: str) -> CacheFormat:
    """Return the cache format of a name or alias.

    Raises UsageError (bad_option).

    >>> cache_format("auto").bits, cache_format("FP8_E4M3").name
    (Fraction(16, 1), 'fp8')
    """
    word = name.strip().lower()[:100].replace("-", "_")
    for row in cache_formats().values():
        if word == row.name or word in row.aliases:
            return row
    near = did_you_mean(word, cache_formats())
    raise UsageError(
        "bad_option", f"{shorten(name)!r} is not a cache format{near or _known(cache_formats())}"
    )


@cache
def renamings() -> tuple[Mapping[str, str], ...]:
    """Return {name in the class: name in checkpoints} of module names, one mapping per style."""
    return tuple(row["modules"] for row in tables(FOLDER)["checkpoint_names"]["renaming"])


def _known(names: Mapping[str, object]) -> str:
    return f"; known are {', '.join(names)}"


@cache
def _by_alias() -> Mapping[str, Format]:
    found: dict[str, Format] = {}
    for row in formats().values():
        for word in (row.name, *row.aliases):
            found.setdefault(normalised(word), row)
    return found


def _exl2(word: str) -> Format | None:
    """Return the EXL2 format with the average bits that its name states."""
    match = _EXL2.fullmatch(word)
    if match is None:
        return None
    row = formats()["exl2-4.0"]
    bits = Fraction(match[1])
    assert row.lowest is not None
    assert row.highest is not None
    if not row.lowest <= bits <= row.highest:
        raise UsageError(
            "bad_option",
            f"{shorten(word)!r}: exl2 averages {row.lowest}.0 to {row.highest}.0 bits, e.g. exl2-4.0",
        )
    return replace(row, name=f"exl2-{match[1]}", bits=bits)


def _format(row: Mapping[str, Any]) -> Format:
    values = dict(row)
    for key in ("bits", "head_bits", "lowest", "highest"):
        if key in values:
            values[key] = Fraction(values[key])
    for key in ("aliases", "leaves_modules", "leaves_classes", "block"):
        if key in values:
            values[key] = tuple(values[key])
    for key in ("leaves", "only"):
        values[key] = frozenset(values.get(key, ()))
    return Format(**values)


def _cache_format(row: Mapping[str, Any]) -> CacheFormat:
    return CacheFormat(
        name=row["name"],
        aliases=tuple(row["aliases"]),
        block=row["numbers"],
        block_bytes=row["bytes"],
        runtimes=tuple(row["runtimes"]),
        source=row["source"],
        checked=row["checked"],
    )
