"""Gated short convolution: a mixer that sees the last k tokens and has no recurrent state.

Shapes: D hidden, k kernel; ``in_proj`` is [3D, D] (two gates and the input), ``out_proj`` [D, D].
Source: Liquid AI, LFM2 (2025), arXiv:2511.23404.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortConvolution:
    """One gated convolution over D channels. Every number is a count."""

    hidden: int
    kernel: int
    bias: bool = False

    def weights(self) -> Iterator[Weight]:
        """Yield the convolution [D, 1, k], the projections and their biases.

        >>> sum(weight.elements for weight in ShortConvolution(hidden=2048, kernel=3).weights())
        16783360
        """
        yield Weight(
            name="conv.weight", role="state_space", shape=(self.hidden, 1, self.kernel), kind="kernel"
        )
        if self.bias:
            yield Weight(name="conv.bias", role="state_space", shape=(self.hidden,))
        yield from linear("in_proj", "state_space", 3 * self.hidden, self.hidden, bias=self.bias)
        yield from linear("out_proj", "state_space", self.hidden, self.hidden, bias=self.bias)

    def operations(self) -> Iterator[Operation]:
        """Yield the projections and the convolution; the two gates multiply element by element."""
        yield product("input", "state_space", 3 * self.hidden, self.hidden)
        yield Operation(
            name="convolution",
            role="state_space",
            kind="convolution",
            macs=self.hidden * self.kernel,
            outputs=self.hidden,
        )
        yield product("output", "state_space", self.hidden, self.hidden)

    def kept(self) -> Iterator[Kept]:
        """Yield the inputs of the convolution."""
        yield SequenceState(channels=self.hidden, kernel=self.kernel)
