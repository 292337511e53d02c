"""Gated residual streams: M streams of which a gate of low rank makes the input of a layer.

Shapes: D hidden, M streams, r rank; the gate is [r, M*D] and [M*D, r], what spreads the layer's output
over the streams [M, M*D]. After the last layer nothing is spread.
Source: modelling file of Qwen4-Exp in transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class GatedResidual:
    """The streams before one layer, or before the head. Every number is a count."""

    hidden: int
    streams: int
    rank: int
    spreads: bool = True

    @property
    def features(self) -> int:
        """M*D features."""
        return self.streams * self.hidden

    def weights(self) -> Iterator[Weight]:
        """Yield the norm [M*D], the gate and the weights that spread.

        >>> layer = GatedResidual(hidden=2048, streams=4, rank=320)
        >>> sum(weight.elements for weight in layer.weights())
        5283840
        """
        yield Weight(name="hc_norm.weight", role="norm", shape=(self.features,))
        yield from linear("input_mix_weight_down", "feed_forward", self.rank, self.features)
        yield from linear("input_mix_weight_up", "feed_forward", self.features, self.rank)
        if self.spreads:
            yield from linear("block_inject_weight", "feed_forward", self.streams, self.features)

    def operations(self) -> Iterator[Operation]:
        """Yield the products of the gate and what they weigh."""
        yield product("gate_down", "feed_forward", self.rank, self.features)
        yield product("gate_up", "feed_forward", self.features, self.rank)
        yield product("mixing", "feed_forward", self.streams, self.hidden)
        if self.spreads:
            yield product("coefficients", "feed_forward", self.streams, self.features)
            yield product("spreading", "feed_forward", self.streams, self.hidden)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
