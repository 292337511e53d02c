"""Stored: one tensor of a file, by its data type and shape."""

from dataclasses import dataclass
from math import prod

DTYPE_BITS = {
    "F64": 64,
    "F32": 32,
    "F16": 16,
    "BF16": 16,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "I64": 64,
    "I32": 32,
    "I8": 8,
    "U8": 8,
    "I4": 4,
}
"""Bits of one element; the names are those of safetensors headers, I4 is nominal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One tensor that a format writes for a matrix, named as in the file.

    A ``constant`` is the same for every matrix or describes it (code table, state, marker): the file
    holds it, the weight bytes do not count it.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    constant: bool = False

    @property
    def elements(self) -> int:
        """Count the stored elements; of packed integers each holds several weights."""
        return prod(self.shape)

    @property
    def bytes(self) -> int:
        """Bytes of the data, rounded up to whole ones.

        >>> Stored(name="weight", dtype="I4", shape=(3, 5)).bytes
        8
        """
        return -(-self.elements * DTYPE_BITS[self.dtype] // 8)


Layout = tuple[Stored, ...] | None
"""What a matrix is stored as; None where the method cannot pack a matrix of these sizes."""


def ceil_div(amount: int, size: int) -> int:
    """Return how many pieces of ``size`` hold ``amount``.

    >>> ceil_div(576, 128)
    5
    """
    return -(-amount // size)
