"""RWKV-4: time mixing (a recurrence per channel) and channel mixing (a gated feed-forward layer).

Both blend each token with the one before, which is the shift that they keep.
Shapes: D hidden, A channels of the recurrence, F feed-forward size; weights are [out, in], the blending
vectors [1, 1, D]. Source: Peng et al. 2023, arXiv:2305.13048.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, product
from sizewise.tensors import Role, Weight, linear


def _blends(role: Role, hidden: int, *targets: str) -> Iterator[Weight]:
    """Yield the vectors [1, 1, D] that blend a token with the one before."""
    for target in targets:
        yield Weight(name=f"time_mix_{target}", role=role, shape=(1, 1, hidden))


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeMixing:
    """The recurrence: a numerator, a denominator and a running maximum for each of A channels."""

    hidden: int
    channels: int

    def weights(self) -> Iterator[Weight]:
        """Yield decay and bonus [A], three blending vectors, key, value and receptance [A, D], output [D, A].

        >>> sum(weight.elements for weight in TimeMixing(hidden=768, channels=768).weights())
        2363136
        """
        yield Weight(name="time_decay", role="state_space", shape=(self.channels,))
        yield Weight(name="time_first", role="state_space", shape=(self.channels,))
        yield from _blends("state_space", self.hidden, "key", "value", "receptance")
        yield from linear("key", "state_space", self.channels, self.hidden)
        yield from linear("value", "state_space", self.channels, self.hidden)
        yield from linear("receptance", "state_space", self.channels, self.hidden)
        yield from linear("output", "state_space", self.hidden, self.channels)

    def operations(self) -> Iterator[Operation]:
        """Yield the products and the scan.

        The scan costs six multiply-adds per channel: numerator and denominator of the output, then of
        the state, where a denominator needs one and a numerator two. Exponentials, maxima and the
        blending are not counted.
        """
        yield product("key", "state_space", self.channels, self.hidden)
        yield product("value", "state_space", self.channels, self.hidden)
        yield product("receptance", "state_space", self.channels, self.hidden)
        yield Operation(
            name="scan", role="state_space", kind="scan", macs=6 * self.channels, outputs=self.channels
        )
        yield product("output", "state_space", self.hidden, self.channels)

    def kept(self) -> Iterator[Kept]:
        """Yield the previous token's D numbers and the 3*A numbers of the recurrence."""
        yield SequenceState(shift=self.hidden, recurrent=3 * self.channels)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelMixing:
    """The feed-forward layer: value(relu(key)^2) gated by the receptance."""

    hidden: int
    width: int

    def weights(self) -> Iterator[Weight]:
        """Yield two blending vectors, key [F, D], receptance [D, D] and value [D, F].

        >>> sum(weight.elements for weight in ChannelMixing(hidden=768, width=3072).weights())
        5309952
        """
        yield from _blends("feed_forward", self.hidden, "key", "receptance")
        yield from linear("key", "feed_forward", self.width, self.hidden)
        yield from linear("receptance", "feed_forward", self.hidden, self.hidden)
        yield from linear("value", "feed_forward", self.hidden, self.width)

    def operations(self) -> Iterator[Operation]:
        """Yield the products."""
        yield product("key", "feed_forward", self.width, self.hidden)
        yield product("receptance", "feed_forward", self.hidden, self.hidden)
        yield product("value", "feed_forward", self.hidden, self.width)

    def kept(self) -> Iterator[Kept]:
        """Yield the previous token's D numbers."""
        yield SequenceState(shift=self.hidden)
