"""Mamba-1: a selective state space with a state of its own for every channel.

Shapes: D hidden, I inner channels, s state size, r rank of the step size, k kernel of the convolution;
``in_proj`` is [2I, D], ``x_proj`` [r + 2s, I], ``dt_proj`` [I, r], ``out_proj`` [D, I], ``A_log`` [I, s].
Source: Gu and Dao 2023, arXiv:2312.00752; step norms: Lieber et al. 2024, arXiv:2403.19887 (Jamba);
heads: Glorioso et al. 2024, arXiv:2405.16712 (Zamba).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, product
from sizewise.tensors import Weight, linear


def default_step_rank(hidden: int) -> int:
    """Return the rank of the step size where it is "auto": hidden / 16, rounded up.

    >>> default_step_rank(768)
    48
    """
    return -(-hidden // 16)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mamba:
    """One Mamba-1 mixer. Every number is a count."""

    hidden: int
    inner: int
    state: int
    step_rank: int
    kernel: int
    bias: bool = False
    conv_bias: bool = True
    step_norms: bool = False
    """RMSNorms over the step size and the two state projections."""
    heads: int | None = None
    """Heads that select by themselves from their share of the channels; stored stacked, [heads, …]."""

    def weights(self) -> Iterator[Weight]:
        """Yield the projections, the convolution [I, 1, k], the decay [I, s] and the skip [I].

        >>> layer = Mamba(hidden=768, inner=1536, state=16, step_rank=48, kernel=4)
        >>> sum(weight.elements for weight in layer.weights())
        3770880
        """
        yield Weight(
            name="conv1d.weight", role="state_space", shape=(self.inner, 1, self.kernel), kind="kernel"
        )
        if self.conv_bias:
            yield Weight(name="conv1d.bias", role="state_space", shape=(self.inner,))
        yield from linear("in_proj", "state_space", 2 * self.inner, self.hidden, bias=self.bias)
        yield from self._selection() if self.heads is None else self._stacked_selection(self.heads)
        yield from linear("out_proj", "state_space", self.hidden, self.inner, bias=self.bias)
        if self.step_norms:
            yield Weight(name="dt_layernorm.weight", role="norm", shape=(self.step_rank,))
            yield Weight(name="b_layernorm.weight", role="norm", shape=(self.state,))
            yield Weight(name="c_layernorm.weight", role="norm", shape=(self.state,))

    def _selection(self) -> Iterator[Weight]:
        """Yield step size, decay and skip."""
        yield from linear("x_proj", "state_space", self.step_rank + 2 * self.state, self.inner)
        yield from linear("dt_proj", "state_space", self.inner, self.step_rank, bias=True)
        yield Weight(name="A_log", role="state_space", shape=(self.inner, self.state))
        yield Weight(name="D", role="state_space", shape=(self.inner,))

    def _stacked_selection(self, heads: int) -> Iterator[Weight]:
        """Yield the same for each head: a head has I / heads channels."""
        size, selected = self.inner // heads, self.step_rank + 2 * self.state
        shapes = {"x_proj_weight": (selected, size), "dt_proj_weight": (size, self.step_rank)}
        for name, shape in shapes.items():
            yield Weight(name=name, role="state_space", shape=(heads, *shape), kind="matrix")
        yield Weight(name="dt_proj_bias", role="state_space", shape=(heads, size))
        yield Weight(name="A_log", role="state_space", shape=(heads, size, self.state))
        yield Weight(name="D", role="state_space", shape=(heads, size))

    def operations(self) -> Iterator[Operation]:
        """Yield the projections, the convolution and the scan.

        The scan costs four multiply-adds per number of the state (step times decay, step times input,
        update, read-out) and one per channel for the skip; exponentials are not counted.
        """
        yield product("input", "state_space", 2 * self.inner, self.hidden)
        yield Operation(
            name="convolution",
            role="state_space",
            kind="convolution",
            macs=self.inner * self.kernel,
            outputs=self.inner,
        )
        yield product("selection", "state_space", self.step_rank + 2 * self.state, self.inner)
        yield product("step", "state_space", self.inner, self.step_rank)
        yield Operation(
            name="scan",
            role="state_space",
            kind="scan",
            macs=4 * self.inner * self.state + self.inner,
            outputs=self.inner,
        )
        yield product("output", "state_space", self.hidden, self.inner)

    def kept(self) -> Iterator[Kept]:
        """Yield the inputs of the convolution over I channels and the state of I*s numbers."""
        yield SequenceState(channels=self.inner, kernel=self.kernel, recurrent=self.inner * self.state)
