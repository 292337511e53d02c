"""A product with a matrix of low rank: down to r features, then up again.

Shapes: I inputs, O outputs, r rank; weights are [r, I] and [O, r].
Source: Hu et al. 2021, arXiv:2106.09685 (adapters); LAUREL: Menghani et al. 2024, arXiv:2411.07501.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Role, Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class LowRank:
    """Two matrices one after the other, by default as the entries 0 and 1 of a sequence."""

    inputs: int
    outputs: int
    rank: int
    role: Role
    names: tuple[str, str] = ("0", "1")

    def weights(self) -> Iterator[Weight]:
        """Yield [r, I] and [O, r].

        >>> layer = LowRank(inputs=2560, outputs=20480, rank=128, role="feed_forward")
        >>> sum(weight.elements for weight in layer.weights())
        2949120
        """
        down, up = self.names
        yield from linear(down, self.role, self.rank, self.inputs)
        yield from linear(up, self.role, self.outputs, self.rank)

    def operations(self) -> Iterator[Operation]:
        """Yield the two products."""
        yield product("down", self.role, self.rank, self.inputs)
        yield product("up", self.role, self.outputs, self.rank)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
