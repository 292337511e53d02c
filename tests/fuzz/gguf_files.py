"""Random GGUF files: sound ones, and ones with one field or byte broken."""

import struct
from dataclasses import dataclass
from math import prod
from random import Random
from typing import Any

from ..corpus.writers_gguf import ARRAY, BLOCKS, BOOL, CODES, F32, F64, TEXT, gguf, kv, ti
from .driver import ODD_NAMES, flipped

SIZES = (0, 1, 2, 3, 4, 7, 8, 64, 128, 1000)
ODD = (0, 1, 3, 7, 255, 2**31 - 1, 2**31, 2**32 - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1)
KEYS = (
    "general.architecture",
    "general.file_type",
    "llama.block_count",
    "llama.attention.head_count",
    "llama.feed_forward_length",
    "tokenizer.ggml.tokens",
    "split.count",
)


@dataclass(frozen=True)
class File:
    """The start of a file, and the bytes of the whole."""

    start: bytes
    size: int
    total: int | None
    """Elements, None when something was broken."""


@dataclass
class Entry:
    """The entry of a tensor that is being made."""

    name: bytes
    dims: list[int]
    kind: int
    offset: int


def file_of(random: Random) -> File:
    """Return a file that is sound in half of the cases."""
    order = "<" if random.random() < 0.9 else ">"
    alignment = random.choice((32, 32, 32, 8, 64, 4096))
    entries, end = sound_entries(random, alignment)
    pairs = [pair(random, order, number) for number in range(random.randint(0, 5))]
    if alignment != 32:
        pairs.insert(random.randint(0, len(pairs)), kv("general.alignment", 4, alignment, order))
    broken = random.random() < 0.5
    counts: dict[str, Any] = {}
    if broken and entries and random.random() < 0.4:
        break_entry(random, random.choice(entries))
    if broken and random.random() < 0.15:
        counts[random.choice(("n_tensors", "n_pairs"))] = random.choice(ODD)
    if broken and random.random() < 0.1:
        counts["version"] = random.choice((0, 1, 4, 2**16, 2**32 - 1))
    tensors = [ti(entry.name, entry.dims, entry.kind, entry.offset, order) for entry in entries]
    raw = gguf(tensors, pairs, order=order, **counts)
    size = -(-len(raw) // alignment) * alignment + end
    if broken and random.random() < 0.5:
        raw = flipped(random, raw)
    if broken and random.random() < 0.3:
        size = max(0, size + random.choice((-9, -1, 1, 5, 2**40)))
    start = (raw + bytes(64))[:size]
    return File(start=start, size=size, total=None if broken else sum(prod(entry.dims) for entry in entries))


def sound_entries(random: Random, alignment: int) -> tuple[list[Entry], int]:
    """Return entries one after the other, and where the last ends."""
    entries: list[Entry] = []
    place = end = 0
    for number in range(random.randint(0, 6)):
        kind = random.choice(tuple(BLOCKS))
        weights, size = BLOCKS[kind]
        dims = [random.choice(SIZES) for _ in range(random.randint(0, 4))]
        if weights > 1:
            dims[:1] = [weights * random.choice((0, 1, 2, 7))]
        odd = random.random() < 0.1
        name = f"{random.choice(ODD_NAMES[:-1])}{number}" if odd else f"blk.{number}.w"
        entries.append(Entry(name.encode(), dims, kind, place))
        end = place + prod(dims) // weights * size
        place = -(-end // alignment) * alignment
    if random.random() < 0.2:
        random.shuffle(entries)
    return entries, end


def pair(random: Random, order: str, number: int) -> bytes:
    """Return a sound pair; its key is the only one of its number."""
    key = f"{random.choice(KEYS)}{number or ''}" if random.random() < 0.5 else f"a.{number}"
    kind = random.choice((*CODES, TEXT, ARRAY))
    if kind == TEXT:
        return kv(key, TEXT, random.choice(("llama", "", "x" * random.choice((3, 5_000)))), order)
    if kind == ARRAY:
        inner = random.choice((*CODES, TEXT))
        count = 5_000 if random.random() < 0.01 else random.choice((0, 1, 5))
        values = [
            "word" * random.randint(0, 3) if inner == TEXT else value(random, inner) for _ in range(count)
        ]
        return kv(key, ARRAY, (inner, values), order)
    return kv(key, kind, value(random, kind), order)


def value(random: Random, kind: int) -> int | float:
    if kind in (F32, F64):
        return random.random()
    return random.randrange(2 if kind == BOOL else 120)


def break_entry(random: Random, entry: Entry) -> None:
    """Change one thing in an entry."""
    match random.randrange(4):
        case 0 if entry.dims:
            entry.dims[random.randrange(len(entry.dims))] = random.choice(ODD)
        case 1:
            entry.kind = random.choice((4, 31, 36, 99, 12, 0, 2**32 - 1))
        case 2:
            entry.offset = random.choice(ODD)
        case _:
            entry.dims += [random.choice(SIZES)] * random.randint(1, 5)


def recount(start: bytes) -> int | None:
    """Return the elements by the plainest means, None where the file goes on behind these bytes."""
    try:
        return _recount(start)
    except struct.error:
        return None


def _recount(start: bytes) -> int:
    order = ">" if start[4:6] == b"\0\0" else "<"
    tensors, pairs = struct.unpack_from(order + "QQ", start, 8)
    place = 24
    for _ in range(pairs):
        place += 8 + struct.unpack_from(order + "Q", start, place)[0]
        (kind,) = struct.unpack_from(order + "I", start, place)
        place = past_value(start, place + 4, kind, order)
    total = 0
    for _ in range(tensors):
        place += 8 + struct.unpack_from(order + "Q", start, place)[0]
        (rank,) = struct.unpack_from(order + "I", start, place)
        total += prod(struct.unpack_from(f"{order}{rank}Q", start, place + 4))
        place += 4 + 8 * rank + 12
    return total


def past_value(start: bytes, place: int, kind: int, order: str) -> int:
    if kind == TEXT:
        length: int = struct.unpack_from(order + "Q", start, place)[0]
        return place + 8 + length
    if kind == ARRAY:
        inner, count = struct.unpack_from(order + "IQ", start, place)
        place += 12
        for _ in range(count):
            place = past_value(start, place, inner, order)
        return place
    return place + struct.calcsize(CODES[kind])
