"""Random safetensors headers: total of an independent recount, order of names, cuts and additions."""

import json
from math import prod
from random import Random

import pytest

from sizewise.errors import InputError
from sizewise.sources.ranges import BytesReader
from sizewise.sources.safetensors.header import read_header

from .driver import fuzz
from .headers import File, file_of


def elements(start: bytes, size: int) -> int:
    return read_header(BytesReader(start, name="x.safetensors", size=size)).elements


def recount(start: bytes) -> int:
    """Return the elements by the plainest means."""
    header = json.loads(start[8 : 8 + int.from_bytes(start[:8], "little")])
    return sum(prod(row["shape"]) for name, row in header.items() if name != "__metadata__")


def one(random: Random) -> int:
    file = file_of(random)
    if file.total is not None:
        return sound(file, random)
    found = elements(file.start, file.size)
    assert found == recount(file.start)
    return found


def sound(file: File, random: Random) -> int:
    """A sound file has its total, and nothing like it has another one."""
    found = elements(file.start, file.size)
    assert found == file.total == recount(file.start)
    for size in (random.randrange(file.size), file.size + random.randint(1, 9)):
        with pytest.raises(InputError) as caught:
            elements(file.start[:size], size)
        assert caught.value.code in ("truncated", "trailing_data")
    return found


def test_headers() -> None:
    outcomes = fuzz("safetensors", one)
    assert outcomes.valid_share > 0.3
    assert len(outcomes.codes) >= min(12, outcomes.inputs // 500)
