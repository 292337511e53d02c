"""The entries of a safetensors header, read one by one into columns.

An entry as every writer writes it (three fields, no escapes) is read by one regular expression; anything
else goes through `json_scan`, which is slower and knows every fault by name. Both give the same values.
"""

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate, pairwise
from math import prod
from operator import mul
from sys import intern
from typing import Any

from sizewise.errors import InputError, did_you_mean
from sizewise.escaping import shorten
from sizewise.listing import Shape
from sizewise.sources.dtypes import DTYPE_BITS
from sizewise.sources.safetensors.json_scan import PLAIN_STRING, SPACE, STRING_LIMIT, Scanner

RANK_LIMIT = 8
METADATA_LIMIT = 65_536
"""Entries of ``__metadata__``."""
METADATA_BYTES = 10_000_000
ENTRY_BYTES = 100_000
"""Bytes of one entry outside the usual form."""
SLOW_TOKENS = 1_500_000
"""Brackets and strings read outside the usual form, over a whole header."""
ENTRY_TOKENS = 256
"""The same of one entry."""
_KNOWN_LIMIT = 10_000
_LARGEST = 2**63
_DIM = rb"(?:0|[1-9][0-9]{0,18}+)"
_DIMS = _DIM + rb"(?:" + SPACE + b"," + SPACE + _DIM + rb"){0,7}+"
_FIELDS = ("dtype", "shape", "data_offsets")


@dataclass(slots=True, kw_only=True)
class Entries:
    """The tensors of a header as columns; ``begins`` and ``ends`` are data offsets in bytes."""

    names: list[str] = field(default_factory=list)
    dtypes: list[str] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    elements: "array[int]" = field(default_factory=lambda: array("q"))
    begins: "array[int]" = field(default_factory=lambda: array("q"))
    ends: "array[int]" = field(default_factory=lambda: array("q"))
    metadata: dict[str, str] | None = None


@dataclass(slots=True, kw_only=True)
class _Sizes:
    """Checked shapes by their text and dtype, so that each is checked once."""

    where: str
    known: dict[tuple[bytes, bytes], tuple[str, Shape, int, int]] = field(default_factory=dict)

    def of(self, dtype: bytes, dims: bytes, name: str) -> tuple[str, Shape, int, int]:
        """Return (dtype, shape, elements, bytes)."""
        shape = tuple(map(int, dims.split(b","))) if dims else ()
        found = _checked(dtype.decode(), shape, self.where, name)
        if len(self.known) < _KNOWN_LIMIT:
            self.known[dtype, dims] = found
        return found


def read_entries(data: bytes, where: str, *, tensors: int, depth: int) -> Entries:
    """Return the entries of a header.

    Raises InputError: bad_json, bad_utf8, bad_field, unknown_dtype, overflow, size_mismatch,
    misaligned, duplicate, too_deep, too_many_tensors, too_many_entries, string_too_long.
    """
    scanner = Scanner(data=data, where=where, depth=depth, tokens=SLOW_TOKENS)
    scanner.expect(b"{", "a JSON object")
    entries, sizes = Entries(), _Sizes(where=where)
    order = _field_order(data)
    more = scanner.peek() != b"}"
    if not more:
        scanner.position += 1
    while more:
        _read_usual(scanner, entries, sizes, order)
        more = _read_unusual(scanner, entries)
        if len(entries.names) > tensors:
            raise InputError("too_many_tensors", f"{where} names more than {tensors:,} tensors")
    scanner.finish()
    if len(set(entries.names)) != len(entries.names):
        raise InputError("duplicate", f"{where} names the tensor {_repeated(entries.names)!r} twice")
    return entries


def _read_usual(scanner: Scanner, entries: Entries, sizes: _Sizes, order: tuple[str, ...]) -> None:
    """Read entries up to the first one that needs `_read_unusual`: an unusual one, or the last."""
    pattern, groups = _pattern(order)
    known, position = sizes.known, scanner.position
    add_name, add_dtype, add_shape = entries.names.append, entries.dtypes.append, entries.shapes.append
    add_elements, add_begin, add_end = entries.elements.append, entries.begins.append, entries.ends.append
    for match in pattern.finditer(scanner.data, position):
        key, dtype, dims, begin, end = match.group(*groups)
        if key is None or key == b"__metadata__" or len(key) > STRING_LIMIT:
            break
        name, first, last = key.decode(), int(begin), int(end)
        type_name, shape, elements, size = known.get((dtype, dims)) or sizes.of(dtype, dims, name)
        if last - first != size:
            raise _mismatch(scanner.where, _shown(name, shape, type_name), size, last - first)
        add_name(name)
        add_dtype(type_name)
        add_shape(shape)
        add_elements(elements)
        add_begin(first)
        add_end(last)
        position = match.end()
    scanner.position = position


def _read_unusual(scanner: Scanner, entries: Entries) -> bool:
    """Read one entry in any form; tell whether another one follows."""
    name = scanner.key()
    if name == "__metadata__":
        entries.metadata = _metadata(scanner, again=entries.metadata is not None)
    else:
        _add(entries, name, _fields(scanner, name), scanner.where)
    return scanner.separator()


def _fields(scanner: Scanner, name: str) -> Mapping[str, Any]:
    rest = scanner.tokens
    scanner.tokens = min(rest, ENTRY_TOKENS)
    given = scanner.tokens
    fields: Mapping[str, Any] = scanner.piece(dict, name, limit=ENTRY_BYTES)
    scanner.tokens = rest - (given - scanner.tokens)
    return fields


def _add(entries: Entries, name: str, fields: Mapping[str, Any], where: str) -> None:
    try:
        dtype, dims, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
    except KeyError as missing:
        raise InputError("bad_field", f"{where}: tensor {shorten(name)!r} has no {missing.args[0]}") from None
    if not isinstance(dtype, str):
        raise InputError("bad_field", f"{where}: the dtype of tensor {shorten(name)!r} is no string")
    sizes = tuple(_integers(dims, "shape", where, name))
    offsets = _integers(offsets, "data_offsets", where, name)
    if len(offsets) != 2:
        raise InputError("bad_field", f"{where}: tensor {shorten(name)!r} needs two data_offsets")
    type_name, shape, elements, size = _checked(dtype, sizes, where, name)
    if offsets[1] - offsets[0] != size:
        raise _mismatch(where, _shown(name, shape, type_name), size, offsets[1] - offsets[0])
    entries.names.append(name)
    entries.dtypes.append(type_name)
    entries.shapes.append(shape)
    entries.elements.append(elements)
    entries.begins.append(offsets[0])
    entries.ends.append(offsets[1])


def _metadata(scanner: Scanner, *, again: bool) -> dict[str, str]:
    """Return ``__metadata__``: strings to strings."""
    if again:
        raise InputError("duplicate", f"{scanner.where} holds __metadata__ twice")
    rest = scanner.tokens
    scanner.tokens = 2 * METADATA_LIMIT + 2
    found: dict[str, str] = scanner.piece(dict, "__metadata__", limit=METADATA_BYTES)
    scanner.tokens = rest
    wrong = next((key for key, value in found.items() if not isinstance(value, str)), None)
    if wrong is not None:
        raise InputError("bad_field", f"{scanner.where}: __metadata__ {shorten(wrong)!r} is no string")
    return found


@cache
def _pattern(order: tuple[str, ...]) -> tuple[re.Pattern[bytes], tuple[int, ...]]:
    """Return the expression of an entry with its fields in that order, and where its groups stand.

    Matches tile the text: where no usual entry stands, a single byte matches and the groups are None.
    """
    number = rb"(0|[1-9][0-9]{0,17}+)"
    values = {
        "dtype": rb'"([A-Z0-9_]{1,16}+)"',
        "shape": SPACE.join((rb"\[", b"((?:" + _DIMS + b")?+)", rb"\]")),
        "data_offsets": SPACE.join((rb"\[", number, b",", number, rb"\]")),
    }
    widths = {"dtype": 1, "shape": 1, "data_offsets": 2}
    parts, groups, count = [], {}, 1
    for name in order:
        groups[name] = count + 1
        count += widths[name]
        parts.append(SPACE.join((b'"' + name.encode() + b'"', b":", values[name])))
    body = (SPACE + b"," + SPACE).join(parts)
    head = SPACE.join((b"", PLAIN_STRING, b":", rb"\{", body, rb"\}", b","))
    offsets = groups["data_offsets"]
    return re.compile(head + rb"|[\s\S]"), (1, groups["dtype"], groups["shape"], offsets, offsets + 1)


def _field_order(data: bytes) -> tuple[str, ...]:
    """Return the order in which the fields stand for the first time; writers keep to one."""
    return tuple(sorted(_FIELDS, key=lambda name: data.find(b'"' + name.encode() + b'"')))


def _checked(dtype: str, shape: Shape, where: str, name: str) -> tuple[str, Shape, int, int]:
    """Return (dtype, shape, elements, bytes) of a tensor whose sizes can be meant."""
    bits = DTYPE_BITS.get(dtype)
    if bits is None:
        near = did_you_mean(dtype, DTYPE_BITS)
        raise InputError(
            "unknown_dtype",
            f"{where}: tensor {shorten(name)!r} has the unknown dtype {shorten(dtype, 20)!r}{near};"
            f" known: {' '.join(DTYPE_BITS)}",
        )
    if len(shape) > RANK_LIMIT:
        raise InputError(
            "bad_field", f"{where}: tensor {shorten(name)!r} has {len(shape)} dimensions, not 0 to 8"
        )
    elements = prod(shape)
    if not 0 < elements * bits < 2 * _LARGEST and _overflows(shape, bits):
        raise InputError("overflow", f"{where}: the size of tensor {shorten(name)!r} is over 64 bits")
    if elements * bits % 8:
        raise InputError("misaligned", f"{where}: tensor {shorten(name)!r} is no whole number of bytes")
    return intern(dtype), shape, elements, elements * bits // 8


def _overflows(shape: Shape, bits: int) -> bool:
    """Tell whether a size, or the product of the first ones, is over 64 bits, whatever follows."""
    products = accumulate(shape, mul, initial=1)
    return any(size >= _LARGEST for size in shape) or any(count * bits >= 2 * _LARGEST for count in products)


def _integers(value: Any, what: str, where: str, name: str) -> list[int]:
    numbers: list[int] = []
    for number in value if isinstance(value, list) else (None,):
        if type(number) is not int or number < 0:
            raise InputError(
                "bad_field", f"{where}: {what} of tensor {shorten(name)!r} is no list of integers >= 0"
            )
        if number >= _LARGEST:
            raise InputError("overflow", f"{where}: {what} of tensor {shorten(name)!r} is over 63 bits")
        numbers.append(number)
    return numbers


def _mismatch(where: str, shown: str, size: int, stored: int) -> InputError:
    if stored < 0:
        return InputError("bad_offsets", f"{where}: {shown} ends before it begins")
    return InputError(
        "size_mismatch", f"{where}: {shown} takes {size:,} bytes, its data_offsets hold {stored:,}"
    )


def _shown(name: str, shape: Shape, dtype: str) -> str:
    return f"tensor {shorten(name)!r} {list(shape)} {dtype}"


def _repeated(names: list[str]) -> str:
    ordered = sorted(names)
    return shorten(next(name for name, after in pairwise(ordered) if name == after))
