"""Routers choose the k of E experts that a token uses.

Shapes: D hidden, E experts; the weight is [E, D], its bias [E]. A correction bias for load balancing
is a buffer in most classes and therefore not stored as a parameter; where it is one it is [1, E].
Source: Shazeer et al. 2017, arXiv:1701.06538; correction bias: Wang et al. 2024, arXiv:2408.15664.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Router:
    """One linear layer from a token to a score per expert."""

    hidden: int
    experts: int
    bias: bool = False
    correction: str = ""
    """Name of the correction bias where it is a parameter; it is set by counting, not by gradients."""
    groups: int = 1
    """Groups of neighbouring experts; a token's experts are chosen within the best of them."""
    groups_used: int = 1
    idle: bool = False
    """No token of text is routed here: these are experts for pictures."""

    def weights(self) -> Iterator[Weight]:
        """Yield the weight [E, D], the bias [E] and the correction bias [1, E] where there are some.

        >>> [weight.elements for weight in Router(hidden=4096, experts=8).weights()]
        [32768]
        """
        shape = (self.experts, self.hidden)
        used = 0 if self.idle else 1
        yield Weight(name="weight", role="router", shape=shape, kind="matrix", active_experts=used)
        if self.bias:
            yield Weight(name="bias", role="router", shape=(self.experts,))
        if self.correction:
            yield Weight(name=self.correction, role="router", shape=(1, self.experts), frozen=True)

    def operations(self) -> Iterator[Operation]:
        """Yield the product, if a token of text has one."""
        yield product("routing", "router", self.experts, self.hidden, times=0 if self.idle else 1)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
