"""Gated delta net: linear attention whose state forgets by a gate and corrects by the delta rule.

Shapes: D hidden, A key heads of size a, Z value heads of size z, k kernel of the convolution over the
2*A*a + Z*z channels of queries, keys and values; the state of a value head is [a, z].
Source: Yang et al. 2024, arXiv:2412.06464.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sizewise.operations import Kept, Operation, SequenceState, depthwise_convolution, product
from sizewise.tape.convolution import causal_convolution
from sizewise.tape.delta_rule import CHUNK, DeltaInputs, delta_rule
from sizewise.tape.norms import norm_then_gate
from sizewise.tape.tape import WIDE, NotRecordable, Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedDeltaNet:
    """One gated delta net mixer. Every number is a count."""

    hidden: int
    key_heads: int
    value_heads: int
    key_size: int
    value_size: int
    kernel: int
    fused: bool
    """Two input projections (q, k, v with the output gate; both gates) instead of four."""
    separate: bool = False
    """Each of the six inputs has a projection of its own."""

    @property
    def keys(self) -> int:
        """A*a features; queries have as many."""
        return self.key_heads * self.key_size

    @property
    def values(self) -> int:
        """Z*z features; the output gate has as many."""
        return self.value_heads * self.value_size

    @property
    def channels(self) -> int:
        """Channels of the convolution: queries, keys and values."""
        return 2 * self.keys + self.values

    def _inputs(self) -> tuple[tuple[str, int], ...]:
        """Return the input projections as (name, outputs)."""
        if self.fused:
            return (("in_proj_qkvz", self.channels + self.values), ("in_proj_ba", 2 * self.value_heads))
        if self.separate:
            sizes = (self.keys, self.keys, self.values, self.value_heads, self.value_heads, self.values)
            return tuple(
                zip(("q_proj", "k_proj", "v_proj", "a_proj", "b_proj", "g_proj"), sizes, strict=True)
            )
        return (
            ("in_proj_qkv", self.channels),
            ("in_proj_z", self.values),
            ("in_proj_b", self.value_heads),
            ("in_proj_a", self.value_heads),
        )

    def weights(self) -> Iterator[Weight]:
        """Yield the projections, the convolution [2*A*a + Z*z, 1, k], two vectors of Z and a norm [z].

        >>> layer = GatedDeltaNet(
        ...     hidden=2048, key_heads=16, value_heads=32, key_size=128, value_size=128, kernel=4, fused=True
        ... )
        >>> sum(weight.elements for weight in layer.weights())
        33718464
        """
        yield Weight(name="dt_bias", role="state_space", shape=(self.value_heads,))
        yield Weight(name="A_log", role="state_space", shape=(self.value_heads,))
        yield Weight(
            name="conv1d.weight", role="state_space", shape=(self.channels, 1, self.kernel), kind="kernel"
        )
        for name, outputs in self._inputs():
            yield from linear(name, "state_space", outputs, self.hidden)
        norm, output = ("o_norm", "o_proj") if self.separate else ("norm", "out_proj")
        yield Weight(name=f"{norm}.weight", role="norm", shape=(self.value_size,))
        yield from linear(output, "state_space", self.hidden, self.values)

    def operations(self) -> Iterator[Operation]:
        """Yield the projections, the convolution and the scan.

        The scan costs four multiply-adds per number of the state: decay, read by the key, write of the
        correction, read by the query.
        """
        for name, outputs in self._inputs():
            yield product(name, "state_space", outputs, self.hidden)
        yield depthwise_convolution("state_space", self.channels, self.kernel)
        yield Operation(
            name="scan",
            role="state_space",
            kind="scan",
            macs=4 * self.value_heads * self.key_size * self.value_size,
            outputs=self.values,
        )
        yield product("output", "state_space", self.hidden, self.values)

    def kept(self) -> Iterator[Kept]:
        """Yield the inputs of the convolution and the state of Z*a*z numbers."""
        yield SequenceState(
            channels=self.channels,
            kernel=self.kernel,
            recurrent=self.value_heads * self.key_size * self.value_size,
        )

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record projections, convolution, the delta rule, its gated norm and the output projection.

        The kernel of flash-linear-attention (chunk_gated_delta_rule) keeps its inputs, the normed queries and
        keys and a triangle of 64 numbers per token and head; it does the states again.
        """
        if self.separate:
            raise NotRecordable("delta net of six projections")
        tokens = tape.tokens
        mixed, gate, strength, rate = self._record_inputs(tape, source)
        strength = tape.unary("sigmoid", strength, "output")
        decay = tape.unary("exponential", tape.cast(tape.weight(self.value_heads), WIDE), "output")
        shifted = tape.add(tape.cast(rate, WIDE), tape.weight(self.value_heads))
        decay = tape.multiply(tape.scale(decay), tape.unary("softplus", shifted, "input"))
        mixed = causal_convolution(tape, mixed, self.channels, self.kernel)
        queries, keys = tape.split(mixed, (tokens * self.keys,) * 2)
        values = tape.view(mixed, tokens * self.values)
        inputs = DeltaInputs(queries=queries, keys=keys, values=values, strength=strength, decay=decay)
        if tape.setting.kernels:
            output = self._fused(tape, inputs, gate)
        else:
            output = self._ruled(tape, inputs)
            tape.steps[-1].beside += (source,)
            output = norm_then_gate(tape, output, gate, self.value_size)
        return tape.product(output, self.hidden, self.values, joins=True)

    def _record_inputs(self, tape: Tape, source: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Record the projections: what is convolved, the output gate, strengths and rates of decay."""
        tokens, heads = tape.tokens, self.value_heads
        if not self.fused:
            widths = (self.channels, self.values, heads, heads)
            mixed, gate, strength, rate = (tape.linear(source, width) for width in widths)
            return mixed, gate, strength, rate
        projected = tape.linear(source, self.channels + self.values)
        both = tape.linear(source, 2 * heads)
        parts = [tape.view(both, tokens * heads) for _ in range(2)]
        gate = tape.view(projected, tokens * self.values)
        if 1 < self.key_heads < self.value_heads:
            gate, parts = tape.copy(gate), [tape.copy(part) for part in parts]
        mixed = tape.step("join", (projected,), tokens * self.channels, projected.width)
        return mixed, gate, parts[0], parts[1]

    def _ruled(self, tape: Tape, inputs: DeltaInputs) -> Tensor:
        """Record the rule in torch operations, each key head repeated for its value heads."""
        features = tape.tokens * self.value_heads * self.key_size
        if self.key_heads != self.value_heads:
            queries, keys = (tape.copy(entry, features) for entry in (inputs.queries, inputs.keys))
            inputs = replace(inputs, queries=queries, keys=keys)
        return delta_rule(tape, inputs, self.value_heads)

    def _fused(self, tape: Tape, inputs: DeltaInputs, gate: Tensor) -> Tensor:
        """Record the kernels of the rule and of the gated norm."""
        tokens, width = tape.tokens, gate.width
        heads = tokens * self.value_heads
        normed = 2 * tokens * (self.keys * width + self.key_heads * WIDE)
        given = (inputs.queries, inputs.keys, inputs.values, inputs.strength, inputs.decay)
        output = tape.step(
            "scan", given, tokens * self.values, width, saved=given, extra=normed + heads * CHUNK * width
        )
        return tape.step(
            "norm", (output, gate), output.numbers, width, saved=(output, gate), extra=heads * WIDE
        )
