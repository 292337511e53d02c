"""Mamba-1: a selective state space with a state of its own for every channel.

Shapes: D hidden, I inner channels, s state size, r rank of the step size, k kernel of the convolution;
``in_proj`` is [2I, D], ``x_proj`` [r + 2s, I], ``dt_proj`` [I, r], ``out_proj`` [D, I], ``A_log`` [I, s].
Source: Gu and Dao 2023, arXiv:2312.00752; step norms: Lieber et al. 2024, arXiv:2403.19887 (Jamba);
heads: Glorioso et al. 2024, arXiv:2405.16712 (Zamba).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, depthwise_convolution, product
from sizewise.tape.convolution import causal_convolution
from sizewise.tape.norms import rms_norm, weightless_rms_norm
from sizewise.tape.selective_scan import ScanInputs, selective_scan
from sizewise.tape.tape import WIDE, NotRecordable, Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight, linear

KERNEL_CHUNK = 2048
"""Tokens after which mamba-ssm's selective scan keeps its state."""


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
        yield depthwise_convolution("state_space", self.inner, self.kernel)
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

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record the mixer as mamba-ssm's fused kernel, or as the class's torch operations."""
        if self.heads is not None:
            raise NotRecordable("scans of stacked heads")
        projected = tape.linear(source, 2 * self.inner, bias=self.bias)
        mixed = (
            self._fused(tape, projected) if tape.setting.kernels else self._scanned(tape, source, projected)
        )
        return tape.product(mixed, self.hidden, self.inner, joins=True, bias=self.bias)

    def _fused(self, tape: Tape, projected: Tensor) -> Tensor:
        """Record mamba_inner_fn: it keeps its input, what was selected, its output and some states.

        Convolution and step size are done again in the backward pass (``checkpoint_lvl`` 1).
        """
        setting, tokens = tape.setting, tape.tokens
        selected = tokens * (self.step_rank + 4 * self.state)
        pieces = -(-setting.sequence // KERNEL_CHUNK)
        states = WIDE * setting.batch * self.inner * 2 * self.state * pieces
        return tape.step(
            "scan",
            (projected,),
            tokens * self.inner,
            projected.width,
            saved=(projected,),
            extra=(selected + tokens * self.inner) * projected.width + states,
        )

    def _scanned(self, tape: Tape, source: Tensor, projected: Tensor) -> Tensor:
        """Record convolution, selection and the scan token by token; names hold what they read till then."""
        tokens = tape.tokens
        rate = tape.scale(
            tape.unary("exponential", tape.cast(tape.weight(self.inner * self.state), WIDE), "output")
        )
        inner, gate = tape.split(projected, (tokens * self.inner,) * 2)
        inner = causal_convolution(tape, inner, self.inner, self.kernel, bias=self.conv_bias)
        selected = tape.linear(_rows(tape, inner), self.step_rank + 2 * self.state)
        step, keys, queries = (
            self._normed(tape, tape.view(selected, tokens * size), size)
            for size in (self.step_rank, self.state, self.state)
        )
        raw = tape.product(step, self.inner, self.step_rank)
        step = tape.add(raw, tape.weight(self.inner))
        step = tape.unary("softplus", step, "input")
        given = ScanInputs(inner=inner, gate=gate, step=step, keys=keys, queries=queries, rate=rate)
        output = selective_scan(tape, given)
        tape.steps[-1].beside += (raw, source)
        return _rows(tape, tape.cast(output, projected.width))

    def _normed(self, tape: Tape, source: Tensor, size: int) -> Tensor:
        if self.step_norms:
            return rms_norm(tape, source, size)
        return weightless_rms_norm(tape, source, size) if tape.style.step_norms else source


def _rows(tape: Tape, source: Tensor) -> Tensor:
    """Return channels [B, I, S] as rows of tokens: one sequence needs no copy."""
    return tape.view(source) if tape.setting.batch == 1 else tape.copy(source)
