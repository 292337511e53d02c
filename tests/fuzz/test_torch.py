"""Random torch archives: the total of what was written, or a typed error; nothing is ever run."""

from random import Random

import pytest

from sizewise.errors import InputError
from sizewise.sources.ranges import BytesReader
from sizewise.sources.torch_files.archive import read_torch_zip

from .archives import archive_of
from .driver import fuzz


def elements(data: bytes) -> int:
    return read_torch_zip(BytesReader(data, name="x.pt", size=len(data))).elements


def one(random: Random) -> int:
    data, total = archive_of(random)
    if total is None:
        return elements(data)
    try:
        found = elements(data)
    except InputError as error:
        assert error.code == "unsupported_format"
        assert total == 0
        raise
    assert found == total
    with pytest.raises(InputError):
        elements(data[: random.randrange(len(data))])
    return found


def test_archives() -> None:
    outcomes = fuzz("torch", one)
    assert outcomes.valid_share > 0.3
    assert len(outcomes.codes) >= min(10, outcomes.inputs // 500)
