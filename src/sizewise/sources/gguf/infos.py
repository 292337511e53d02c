"""The tensors that a GGUF file announces, in columns, and whether they lie where a sound file has them.

Source: ggml ``docs/gguf.md`` and, for what is checked, llama.cpp 0.5.0, ``ggml/src/gguf.cpp``. As there,
each tensor begins at the padded end of the one before; the order of the entries is free here.
"""

from array import array
from dataclasses import dataclass
from math import prod

from sizewise.catalog.ggml import BlockType, block_types_by_id
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Shape, TensorTable
from sizewise.sources.gguf.metadata import decoded
from sizewise.sources.gguf.window import Window

INFO_BYTES = 24
"""The least that a tensor's entry takes: its length of name, rank, type and offset."""
NAME_BYTES = 65_535
"""64 by the specification; longer ones are read as they are."""
RANK = 4
LIMIT = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Infos:
    """The tensors, and where the last one ends (bytes of data)."""

    table: TensorTable
    end: int


def read_infos(window: Window, count: int, alignment: int) -> Infos:
    """Read so many entries.

    Raises InputError: truncated, bad_utf8, duplicate, string_too_long, bad_field, unknown_dtype,
    overflow, misaligned, bad_offsets.
    """
    names: list[str] = []
    blocks: list[str] = []
    shapes: list[Shape] = []
    elements, sizes, offsets = array("q"), array("q"), array("q")
    known = block_types_by_id()
    for _ in range(count):
        name = _name(window)
        dims = _dims(window, name)
        block = known.get(number := window.uint32())
        if block is None:
            raise _unknown_type(window, name, number)
        found = _elements(window, name, dims, block)
        names.append(name)
        blocks.append(block.name.upper())
        shapes.append(dims[::-1])
        elements.append(found)
        sizes.append(found // block.weights * block.bytes)
        offsets.append(_offset(window, name, alignment))
    if len(set(names)) != count:
        raise _duplicate(window, names)
    table = TensorTable(names=names, dtypes=blocks, shapes=shapes, elements=elements, bytes=sizes)
    return Infos(table=table, end=_checked_end(window.name, offsets, sizes, alignment))


def _name(window: Window) -> str:
    length = window.uint64()
    if length > window.remaining:
        raise window.short(length)
    if not 1 <= length <= NAME_BYTES:
        code = "string_too_long" if length else "bad_field"
        raise InputError(code, f"{window.name}: a tensor's name has {length:,} bytes; the file is damaged")
    return decoded(window.raw(length), window.name, "a tensor's name")


def _dims(window: Window, name: str) -> Shape:
    """Return the dimensions, that of a row first, as the file has them."""
    rank = window.uint32()
    if rank > RANK:
        raise InputError(
            "bad_field", f"{window.name}: {shorten(name)} has {rank:,} dimensions; {RANK} at most are legal"
        )
    return tuple([window.uint64() for _ in range(rank)])


def _elements(window: Window, name: str, dims: Shape, block: BlockType) -> int:
    """Count the elements; rows are whole blocks."""
    found = prod(dims)
    if found * block.bytes >= LIMIT or prod([size or 1 for size in dims]) >= LIMIT:
        raise InputError("overflow", f"{window.name}: {shorten(name)} has 2^63 elements or bytes, or more")
    row = dims[0] if dims else 1
    if not block.holds(row):
        raise InputError(
            "misaligned",
            f"{window.name}: {shorten(name)} has rows of {row:,} numbers, no multiple of the {block.weights} "
            f"that a block of {block.name} holds",
        )
    return found


def _offset(window: Window, name: str, alignment: int) -> int:
    offset = window.uint64()
    if offset % alignment or offset >= LIMIT:
        raise InputError(
            "bad_offsets",
            f"{window.name}: {shorten(name)} begins at byte {offset:,}, no multiple of {alignment}",
        )
    return offset


def _checked_end(name: str, offsets: "array[int]", sizes: "array[int]", alignment: int) -> int:
    """Return where the last tensor ends, having found neither holes nor overlaps."""
    expected = end = 0
    for begin, size in sorted(zip(offsets, sizes, strict=True)):
        if begin != expected:
            fault = "overlap" if begin < expected else "leave a hole"
            raise InputError("bad_offsets", f"{name}: tensors {fault} at byte {begin:,} of the data")
        end = begin + size
        expected = -(-end // alignment) * alignment
    return end


def _duplicate(window: Window, names: list[str]) -> InputError:
    seen: set[str] = set()
    twice = next(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
    return InputError("duplicate", f"{window.name} holds the tensor {shorten(twice)!r} twice")


def _unknown_type(window: Window, name: str, number: int) -> InputError:
    known = ", ".join(f"{row.id} {row.name}" for row in block_types_by_id().values())
    return InputError(
        "unknown_dtype", f"{window.name}: {shorten(name)} has the unknown type {number}; known are {known}"
    )
