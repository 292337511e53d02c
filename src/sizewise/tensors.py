"""Weight: one stored tensor of a layer, named and shaped as the transformers class has it.

Linear weights are ``[out, in]``, embeddings ``[rows, width]``, stacked experts ``[E, out, in]``.
The name and the shape are the canonical ones of the class; published files may split or rename
(`pieces` says into how many equal matrices a fused one is split there).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal

Role = Literal[
    "embedding",
    "position",
    "attention",
    "state_space",
    "feed_forward",
    "expert",
    "shared_expert",
    "router",
    "norm",
    "head",
    "vision",
    "audio",
    "projector",
    "other",
]

Kind = Literal["matrix", "table", "kernel", "vector"]
"""matrix: multiplied with activations · table: rows looked up · kernel: convolution · vector: the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weight:
    """One tensor. ``experts`` of the leading axis are stored, ``active_experts`` used by a token."""

    name: str
    role: Role
    shape: tuple[int, ...]
    kind: Kind = "vector"
    experts: int = 1
    active_experts: int = 1
    pieces: int = 1
    transposed: bool = False
    frozen: bool = False

    @property
    def elements(self) -> int:
        """Count the numbers stored.

        >>> Weight(name="w", role="attention", shape=(1000, 500), kind="matrix").elements
        500000
        """
        return prod(self.shape)

    @property
    def active_elements(self) -> int:
        """Count the numbers that one token uses: of a stack of experts only the chosen ones."""
        return self.elements // self.experts * self.active_experts

    @property
    def stacked(self) -> bool:
        """Tell whether the leading axis enumerates experts."""
        return self.kind == "matrix" and len(self.shape) == 3

    @property
    def rows(self) -> int:
        """Count the output features of a matrix (of one expert)."""
        return self.shape[-1] if self.transposed else self.shape[-2]

    @property
    def columns(self) -> int:
        """Count the input features of a matrix (of one expert)."""
        return self.shape[-2] if self.transposed else self.shape[-1]


def linear(
    name: str, role: Role, outputs: int, inputs: int, *, bias: bool = False, transposed: bool = False
) -> Iterator[Weight]:
    """Yield the weight ``[out, in]`` (``[in, out]`` if transposed) and the bias ``[out]`` of a linear layer.

    >>> sum(weight.elements for weight in linear("fc", "feed_forward", 500, 1000, bias=True))
    500500
    """
    shape = (inputs, outputs) if transposed else (outputs, inputs)
    yield Weight(name=f"{name}.weight", role=role, shape=shape, kind="matrix", transposed=transposed)
    if bias:
        yield Weight(name=f"{name}.bias", role=role, shape=(outputs,))
