"""Scores keys, or blocks of keys, with few small heads to choose the ones that attention sees.

Shapes: D hidden, G heads of size I that share one key; a fused projection is [(G+1)*I, D].
Source: DeepSeek-V3.2-Exp report, section 2.1 (the idea); names: modelling files of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIndexerNames:
    """Module names; ``fused`` is one matrix that holds queries and the key, empty when they are apart."""

    query: str = "q_proj"
    key: str = "k_proj"
    fused: str = ""
    query_norm: str = "q_norm"
    key_norm: str = "k_norm"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyIndexer:
    """The indexer of one layer; ``pooled`` keys are averaged into one before they are scored.

    What it keeps, I numbers per token, is part of the attention's cache.
    """

    hidden: int
    heads: int
    head_size: int
    pooled: int = 1
    names: KeyIndexerNames = KeyIndexerNames()

    @property
    def queries(self) -> int:
        """G*I features."""
        return self.heads * self.head_size

    def weights(self) -> Iterator[Weight]:
        """Yield [G*I, D] and [I, D], or both in one, and two norms [I].

        >>> indexer = KeyIndexer(hidden=6144, heads=4, head_size=128)
        >>> sum(weight.elements for weight in indexer.weights())
        3932416
        """
        names = self.names
        if names.fused:
            yield from linear(names.fused, "attention", self.queries + self.head_size, self.hidden)
        else:
            yield from linear(names.query, "attention", self.queries, self.hidden)
            yield from linear(names.key, "attention", self.head_size, self.hidden)
        for name in (names.query_norm, names.key_norm):
            yield Weight(name=f"{name}.weight", role="norm", shape=(self.head_size,))

    def operations(self) -> Iterator[Operation]:
        """Yield the products and the scores: G*I per key, or per group of pooled keys (rounded up)."""
        yield product("index_queries", "attention", self.queries, self.hidden, selects=True)
        yield product("index_keys", "attention", self.head_size, self.hidden, selects=True)
        yield Operation(
            name="index_scores",
            role="attention",
            kind="scores",
            macs_per_key=-(-self.queries // self.pooled),
            selects=True,
        )

    def kept(self) -> Iterator[Kept]:
        """Yield nothing: the attention keeps the indexer's keys beside its own."""
        return iter(())
