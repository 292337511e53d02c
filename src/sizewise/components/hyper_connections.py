"""Manifold-constrained hyper-connections: M residual streams, mixed anew for every token.

Shapes: D hidden, M streams; ``fn`` [(2+M)*M, M*D] reads all streams and gives the weights that join
them into the layer's input, spread its output and mix the streams; the head joins them with [M, M*D].
Source: Xie et al. 2025, arXiv:2512.24880; names: modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperConnection:
    """The streams around one attention or feed-forward layer. Every number is a count."""

    hidden: int
    streams: int
    mixes: bool = True
    """The streams are mixed with each other; without that they stay apart."""

    @property
    def coefficients(self) -> int:
        """Numbers per token: M to join, M to spread and, where they are mixed, M*M for that."""
        return (2 + (self.streams if self.mixes else 0)) * self.streams

    def weights(self) -> Iterator[Weight]:
        """Yield the matrix, its base and a scale for each kind of coefficients.

        >>> sum(weight.elements for weight in HyperConnection(hidden=4096, streams=4).weights())
        393243
        """
        shape = (self.coefficients, self.streams * self.hidden)
        yield Weight(name="fn", role="feed_forward", shape=shape, kind="matrix")
        yield Weight(name="base", role="feed_forward", shape=(self.coefficients,))
        yield Weight(name="scale", role="feed_forward", shape=(3 if self.mixes else 2,))

    def operations(self) -> Iterator[Operation]:
        """Yield the coefficients and what they weigh: one vector of D for each."""
        yield product("coefficients", "feed_forward", self.coefficients, self.streams * self.hidden)
        yield product("mixing", "feed_forward", self.coefficients, self.hidden)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class HyperHead:
    """The weights that join the streams after the last layer."""

    hidden: int
    streams: int

    def weights(self) -> Iterator[Weight]:
        """Yield the matrix [M, M*D], its base [M] and a scale [1].

        >>> sum(weight.elements for weight in HyperHead(hidden=4096, streams=4).weights())
        65541
        """
        shape = (self.streams, self.streams * self.hidden)
        yield Weight(name="hc_fn", role="feed_forward", shape=shape, kind="matrix")
        yield Weight(name="hc_base", role="feed_forward", shape=(self.streams,))
        yield Weight(name="hc_scale", role="feed_forward", shape=(1,))

    def operations(self) -> Iterator[Operation]:
        """Yield the coefficients and the joined stream."""
        yield product("coefficients", "feed_forward", self.streams, self.streams * self.hidden)
        yield product("joining", "feed_forward", self.streams, self.hidden)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
