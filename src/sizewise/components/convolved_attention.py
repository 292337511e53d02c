"""Attention in a compressed space: queries and keys are mixed along the text, half of each value is late.

Shapes: D hidden, N query heads, K key/value heads, H head size, C = (N+K)*H channels, which two causal
convolutions of kernels s and t mix: each channel by itself, then the channels of each head. Half of the
value features come from the token before. Source: Figliolia et al. 2025, arXiv:2510.04476; names:
modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, TokenCache, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvolvedAttention:
    """One layer of attention. Every number is a count."""

    hidden: int
    query_heads: int
    kv_heads: int
    head_size: int
    channel_kernel: int
    head_kernel: int
    bias: bool = False
    window: int | None = None

    @property
    def queries(self) -> int:
        """N*H features."""
        return self.query_heads * self.head_size

    @property
    def keys(self) -> int:
        """K*H features."""
        return self.kv_heads * self.head_size

    @property
    def channels(self) -> int:
        """C features of queries and keys."""
        return self.queries + self.keys

    def _projections(self) -> Iterator[tuple[str, int]]:
        """Yield the input projections as (name, outputs)."""
        yield "q_proj", self.queries
        yield "k_proj", self.keys
        yield "v_proj_current", self.keys // 2
        yield "v_proj_delayed", self.keys // 2

    def weights(self) -> Iterator[Weight]:
        """Yield the projections, the convolutions [C, 1, s] and [C, H, t], the output and K key scales.

        >>> layer = ConvolvedAttention(hidden=2048, query_heads=8, kv_heads=2, head_size=128,
        ...                            channel_kernel=2, head_kernel=2)
        >>> sum(weight.elements for weight in layer.weights())
        5575682
        """
        for name, outputs in self._projections():
            yield from linear(f"qkv_proj.{name}", "attention", outputs, self.hidden, bias=self.bias)
        kernels = {"depthwise": (1, self.channel_kernel), "grouped": (self.head_size, self.head_kernel)}
        for name, kernel in kernels.items():
            full = f"qkv_proj.conv_qk_{name}"
            shape = (self.channels, *kernel)
            yield Weight(name=f"{full}.weight", role="attention", shape=shape, kind="kernel")
            yield Weight(name=f"{full}.bias", role="attention", shape=(self.channels,))
        yield from linear("o_proj", "attention", self.hidden, self.queries, bias=self.bias)
        yield Weight(name="qk_norm.temp", role="norm", shape=(self.kv_heads,))

    def operations(self) -> Iterator[Operation]:
        """Yield the projections, the convolutions and the scores: 2*N*H per key."""
        for name, outputs in self._projections():
            yield product(name, "attention", outputs, self.hidden)
        yield Operation(
            name="convolutions",
            role="attention",
            kind="convolution",
            macs=self.channels * (self.channel_kernel + self.head_size * self.head_kernel),
            outputs=2 * self.channels,
        )
        yield Operation(
            name="scores",
            role="attention",
            kind="scores",
            macs_per_key=2 * self.queries,
            reach=self.window,
            outputs=self.queries,
            heads=self.query_heads,
        )
        yield product("output", "attention", self.hidden, self.queries)

    def kept(self) -> Iterator[Kept]:
        """Yield keys and values, the last s+t-2 inputs of the convolutions and the late half of a value.

        >>> layer = ConvolvedAttention(hidden=2048, query_heads=8, kv_heads=2, head_size=128,
        ...                            channel_kernel=2, head_kernel=2)
        >>> [entry.shift for entry in layer.kept() if isinstance(entry, SequenceState)]
        [2688]
        """
        values = self.keys // 2 * 2
        yield TokenCache(keys=self.keys, values=values, heads=self.kv_heads, window=self.window)
        columns = self.channel_kernel + self.head_kernel - 2
        yield SequenceState(shift=self.channels * columns + self.keys // 2)
