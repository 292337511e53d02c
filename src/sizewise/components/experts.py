"""Routed experts: E feed-forward layers of which a token uses k, stored as stacked tensors.

Shapes: D hidden, F expert size, E experts; ``gate_up_proj`` is [E, 2F, D] (plain experts: ``up_proj``
[E, F, D]) and ``down_proj`` [E, D, F]; some classes store [E, in, out]. The router stands apart.
Source: Shazeer et al. 2017, arXiv:1701.06538; stacking: modelling files of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertNames:
    """Names of the two stacks; an empty first one means the usual."""

    first: str = ""
    down: str = "down_proj"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """All routed experts of one layer. Every number is a count."""

    hidden: int
    width: int
    experts: int
    active: int
    gated: bool = True
    bias: bool = False
    transposed: bool = False
    names: ExpertNames = ExpertNames()
    idle: int = 0
    """Experts that pass a token on unchanged; the class stores a first matrix for them nevertheless."""

    def weights(self) -> Iterator[Weight]:
        """Yield the two stacks, and their biases [E, out] where there are some.

        >>> stack = Experts(hidden=4096, width=14336, experts=8, active=2)
        >>> sum(weight.elements for weight in stack.weights()) // 8
        176160768
        """
        first, pieces = ("gate_up_proj", 2) if self.gated else ("up_proj", 1)
        outputs, stored = pieces * self.width, self.experts + self.idle
        yield from self._matrix(self.names.first or first, outputs, self.hidden, stored, pieces)
        yield from self._matrix(self.names.down, self.hidden, self.width, self.experts, 1)

    def _matrix(self, name: str, outputs: int, inputs: int, experts: int, pieces: int) -> Iterator[Weight]:
        sizes = (inputs, outputs) if self.transposed else (outputs, inputs)
        yield Weight(
            name=name,
            role="expert",
            shape=(experts, *sizes),
            kind="matrix",
            experts=experts,
            active_experts=self.active,
            pieces=pieces,
            transposed=self.transposed,
        )
        if self.bias:
            yield Weight(
                name=f"{name}_bias",
                role="expert",
                shape=(self.experts, outputs),
                experts=self.experts,
                active_experts=self.active,
            )

    def operations(self) -> Iterator[Operation]:
        """Yield the products of the k experts that a token uses."""
        yield product("up", "expert", self.width * (2 if self.gated else 1), self.hidden, times=self.active)
        yield product("down", "expert", self.hidden, self.width, times=self.active)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
