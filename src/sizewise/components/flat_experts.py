"""Routed experts whose matrices stand one below the other in flat tensors [E*F, D].

Shapes: D hidden, F expert size, E experts; gate ``w1``, up ``v1`` and down ``w2`` are alike, the last one
is used transposed. Source: DBRX (Databricks, 2024); modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class FlatExperts:
    """All routed experts of one layer. Every number is a count."""

    hidden: int
    width: int
    experts: int
    active: int

    def weights(self) -> Iterator[Weight]:
        """Yield the three tensors [E*F, D].

        >>> stack = FlatExperts(hidden=6144, width=10752, experts=16, active=4)
        >>> sum(weight.elements for weight in stack.weights())
        3170893824
        """
        for name in ("w1", "v1", "w2"):
            yield Weight(
                name=name,
                role="expert",
                shape=(self.experts * self.width, self.hidden),
                kind="matrix",
                experts=self.experts,
                active_experts=self.active,
            )

    def operations(self) -> Iterator[Operation]:
        """Yield the products of the k experts that a token uses."""
        yield product("up", "expert", 2 * self.width, self.hidden, times=self.active)
        yield product("down", "expert", self.hidden, self.width, times=self.active)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
