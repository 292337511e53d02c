"""Write GGUF headers byte by byte, sound and broken."""

import struct
from collections.abc import Sequence
from math import prod
from typing import Any

U8, I8, U16, I16, U32, I32, F32, BOOL, TEXT, ARRAY, U64, I64, F64 = range(13)
CODES = {U8: "B", I8: "b", U16: "H", I16: "h", U32: "I", I32: "i", F32: "f", BOOL: "B", U64: "Q", I64: "q"}
CODES[F64] = "d"
BLOCKS = {
    0: (1, 4),
    1: (1, 2),
    2: (32, 18),
    8: (32, 34),
    12: (256, 144),
    14: (256, 210),
    24: (1, 1),
    30: (1, 2),
}
"""{type: (numbers, bytes) of a block}, those that tests use."""


def text(raw: bytes, order: str = "<", length: int | None = None) -> bytes:
    return struct.pack(order + "Q", len(raw) if length is None else length) + raw


def kv(key: bytes | str, kind: int, value: Any, order: str = "<", length: int | None = None) -> bytes:
    """Return a pair; a list is (type, values), and bytes in the place of values are as they are."""
    name = key.encode() if isinstance(key, str) else key
    start = text(name, order) + struct.pack(order + "I", kind)
    if kind == TEXT:
        return start + text(value if isinstance(value, bytes) else value.encode(), order, length)
    if kind != ARRAY:
        return start + (value if isinstance(value, bytes) else struct.pack(order + CODES[kind], value))
    inner, values = value
    count = len(values) if length is None else length
    start += struct.pack(order + "IQ", inner, count)
    if inner == TEXT:
        return start + b"".join(text(entry.encode(), order) for entry in values)
    return start + struct.pack(f"{order}{len(values)}{CODES[inner]}", *values)


def ti(name: bytes | str, dims: Sequence[int], kind: int = 0, offset: int = 0, order: str = "<") -> bytes:
    """Return the entry of a tensor; the first of ``dims`` is a row's."""
    raw = name.encode() if isinstance(name, str) else name
    sizes = struct.pack(f"{order}I{len(dims)}Q", len(dims), *dims)
    return text(raw, order) + sizes + struct.pack(order + "IQ", kind, offset)


def gguf(
    tensors: Sequence[bytes] = (),
    pairs: Sequence[bytes] = (),
    *,
    n_tensors: int | None = None,
    n_pairs: int | None = None,
    version: int = 3,
    order: str = "<",
) -> bytes:
    """Return a header; the counts may lie."""
    counts = (
        len(tensors) if n_tensors is None else n_tensors,
        len(pairs) if n_pairs is None else n_pairs,
    )
    return b"GGUF" + struct.pack(order + "IQQ", version, *counts) + b"".join(pairs) + b"".join(tensors)


def sound_gguf(
    tensors: dict[str, tuple[list[int], int]],
    pairs: Sequence[bytes] = (),
    *,
    alignment: int = 32,
    order: str = "<",
    version: int = 3,
) -> bytes:
    """Return a file with its data, of tensors {name: (dims, type)} one after the other."""
    entries, place, end = [], 0, 0
    for name, (dims, kind) in tensors.items():
        numbers, size = BLOCKS[kind]
        entries.append(ti(name, dims, kind, place, order))
        end = place + prod(dims) // numbers * size
        place = -(-end // alignment) * alignment
    header = gguf(entries, pairs, order=order, version=version)
    return header + bytes(-len(header) % alignment + end)
