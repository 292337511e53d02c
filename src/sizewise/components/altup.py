"""AltUp: A streams of the hidden state, of which each layer computes one and predicts the others.

Shapes: D hidden, A streams; a router [A, D] gives A numbers per token, from which ``prediction_coefs``
[A*A, A] and ``correction_coefs`` [A, A] make the mixing of the streams.
Source: Baykal et al. 2023, arXiv:2301.13310; names: modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class AltUp:
    """Prediction and correction of the streams around one layer. Every number is a count."""

    hidden: int
    streams: int

    def weights(self) -> Iterator[Weight]:
        """Yield a scale [D], the two sets of coefficients, the router [A, D] and its norm [D].

        >>> sum(weight.elements for weight in AltUp(hidden=2048, streams=4).weights())
        12368
        """
        streams = self.streams
        yield Weight(name="correct_output_scale", role="feed_forward", shape=(self.hidden,))
        yield from linear("correction_coefs", "feed_forward", streams, streams)
        yield from linear("prediction_coefs", "feed_forward", streams**2, streams)
        yield from linear("modality_router", "feed_forward", streams, self.hidden)
        yield Weight(name="router_norm.weight", role="norm", shape=(self.hidden,))

    def operations(self) -> Iterator[Operation]:
        """Yield routing, coefficients and mixing: the router runs before and after the layer."""
        streams = self.streams
        yield product("routing", "feed_forward", streams, self.hidden, times=2)
        yield product("prediction_coefs", "feed_forward", streams**2, streams)
        yield product("correction_coefs", "feed_forward", streams, streams)
        yield product("prediction", "feed_forward", streams * self.hidden, streams)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
