"""Random GGUF files: total of an independent recount, cuts and additions, and the model of every header."""

from random import Random

import pytest

from sizewise.counting import count
from sizewise.errors import InputError
from sizewise.sources.gguf.model import model_of_gguf
from sizewise.sources.gguf.reader import GgufFile, read_gguf
from sizewise.sources.ranges import BytesReader

from .driver import fuzz
from .gguf_files import File, file_of, recount


class Sparse(BytesReader):
    """A file that is zero behind its start."""

    def read(self, start: int, length: int) -> bytes:
        assert self.size is not None
        assert start + length <= self.size
        return self._data[start : start + length].ljust(length, b"\0")


def read(start: bytes, size: int) -> GgufFile:
    return read_gguf(Sparse(start, name="x.gguf", size=size))


def one(random: Random) -> int:
    file = file_of(random)
    found = read(file.start, file.size)
    elements = found.listing.elements
    plain = recount(file.start.ljust(min(file.size, 2**17), b"\0"))
    assert plain is None or elements == plain
    if file.total is not None:
        sound(file, elements, random)
    if elements and random.random() < 0.1:
        assert count(model_of_gguf(found, name="x.gguf", origin="fuzz")).total.value <= elements
    return elements


def sound(file: File, elements: int, random: Random) -> None:
    """A sound file has its total, a longer one the same, and a cut one the same or none."""
    assert elements == file.total
    assert read(file.start, file.size + random.randint(1, 99)).listing.elements == elements
    size = random.randrange(file.size)
    try:
        assert read(file.start[:size], size).listing.elements == elements
    except InputError as error:
        assert error.code == "truncated"


def test_files() -> None:
    outcomes = fuzz("gguf", one)
    assert outcomes.valid_share > 0.3
    assert len(outcomes.codes) >= min(10, outcomes.inputs // 500)


@pytest.mark.parametrize("cut", range(24))
def test_a_prefix_is_truncated(cut: int) -> None:
    with pytest.raises(InputError) as caught:
        read((b"GGUF\3" + bytes(19))[:cut], cut)
    assert caught.value.code == "truncated"
