"""Feed-forward layers: plain (up, activation, down) or gated (gate * up, down).

Shapes: D hidden, F feed-forward size; weights are [F, D] and [D, F].
Source: Vaswani et al. 2017, arXiv:1706.03762; gated: Shazeer 2020, arXiv:2002.05202.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tape.activation import activation
from sizewise.tape.tape import NotRecordable, Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Role, Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForwardNames:
    """Module names; ``fused`` is one matrix that holds gate and up, ``transposed`` means [in, out]."""

    gate: str = "gate_proj"
    up: str = "up_proj"
    down: str = "down_proj"
    fused: str = ""
    transposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForward:
    """One dense feed-forward layer: 3*D*F weights gated, 2*D*F plain."""

    hidden: int
    width: int
    gated: bool = True
    bias: bool = False
    learned_activation: bool = False
    """The activation has two trained scalars (xIELU, Huang and Schlag 2024, arXiv:2411.13010)."""
    role: Role = "feed_forward"
    names: FeedForwardNames = FeedForwardNames()

    def weights(self) -> Iterator[Weight]:
        """Yield gate and up [F, D] and down [D, F], with their biases.

        >>> layer = FeedForward(hidden=512, width=2048, gated=False)
        >>> sum(weight.elements for weight in layer.weights())
        2097152
        """
        names, bias, transposed = self.names, self.bias, self.names.transposed
        if self.gated and names.fused:
            yield from linear(
                names.fused, self.role, 2 * self.width, self.hidden, bias=bias, transposed=transposed
            )
        else:
            if self.gated:
                yield from linear(
                    names.gate, self.role, self.width, self.hidden, bias=bias, transposed=transposed
                )
            yield from linear(names.up, self.role, self.width, self.hidden, bias=bias, transposed=transposed)
        yield from linear(names.down, self.role, self.hidden, self.width, bias=bias, transposed=transposed)
        if self.learned_activation:
            yield Weight(name="act_fn.alpha_p", role=self.role, shape=(1,))
            yield Weight(name="act_fn.alpha_n", role=self.role, shape=(1,))

    def operations(self) -> Iterator[Operation]:
        """Yield the products."""
        if self.gated:
            yield product("gate", self.role, self.width, self.hidden)
        yield product("up", self.role, self.width, self.hidden)
        yield product("down", self.role, self.hidden, self.width)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record down(activation(gate(x)) * up(x)), or down(activation(up(x)))."""
        if tape.style.activation == "xielu" and not self.learned_activation:
            raise NotRecordable("xielu without its weights")
        if self.gated and self.names.fused:
            both = tape.linear(source, 2 * self.width, bias=self.bias)
            gate, up = tape.split(both, (both.numbers // 2,) * 2)
        elif self.gated:
            gate = tape.linear(source, self.width, bias=self.bias)
        if not self.gated:
            inner = activation(tape, tape.linear(source, self.width, bias=self.bias))
        elif self.names.fused:
            inner = tape.multiply(up, activation(tape, gate))
        else:
            active = activation(tape, gate)
            inner = tape.multiply(active, tape.linear(source, self.width, bias=self.bias))
        inner = tape.dropout(inner, tape.style.inner_dropout)
        output = tape.linear(inner, self.hidden, joins=True, bias=self.bias)
        return tape.dropout(output, tape.style.residual_dropout * tape.style.feed_forward_drops)
