"""Random safetensors headers: sound ones, and ones with one field broken."""

import json
import struct
from dataclasses import dataclass
from math import prod
from random import Random
from typing import Any

from .driver import ODD_NAMES, ODD_VALUES, flipped

BITS = {
    "BOOL": 8,
    "U8": 8,
    "I8": 8,
    "F8_E4M3": 8,
    "F8_E5M2": 8,
    "F8_E8M0": 8,
    "I16": 16,
    "U16": 16,
    "F16": 16,
    "BF16": 16,
    "I32": 32,
    "U32": 32,
    "F32": 32,
    "F64": 64,
    "I64": 64,
    "U64": 64,
    "C64": 64,
    "F4": 4,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
}
SIZES = (0, 1, 2, 3, 4, 7, 8, 64, 128, 1000, 4096, 151_936)


@dataclass(frozen=True)
class File:
    """A file without its data: prefix and header, and the bytes of the whole."""

    start: bytes
    size: int
    total: int | None
    """Elements, None when something was broken."""
    header: dict[str, Any]


def sound_header(random: Random) -> tuple[dict[str, Any], int, int]:
    """Return a header, its elements and its bytes of data."""
    header: dict[str, Any] = {}
    end = total = 0
    for number in range(random.randint(0, 6)):
        dtype = random.choice(tuple(BITS))
        shape = [random.choice(SIZES) for _ in range(random.randint(0, 4))]
        if prod(shape) * BITS[dtype] % 8:
            shape.append(8)
        size = prod(shape) * BITS[dtype] // 8
        name = (
            f"layers.{number}.weight" if random.random() < 0.8 else f"{random.choice(ODD_NAMES[:-3])}{number}"
        )
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [end, end + size]}
        end += size
        total += prod(shape)
    if random.random() < 0.2:
        header["__metadata__"] = {"format": "pt", random.choice(ODD_NAMES[:3]): "{}[]"}
    return shuffled(random, header), total, end


def shuffled(random: Random, header: dict[str, Any]) -> dict[str, Any]:
    """Return the same header in another order of names, and now and then of fields."""
    names = list(header)
    if random.random() < 0.5:
        random.shuffle(names)
    if random.random() < 0.2:
        return {name: dict(sorted(header[name].items())) for name in names}
    return {name: header[name] for name in names}


def file_of(random: Random) -> File:
    """Return a file that is sound in a third of the cases."""
    header, total, end = sound_header(random)
    broken = random.random() < 0.6
    if broken and random.random() < 0.7:
        break_field(random, header)
    indent = random.choice((None, None, None, 1))
    separators = random.choice(((",", ":"), (", ", ": "), (" ,", " :\n")))
    text = json.dumps(header, indent=indent, separators=separators, ensure_ascii=random.random() < 0.3)
    raw = text.encode("utf-8", "surrogatepass") + b" " * random.choice((0, 0, 7))
    if broken and random.random() < 0.5:
        raw = flipped(random, raw)
    length, size = len(raw), 8 + len(raw) + end
    if broken and random.random() < 0.2:
        length = random.choice((0, 1, length - 1, length + 1, 2**31, 2**63, 2**64 - 1)) % 2**64
    if broken and random.random() < 0.2:
        size = max(0, size + random.choice((-9, -1, 1, 5, 2**40)))
    start = (struct.pack("<Q", length) + raw)[:size]
    return File(start=start, size=size, total=None if broken else total, header=header)


def break_field(random: Random, header: dict[str, Any]) -> None:
    """Change one thing in a header."""
    names = [name for name in header if name != "__metadata__"]
    if not names or random.random() < 0.1:
        header[random.choice(ODD_NAMES)] = random.choice(ODD_VALUES)
        return
    fields = header[random.choice(names)]
    key = random.choice(tuple(fields))
    match random.randrange(5):
        case 0:
            fields[key] = random.choice(ODD_VALUES)
        case 1:
            del fields[key]
        case 2:
            fields[random.choice(ODD_NAMES)] = random.choice(ODD_VALUES)
        case 3 if isinstance(fields[key], list) and fields[key]:
            fields[key][random.randrange(len(fields[key]))] = random.choice(ODD_VALUES)
        case _:
            fields["data_offsets"] = [random.choice((0, 1, 8, 2**40)), random.choice((0, 4, 8, 2**62))]
