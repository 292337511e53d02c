"""mLSTM: a recurrent layer with a matrix memory per head, an exponential input and a forget gate.

Shapes: D hidden, N heads, Q features of queries and of keys, P of values; weights are [out, in]. The
state of a head is a matrix [Q/N, P/N], a normaliser [Q/N] and a running maximum.
Source: Beck et al. 2025, arXiv:2503.13427 (xLSTM 7B); names: modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixLSTM:
    """One mLSTM layer. Every number is a count; the heads divide queries, keys and values."""

    hidden: int
    heads: int
    keys: int
    values: int
    bias: bool = False
    fused: bool = False
    """One matrix for queries, keys, values and output gate, and one for the other two gates."""

    @property
    def state(self) -> int:
        """Numbers of the state of all heads."""
        size = self.keys // self.heads
        return self.heads * (size * (self.values // self.heads) + size + 1)

    def _inputs(self) -> tuple[tuple[str, int, bool], ...]:
        """Return the input projections as (name, outputs, bias)."""
        keys, values, heads, bias = self.keys, self.values, self.heads, self.bias
        if self.fused:
            return ("qkv_opreact", 2 * keys + 2 * values, bias), ("ifgate_preact", 2 * heads, True)
        return (
            ("q", keys, bias),
            ("k", keys, bias),
            ("v", values, bias),
            ("ogate_preact", values, bias),
            ("igate_preact", heads, True),
            ("fgate_preact", heads, True),
        )

    def weights(self) -> Iterator[Weight]:
        """Yield the projections, whose input and forget gates always have a bias, the norm and the output.

        >>> layer = MatrixLSTM(hidden=4096, heads=8, keys=2048, values=4096)
        >>> sum(weight.elements for weight in layer.weights())
        67178512
        """
        for name, outputs, bias in self._inputs():
            yield from linear(name, "state_space", outputs, self.hidden, bias=bias)
        yield Weight(name="multihead_norm.weight", role="norm", shape=(self.values,))
        if self.bias:
            yield Weight(name="multihead_norm.bias", role="norm", shape=(self.values,))
        yield from linear("out_proj", "state_space", self.hidden, self.values, bias=self.bias)

    def operations(self) -> Iterator[Operation]:
        """Yield the projections and the scan.

        The scan costs three multiply-adds per number of the state (forget, write, read), as the
        recurrence does it one token at a time.
        """
        for name, outputs, _ in self._inputs():
            yield product(name, "state_space", outputs, self.hidden)
        yield Operation(
            name="scan", role="state_space", kind="scan", macs=3 * self.state, outputs=self.values
        )
        yield product("output", "state_space", self.hidden, self.values)

    def kept(self) -> Iterator[Kept]:
        """Yield the state, which the class keeps in the model's own precision."""
        yield SequenceState(memory=self.state)
