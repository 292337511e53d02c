"""Shared experts stored as three stacks: gate, up and down apart; a token uses all of them.

Shapes: D hidden, F expert size, E experts; gate and up are [E, F, D], down is [E, D, F].
Source: modelling file of Inkling in transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class SeparateExperts:
    """All shared experts of one layer. Every number is a count."""

    hidden: int
    width: int
    experts: int

    def weights(self) -> Iterator[Weight]:
        """Yield the three stacks.

        >>> sum(weight.elements for weight in SeparateExperts(hidden=64, width=16, experts=2).weights())
        6144
        """
        sizes = (self.width, self.hidden)
        for name, shape in (("gate_proj", sizes), ("up_proj", sizes), ("down_proj", sizes[::-1])):
            yield Weight(
                name=name,
                role="shared_expert",
                shape=(self.experts, *shape),
                kind="matrix",
                experts=self.experts,
                active_experts=self.experts,
            )

    def operations(self) -> Iterator[Operation]:
        """Yield the products of all experts."""
        yield product("up", "shared_expert", 2 * self.width, self.hidden, times=self.experts)
        yield product("down", "shared_expert", self.hidden, self.width, times=self.experts)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
