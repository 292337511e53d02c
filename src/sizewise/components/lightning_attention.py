"""Lightning attention: linear attention with a fixed decay per head and a gated, normed output.

Shapes: D hidden, N heads of size H, P = N*H features; ``qkv_proj`` is [3P, D], the state of a head
[H, H]. Source: Qin et al. 2024, arXiv:2401.04658; MiniMax-01 2025, arXiv:2501.08313.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, SequenceState, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class LightningAttention:
    """One mixer. Every number is a count."""

    hidden: int
    heads: int
    head_size: int

    @property
    def features(self) -> int:
        """N*H features."""
        return self.heads * self.head_size

    def weights(self) -> Iterator[Weight]:
        """Yield the norm [P], the fused projection [3P, D], the output [D, P] and its gate [P, D].

        >>> layer = LightningAttention(hidden=6144, heads=64, head_size=128)
        >>> sum(weight.elements for weight in layer.weights())
        251666432
        """
        yield Weight(name="norm.weight", role="norm", shape=(self.features,))
        yield from linear("qkv_proj", "state_space", 3 * self.features, self.hidden)
        yield from linear("out_proj", "state_space", self.hidden, self.features)
        yield from linear("output_gate", "state_space", self.features, self.hidden)

    def operations(self) -> Iterator[Operation]:
        """Yield the projections and the scan.

        The scan costs three multiply-adds per number of the state (decay, write, read), as the
        recurrence does it one token at a time.
        """
        yield product("queries_keys_values", "state_space", 3 * self.features, self.hidden)
        yield Operation(
            name="scan",
            role="state_space",
            kind="scan",
            macs=3 * self.features * self.head_size,
            outputs=self.features,
        )
        yield product("gate", "state_space", self.features, self.hidden)
        yield product("output", "state_space", self.hidden, self.features)

    def kept(self) -> Iterator[Kept]:
        """Yield the state of N*H*H numbers, which the class keeps in the model's own precision."""
        yield SequenceState(memory=self.features * self.head_size)
