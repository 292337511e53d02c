"""Run many inputs of one format: each ends in a value or in a SizewiseError, in bounded time and memory.

``SIZEWISE_FUZZ`` is the number of inputs per format, ``SIZEWISE_FUZZ_SEED`` starts them elsewhere.
"""

import os
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from time import process_time

from sizewise.errors import MESSAGE_LIMIT, SizewiseError

INPUTS = int(os.environ.get("SIZEWISE_FUZZ", "20000"))
SEED = os.environ.get("SIZEWISE_FUZZ_SEED", "sizewise")
CPU_SECONDS = 1.0
GROWTH_BYTES = 200 * 10**6
CHECK_EVERY = 1_000

One = Callable[[Random], int]
"""Read one input and return its total; raises SizewiseError, or AssertionError for a broken promise."""


@dataclass(slots=True)
class Outcomes:
    """What became of the inputs of one format."""

    inputs: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    """``""`` counts the inputs that were read."""
    slowest: float = 0.0

    @property
    def valid_share(self) -> float:
        return self.codes[""] / self.inputs


def fuzz(format: str, one: One, inputs: int = INPUTS) -> Outcomes:
    """Run inputs one by one; a fault names the input, so that it can be run alone."""
    found = Outcomes()
    before = peak_bytes()
    for number in range(inputs):
        start = process_time()
        found.codes[_code(format, one, number)] += 1
        found.slowest = max(found.slowest, process_time() - start)
        found.inputs += 1
        if number % CHECK_EVERY == CHECK_EVERY - 1:
            assert found.slowest <= CPU_SECONDS, (
                f"{format}: an input up to {number} took {found.slowest:.1f} s"
            )
            assert peak_bytes() - before <= GROWTH_BYTES, f"{format}: memory grew by input {number}"
    return found


def _code(format: str, one: One, number: int) -> str:
    try:
        total = one(source_of(format, number))
    except SizewiseError as error:
        assert error.code
        assert len(error.message) <= MESSAGE_LIMIT
        assert error.message.isprintable(), error.message
        return error.code
    except Exception as error:
        raise AssertionError(f"{format} input {number} of seed {SEED!r}: {error!r}") from error
    assert total >= 0
    return ""


def source_of(format: str, number: int) -> Random:
    return Random(f"{SEED}:{format}:{number}")


def peak_bytes() -> int:
    """Return the peak memory of this process so far, 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


ODD_VALUES = (
    0,
    1,
    -1,
    2**31,
    2**32,
    2**53 + 1,
    2**63 - 1,
    2**63,
    2**64,
    10**30,
    True,
    False,
    None,
    2.5,
    float("nan"),
    float("inf"),
    -0.0,
    1e300,
    "2",
    "",
    "F32",
    [],
    [[]],
    {},
    {"a": 1},
)
ODD_NAMES = (
    "",
    "\x1b[2J",
    "a" * 300,
    "\u202ename",
    "é😀",
    '"',
    "\\",
    "a.b.c",
    "__metadata__",
    "\x00",
    "\ud800",
)


def flipped(random: Random, data: bytes) -> bytes:
    """Return the bytes with a few of them changed, dropped or doubled."""
    changed = bytearray(data)
    for _ in range(random.randint(1, 3)):
        if not changed:
            break
        place = random.randrange(len(changed))
        match random.randrange(4):
            case 0:
                changed[place] = random.randrange(256)
            case 1:
                changed[place] ^= 1 << random.randrange(8)
            case 2:
                del changed[place : place + random.randint(1, 8)]
            case _:
                changed[place:place] = changed[place : place + random.randint(1, 8)]
    return bytes(changed)
