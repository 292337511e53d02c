"""A tensor that a checkpoint holds and of which nothing more is known: it is stored, nothing else.

Shape: that of the header; operations and cache are unknown and therefore none.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """One weight as the header names it."""

    weight: Weight

    def weights(self) -> Iterator[Weight]:
        """Yield the weight.

        >>> weight = Weight(name="w", role="other", shape=(2, 3))
        >>> [found.elements for found in StoredTensor(weight=weight).weights()]
        [6]
        """
        yield self.weight

    def operations(self) -> Iterator[Operation]:
        """Yield nothing: what is done with it is not known."""
        return iter(())

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
