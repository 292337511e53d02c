"""Convolutions of towers: patch embeddings, whose stride is their kernel, down-samplers and necks.

Shapes: C channels in, D channels out, kernel t x p x p or p x p; the weight is [D, C, t, p, p].
Source: Dosovitskiy et al. 2020, arXiv:2010.11929 (patch embedding).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod

from sizewise.operations import Kept, Operation
from sizewise.tensors import Role, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Convolution:
    """D*C*p*p weights, and a bias of D where there is one.

    >>> patches = Convolution(inputs=3, outputs=1024, kernel=(14, 14))
    >>> sum(weight.elements for weight in patches.weights())
    602112
    """

    inputs: int
    outputs: int
    kernel: tuple[int, ...]
    bias: bool = False
    role: Role = "vision"

    def weights(self) -> Iterator[Weight]:
        """Yield the weight [D, C, …kernel] and the bias [D]."""
        shape = (self.outputs, self.inputs, *self.kernel)
        yield Weight(name="weight", role=self.role, shape=shape, kind="kernel")
        if self.bias:
            yield Weight(name="bias", role=self.role, shape=(self.outputs,))

    def operations(self) -> Iterator[Operation]:
        """Yield the work for one position of the output."""
        yield Operation(
            name="convolution",
            role=self.role,
            kind="convolution",
            macs=self.outputs * self.inputs * prod(self.kernel),
            outputs=self.outputs,
        )

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
