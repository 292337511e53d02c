"""Gated delta net: linear attention whose state forgets by a gate and corrects by the delta rule.

Shapes: D hidden, A key heads of size a, Z value heads of size z, k kernel of the convolution over the
2*A*a + Z*z channels of queries, keys and values; the state of a value head is [a, z].
Source: Yang et al. 2024, arXiv:2412.06464.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, product
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
