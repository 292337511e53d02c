"""Routed experts that are stored one by one: E plain feed-forward layers of which a token uses k.

Shapes: D hidden, F expert size, E experts; each expert is [F, D] and [D, F].
Source: Shazeer et al. 2017, arXiv:1701.06538; names: modelling files of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedExperts:
    """All routed experts of one layer. Every number is a count."""

    hidden: int
    width: int
    experts: int
    active: int
    bias: bool = False
    up: str = "wi"
    down: str = "wo"

    def weights(self) -> Iterator[Weight]:
        """Yield the matrices of each expert; of E experts the first k stand for those that a token uses.

        >>> experts = ListedExperts(hidden=768, width=2048, experts=8, active=1)
        >>> sum(weight.elements for weight in experts.weights())
        25165824
        >>> sum(weight.active_elements for weight in experts.weights())
        3145728
        """
        for index in range(self.experts):
            name = f"expert_{index}"
            used = int(index < self.active)
            for weight in linear(f"{name}.{self.up}", "expert", self.width, self.hidden, bias=self.bias):
                yield replace(weight, active_experts=used)
            for weight in linear(f"{name}.{self.down}", "expert", self.hidden, self.width, bias=self.bias):
                yield replace(weight, active_experts=used)

    def operations(self) -> Iterator[Operation]:
        """Yield the products of the k experts that a token uses."""
        yield product("up", "expert", self.width, self.hidden, times=self.active)
        yield product("down", "expert", self.hidden, self.width, times=self.active)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
