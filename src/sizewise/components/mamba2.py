"""Mamba-2: a selective state space with one decay per head and states of [head size, state size].

Shapes: D hidden, N heads of size H, I = N*H inner channels, G groups that share the state projections,
s state size, k kernel of the convolution over I + 2*G*s channels; ``in_proj`` is
[2I + 2*G*s + N, D], ``out_proj`` [D, I]. Source: Dao and Gu 2024, arXiv:2405.21060.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class Mamba2:
    """One Mamba-2 mixer. Every number is a count."""

    hidden: int
    heads: int
    head_size: int
    state: int
    groups: int
    kernel: int
    in_bias: bool = False
    out_bias: bool = False
    conv_bias: bool = True
    gated_norm: bool = True
    """An RMSNorm over the inner channels before the output projection."""

    @property
    def inner(self) -> int:
        """N*H channels."""
        return self.heads * self.head_size

    @property
    def channels(self) -> int:
        """Channels of the convolution: the inner ones and two state projections per group."""
        return self.inner + 2 * self.groups * self.state

    def weights(self) -> Iterator[Weight]:
        """Yield the projections, the convolution [I + 2*G*s, 1, k] and three vectors of N.

        >>> layer = Mamba2(hidden=64, heads=8, head_size=16, state=128, groups=8, kernel=4)
        >>> sum(weight.elements for weight in layer.weights())
        167192
        """
        widths = self.inner + self.channels + self.heads
        yield Weight(name="dt_bias", role="state_space", shape=(self.heads,))
        yield Weight(name="A_log", role="state_space", shape=(self.heads,))
        yield Weight(name="D", role="state_space", shape=(self.heads,))
        yield Weight(
            name="conv1d.weight", role="state_space", shape=(self.channels, 1, self.kernel), kind="kernel"
        )
        if self.conv_bias:
            yield Weight(name="conv1d.bias", role="state_space", shape=(self.channels,))
        yield from linear("in_proj", "state_space", widths, self.hidden, bias=self.in_bias)
        if self.gated_norm:
            yield Weight(name="norm.weight", role="norm", shape=(self.inner,))
        yield from linear("out_proj", "state_space", self.hidden, self.inner, bias=self.out_bias)

    def operations(self) -> Iterator[Operation]:
        """Yield the projections, the convolution and the scan.

        The scan costs three multiply-adds per number of the state (step times input, update, read-out)
        and one per channel for the skip, as the recurrence does it one token at a time; the chunked
        form that engines use on prompts trades more arithmetic for matrix products.
        """
        yield product("input", "state_space", self.inner + self.channels + self.heads, self.hidden)
        yield Operation(
            name="convolution",
            role="state_space",
            kind="convolution",
            macs=self.channels * self.kernel,
            outputs=self.channels,
        )
        yield Operation(
            name="scan",
            role="state_space",
            kind="scan",
            macs=3 * self.inner * self.state + self.inner,
            outputs=self.inner,
        )
        yield product("output", "state_space", self.hidden, self.inner)

    def kept(self) -> Iterator[Kept]:
        """Yield the inputs of the convolution and the state of N*H*s numbers.

        >>> layer = Mamba2(hidden=64, heads=8, head_size=16, state=16, groups=2, kernel=4)
        >>> [(entry.channels, entry.recurrent) for entry in layer.kept()]
        [(192, 2048)]
        """
        yield SequenceState(channels=self.channels, kernel=self.kernel, recurrent=self.inner * self.state)
