"""Attention to a window of tokens and to compressed entries, each of which stands for R tokens.

Shapes: D hidden, N query heads of size H that share one key, which is also the value; Q rank of the
queries, O rank of each of the G groups of the output. A compressor is heavy (entries side by side) or
sparse (entries overlap, and an indexer of I heads of size J picks the ones to attend to).
Source: DeepSeek-V4 report, section 2.3; names: modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sizewise.operations import Kept, Operation, TokenCache, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryIndexer:
    """Scores the compressed entries with small heads and leaves ``selected`` of them."""

    heads: int
    head_size: int
    selected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Compressor:
    """What makes one entry of ``rate`` tokens: overlapping and indexed, or side by side."""

    rate: int
    indexer: EntryIndexer | None = None

    @property
    def series(self) -> int:
        """Vectors that each token contributes: overlapping entries need two."""
        return 1 if self.indexer is None else 2

    def weights(self, prefix: str, hidden: int, size: int) -> Iterator[Weight]:
        """Yield positions [R, S*H], keys and gates [S*H, D] each, and a norm [H] (S series)."""
        width = self.series * size
        yield Weight(name=f"{prefix}.position_bias", role="attention", shape=(self.rate, width))
        yield from linear(f"{prefix}.kv_proj", "attention", width, hidden)
        yield from linear(f"{prefix}.gate_proj", "attention", width, hidden)
        yield Weight(name=f"{prefix}.kv_norm.weight", role="norm", shape=(size,))

    def operations(self, name: str, hidden: int, size: int) -> Iterator[Operation]:
        """Yield the products and the weighted sum: each token is part of S entries."""
        width = self.series * size
        yield product(f"{name}_keys_and_gates", "attention", width, hidden, times=2)
        yield Operation(name=f"{name}_sum", role="attention", kind="scan", macs=width, outputs=size)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressedAttention:
    """One layer of attention; without a compressor only the window is seen. Every number is a count."""

    hidden: int
    heads: int
    head_size: int
    query_rank: int
    groups: int
    output_rank: int
    window: int
    compressor: Compressor | None = None

    @property
    def queries(self) -> int:
        """N*H features."""
        return self.heads * self.head_size

    def weights(self) -> Iterator[Weight]:
        """Yield queries [Q, D] and [N*H, Q], the key [H, D], the grouped output and the compressor.

        >>> layer = CompressedAttention(hidden=4096, heads=64, head_size=512, query_rank=1024,
        ...                             groups=8, output_rank=1024, window=128)
        >>> sum(weight.elements for weight in layer.weights())
        106956352
        """
        inner = self.groups * self.output_rank
        yield Weight(name="sinks", role="attention", shape=(self.heads,))
        yield from linear("q_a_proj", "attention", self.query_rank, self.hidden)
        yield Weight(name="q_a_norm.weight", role="norm", shape=(self.query_rank,))
        yield from linear("q_b_proj", "attention", self.queries, self.query_rank)
        yield from linear("kv_proj", "attention", self.head_size, self.hidden)
        yield Weight(name="kv_norm.weight", role="norm", shape=(self.head_size,))
        yield from linear("o_a_proj", "attention", inner, self.queries // self.groups)
        yield from linear("o_b_proj", "attention", self.hidden, inner)
        if self.compressor is not None:
            yield from self.compressor.weights("compressor", self.hidden, self.head_size)
            yield from self._indexer_weights(self.compressor)

    def _indexer_weights(self, compressor: Compressor) -> Iterator[Weight]:
        """Yield the indexer's own compressor, its queries [I*J, Q] and the weights of its heads [I, D]."""
        indexer = compressor.indexer
        if indexer is not None:
            name = "compressor.indexer"
            yield from compressor.weights(name, self.hidden, indexer.head_size)
            queries = indexer.heads * indexer.head_size
            yield from linear(f"{name}.q_b_proj", "attention", queries, self.query_rank)
            yield from linear(f"{name}.scorer.weights_proj", "attention", indexer.heads, self.hidden)

    def operations(self) -> Iterator[Operation]:
        """Yield the products, the scores of the window and those of the entries.

        Scores per key cost H twice per query head. An entry stands for R tokens, so the work per token
        seen is the R-th part, rounded up.
        """
        inner = self.groups * self.output_rank
        yield product("query_latent", "attention", self.query_rank, self.hidden)
        yield product("queries", "attention", self.queries, self.query_rank)
        yield product("keys", "attention", self.head_size, self.hidden)
        yield Operation(
            name="scores",
            role="attention",
            kind="scores",
            macs_per_key=2 * self.queries,
            reach=self.window,
            outputs=self.queries,
            heads=self.heads,
        )
        if self.compressor is not None:
            yield from self.compressor.operations("compressor", self.hidden, self.head_size)
            yield from self._entry_scores(self.compressor)
        yield product("output_latent", "attention", inner, self.queries // self.groups)
        yield product("output", "attention", self.hidden, inner)

    def _entry_scores(self, compressor: Compressor) -> Iterator[Operation]:
        """Yield the scores of the compressed entries, and the indexer's where there is one."""
        rate, indexer = compressor.rate, compressor.indexer
        if indexer is not None:
            queries = indexer.heads * indexer.head_size
            for operation in compressor.operations("index", self.hidden, indexer.head_size):
                yield replace(operation, selects=True)
            yield product("index_queries", "attention", queries, self.query_rank, selects=True)
            yield product("index_weights", "attention", indexer.heads, self.hidden, selects=True)
            per_entry = queries + indexer.heads
            yield Operation(
                name="index_scores",
                role="attention",
                kind="scores",
                macs_per_key=-(-per_entry // rate),
                selects=True,
            )
        yield Operation(
            name="entry_scores",
            role="attention",
            kind="scores",
            macs_per_key=-(-2 * self.queries // rate),
            reach=None if indexer is None else indexer.selected * rate,
        )

    def kept(self) -> Iterator[Kept]:
        """Yield the window's keys, one entry per R tokens and the last entry's part of the next one.

        The transformers class keeps the keys of layers without a compressor a second time as values.

        >>> layer = CompressedAttention(hidden=64, heads=4, head_size=16, query_rank=8, groups=2,
        ...                             output_rank=4, window=128, compressor=Compressor(rate=128))
        >>> [(entry.keys, entry.stride, entry.pending) for entry in layer.kept()]
        [(16, 1, 0), (16, 128, 32)]
        """
        compressor = self.compressor
        yield TokenCache(keys=self.head_size, window=self.window, repeats=2 if compressor is None else 1)
        if compressor is not None:
            index = 0 if compressor.indexer is None else compressor.indexer.head_size
            each = self.head_size + index
            yield TokenCache(
                keys=self.head_size,
                index=index,
                stride=compressor.rate,
                pending=2 * compressor.series * each,
                overlap=2 * compressor.rate * each if compressor.indexer is not None else 0,
            )
