"""A trained tensor that stands alone: class tokens, position grids, layer scales, queries of a resampler.

It is added or scaled with, never multiplied as a matrix. Shapes: as given.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation
from sizewise.tensors import Role, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedTensor:
    """One tensor of that name and shape.

    >>> grid = LearnedTensor(name="positions", shape=(1, 1025, 1024))
    >>> [weight.elements for weight in grid.weights()]
    [1049600]
    """

    name: str
    shape: tuple[int, ...]
    role: Role = "position"
    frozen: bool = False
    """It is not set by gradients."""

    def weights(self) -> Iterator[Weight]:
        """Yield the tensor."""
        yield Weight(name=self.name, role=self.role, shape=self.shape, frozen=self.frozen)

    def operations(self) -> Iterator[Operation]:
        """Yield nothing: an addition multiplies no matrices."""
        return iter(())

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
