"""Differential attention: the difference of two attention maps weighs values that are twice as wide.

What it adds to grouped-query attention, which stands beside it. Shapes: N query heads, H head size.
Source: Ye et al. 2024, arXiv:2410.05258; names: modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Differential:
    """The factor of the second map, from four vectors, and the second half of the values.

    An implementation that calls attention once per half computes N*H scores a second time.
    """

    heads: int
    head_size: int

    def weights(self) -> Iterator[Weight]:
        """Yield the four vectors [H].

        >>> sum(weight.elements for weight in Differential(heads=32, head_size=64).weights())
        256
        """
        for name in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"):
            yield Weight(name=name, role="attention", shape=(self.head_size,))

    def operations(self) -> Iterator[Operation]:
        """Yield N*H per key: the weights of every head times the other half of the values."""
        width = self.heads * self.head_size
        yield Operation(
            name="second_values", role="attention", kind="scores", macs_per_key=width, outputs=width
        )

    def kept(self) -> Iterator[Kept]:
        """Yield nothing: keys and values are those of the attention beside it."""
        return iter(())
