"""Experts of one neuron each, looked up by a product of two small sets of keys.

Shapes: D hidden, E experts, S = floor(sqrt(E)) keys a set; tables are [E, D], the router [2*S, D].
Source: He 2024, arXiv:2407.04153; names: modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class RetrievalExperts:
    """The router and the two tables of one layer. Every number is a count."""

    hidden: int
    experts: int
    active: int

    @property
    def keys(self) -> int:
        """S keys in each of the two sets."""
        return isqrt(self.experts)

    def weights(self) -> Iterator[Weight]:
        """Yield the router [2*S, D] and the tables in and out [E, D].

        >>> layer = RetrievalExperts(hidden=1024, experts=16384, active=64)
        >>> sum(weight.elements for weight in layer.weights())
        33816576
        """
        yield from linear("router_gate", "router", 2 * self.keys, self.hidden)
        for name in ("down_embed.weight", "up_embed.weight"):
            yield Weight(
                name=name,
                role="expert",
                shape=(self.experts, self.hidden),
                kind="table",
                experts=self.experts,
                active_experts=self.active,
            )

    def operations(self) -> Iterator[Operation]:
        """Yield the product of the router and those of the k experts that a token uses."""
        yield product("routing", "router", 2 * self.keys, self.hidden)
        yield product("down", "expert", 1, self.hidden, times=self.active)
        yield product("up", "expert", self.hidden, 1, times=self.active)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
