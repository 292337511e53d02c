"""Disentangled attention: scores between contents and relative positions beside those of contents.

Shapes: D hidden, A features of all heads, R relative positions; the projections of the positions are
[A, D]. Source: He et al. 2020, arXiv:2006.03654 (DeBERTa).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionScores:
    """What relative positions add to the scores of one layer. Every number is a count."""

    hidden: int
    features: int
    positions: int
    content_to_position: bool
    position_to_content: bool
    projected: bool
    """Positions have projections of their own; otherwise those of queries and keys serve them too."""

    def weights(self) -> Iterator[Weight]:
        """Yield the projections of positions, key [A, D] and query [A, D], with biases.

        >>> scores = PositionScores(
        ...     hidden=768,
        ...     features=768,
        ...     positions=512,
        ...     content_to_position=True,
        ...     position_to_content=True,
        ...     projected=True,
        ... )
        >>> sum(weight.elements for weight in scores.weights())
        1181184
        """
        if self.projected and self.content_to_position:
            yield from linear("pos_key_proj", "attention", self.features, self.hidden, bias=True)
        if self.projected and self.position_to_content:
            yield from linear("pos_query_proj", "attention", self.features, self.hidden, bias=True)

    def operations(self) -> Iterator[Operation]:
        """Yield the scores of a token with all R positions; projecting those is done once, not per token."""
        kinds = self.content_to_position + self.position_to_content
        if kinds:
            yield Operation(
                name="position scores",
                role="attention",
                macs=kinds * self.positions * self.features,
                outputs=kinds * self.positions,
            )

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
