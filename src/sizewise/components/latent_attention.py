"""Multi-head latent attention: keys and values of all heads are expanded from one cached latent.

Shapes: D hidden, N heads, Q rank of the queries, C rank of keys and values, P and R features of a head
without and with rotary positions, V value features of a head; weights are [out, in]. A layer may own
an indexer (G heads of size I) that picks the keys to attend to.
Source: DeepSeek-V2, arXiv:2405.04434, section 2.1; indexer: DeepSeek-V3.2-Exp report, section 2.1;
names: modelling files of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, TokenCache, product
from sizewise.tape.attention import attend
from sizewise.tape.norms import rms_norm
from sizewise.tape.rotary import rotate_whole, scaled_by_position
from sizewise.tape.tape import WIDE, NotRecordable, Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class Indexer:
    """Scores every cached token with few small heads and keeps one key per token for it.

    Its queries come from the latent of the attention's queries, so a layer with an indexer has one.
    """

    hidden: int
    query_rank: int
    heads: int
    head_size: int
    pool: int = 0
    """Tokens whose keys are joined by learned gates before they are scored; 0: each is scored."""

    wide: bool = False
    """The class keeps the keys in fp32."""

    @property
    def numbers(self) -> int:
        """Numbers kept per token: the key, and with pools its gate and a mark that it counts."""
        return 2 * self.head_size + 1 if self.pool else self.head_size

    def weights(self) -> Iterator[Weight]:
        """Yield [G*I, Q], [I, D] with the LayerNorm of the key, and the weights of the heads [G, D].

        Pools of p tokens have positions [p, I] and a gate [I, D].
        """
        yield from linear("indexer.wq_b", "attention", self.heads * self.head_size, self.query_rank)
        yield from linear("indexer.wk", "attention", self.head_size, self.hidden)
        yield Weight(name="indexer.k_norm.weight", role="norm", shape=(self.head_size,))
        yield Weight(name="indexer.k_norm.bias", role="norm", shape=(self.head_size,))
        yield from linear("indexer.weights_proj", "attention", self.heads, self.hidden)
        if self.pool:
            name = "indexer.index_kpool_compress"
            yield Weight(name=f"{name}_ape", role="attention", shape=(self.pool, self.head_size))
            gate = (self.head_size, self.hidden)
            yield Weight(name=f"{name}_gate", role="attention", shape=gate, kind="matrix")

    def operations(self) -> Iterator[Operation]:
        """Yield the products, and the scores of all keys with their weighted sum over the heads."""
        yield product(
            "index_queries", "attention", self.heads * self.head_size, self.query_rank, selects=True
        )
        yield product("index_keys", "attention", self.head_size, self.hidden, selects=True)
        yield product("index_weights", "attention", self.heads, self.hidden, selects=True)
        if self.pool:
            yield product("index_gates", "attention", self.head_size, self.hidden, selects=True)
        yield Operation(
            name="index_scores",
            role="attention",
            kind="scores",
            macs_per_key=-(-self.heads * (self.head_size + 1) // max(self.pool, 1)),
            selects=True,
        )

    def record(self, tape: Tape) -> None:
        """Record the fp32 scores of all pairs of tokens by every small head: nothing is kept of them."""
        if self.pool:
            raise NotRecordable("an indexer of pooled keys")
        pairs = tape.tokens * tape.setting.sequence
        scores = tape.step("index scores", (), pairs * self.heads, WIDE)
        cut = tape.step("index scores", (scores,), scores.numbers, WIDE)
        tape.step("index", (cut,), pairs, WIDE)


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentAttention:
    """One layer of latent attention. Every number is a count."""

    hidden: int
    heads: int
    query_rank: int | None
    """Rank of the queries; None when they come straight from the hidden state."""
    latent_rank: int
    plain_size: int
    rotary_size: int
    value_size: int
    bias: bool = False
    """The projections to the latents and out have a bias; those from the latents never."""
    indexer: Indexer | None = None
    selected: int | None = None
    """Keys that an indexer, this layer's or an earlier one's, leaves to attend to."""
    window: int | None = None
    gated: bool = False
    """The latent of the queries, normed and as it is, becomes queries and a gate of the output at once."""
    borrowed: bool = False
    """The latent of keys and values is that of an earlier layer: it is not projected, not kept."""

    @property
    def queries(self) -> int:
        """N*(P+R) features; expanded keys have as many."""
        return self.heads * (self.plain_size + self.rotary_size)

    @property
    def latent(self) -> int:
        """C+R features: the latent and the rotary key that all heads share."""
        return self.latent_rank + self.rotary_size

    @property
    def expanded(self) -> int:
        """N*(P+V) features: plain keys and values of all heads."""
        return self.heads * (self.plain_size + self.value_size)

    @property
    def values(self) -> int:
        """N*V features."""
        return self.heads * self.value_size

    def weights(self) -> Iterator[Weight]:
        """Yield queries ([Q, D], [N*(P+R), Q]), latent [C+R, D], expansion [N*(P+V), C] and output.

        >>> layer = LatentAttention(hidden=7168, heads=128, query_rank=1536, latent_rank=512,
        ...                         plain_size=128, rotary_size=64, value_size=128)
        >>> sum(weight.elements for weight in layer.weights())
        187107328
        """
        yield from self._query_weights()
        if not self.borrowed:
            yield from linear("kv_a_proj_with_mqa", "attention", self.latent, self.hidden, bias=self.bias)
            yield Weight(name="kv_a_layernorm.weight", role="norm", shape=(self.latent_rank,))
        yield from linear("kv_b_proj", "attention", self.expanded, self.latent_rank)
        yield from linear("o_proj", "attention", self.hidden, self.values, bias=self.bias)
        if self.indexer is not None:
            yield from self.indexer.weights()

    def _query_weights(self) -> Iterator[Weight]:
        if self.query_rank is None:
            yield from linear("q_proj", "attention", self.queries, self.hidden)
            return
        yield from linear("q_a_proj", "attention", self.query_rank, self.hidden, bias=self.bias)
        yield Weight(name="q_a_layernorm.weight", role="norm", shape=(self.query_rank,))
        if self.gated:
            yield from linear("q_gate_proj", "attention", self.queries + self.values, 2 * self.query_rank)
        else:
            yield from linear("q_b_proj", "attention", self.queries, self.query_rank)

    def operations(self) -> Iterator[Operation]:
        """Yield the products and the scores with expanded keys: N*(P+R) and N*V per key.

        Each token's latent is expanded once, as in training and prefill. Engines that fold the
        expansion into queries and outputs pay N*(2C+R) per key instead and skip the expansion.
        """
        yield from self._query_operations()
        if not self.borrowed:
            yield product("latent", "attention", self.latent, self.hidden)
        yield product("expansion", "attention", self.expanded, self.latent_rank)
        if self.indexer is not None:
            yield from self.indexer.operations()
        yield Operation(
            name="scores",
            role="attention",
            kind="scores",
            macs_per_key=self.queries + self.values,
            reach=self.selected if self.window is None else self.window,
            outputs=self.values,
            heads=self.heads,
        )
        yield product("output", "attention", self.hidden, self.values)

    def _query_operations(self) -> Iterator[Operation]:
        if self.query_rank is None:
            yield product("queries", "attention", self.queries, self.hidden)
            return
        yield product("query_latent", "attention", self.query_rank, self.hidden)
        if self.gated:
            yield product("queries_and_gate", "attention", self.queries + self.values, 2 * self.query_rank)
        else:
            yield product("queries", "attention", self.queries, self.query_rank)

    def kept(self) -> Iterator[Kept]:
        """Yield one latent of C+R numbers per token, and the indexer's key where the layer has one.

        >>> layer = LatentAttention(hidden=7168, heads=128, query_rank=1536, latent_rank=512,
        ...                         plain_size=128, rotary_size=64, value_size=128)
        >>> [entry.numbers for entry in layer.kept()]
        [576]
        """
        index = 0 if self.indexer is None else self.indexer.numbers
        if index or not self.borrowed:
            latent = 0 if self.borrowed else self.latent
            wide = self.indexer is not None and self.indexer.wide
            yield TokenCache(keys=latent, index=index, window=self.window, latent=True, wide_index=wide)

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record queries, the latent and its expansion, attention with expanded keys, the output."""
        if self.window is not None or self.gated or self.borrowed:
            raise NotRecordable("latent attention with a window, a gate or a borrowed latent")
        if self.indexer is not None:
            self.indexer.record(tape)
        queries = self._record_queries(tape, source)
        keys, values = self._record_expansion(tape, source)
        attended = attend(
            tape,
            queries,
            keys,
            values,
            heads=self.heads,
            groups=1,
            outputs=tape.tokens * self.values,
            window=None if self.selected is None else 0,
        )
        return tape.linear(attended, self.hidden, joins=True, bias=self.bias)

    def _record_queries(self, tape: Tape, source: Tensor) -> Tensor:
        """Record queries whose last R features per head are turned: plain and turned ones are joined anew."""
        if self.query_rank is None:
            queries = tape.linear(source, self.queries)
        else:
            latent = tape.linear(source, self.query_rank, bias=self.bias)
            queries = tape.linear(rms_norm(tape, latent, self.query_rank), self.queries)
        plain, rotary = tape.split(
            queries, (tape.tokens * self.heads * size for size in (self.plain_size, self.rotary_size))
        )
        turned = rotate_whole(tape, rotary, self.rotary_size)
        joined = tape.step("join", (plain, turned), queries.numbers, queries.width)
        scaled = scaled_by_position(tape, joined)
        scaled.heads_first = True
        return scaled

    def _record_expansion(self, tape: Tape, source: Tensor) -> tuple[Tensor, Tensor]:
        """Record keys, which are new memory, and values, a look at the expansion."""
        both = tape.linear(source, self.latent, bias=self.bias)
        latent, rotary = tape.split(both, (tape.tokens * self.latent_rank, tape.tokens * self.rotary_size))
        turned = rotate_whole(tape, rotary, self.rotary_size)
        normed = rms_norm(tape, latent, self.latent_rank)
        expanded = tape.linear(normed, self.expanded)
        plain, values = tape.split(
            expanded, (tape.tokens * self.heads * self.plain_size, tape.tokens * self.values)
        )
        keys = tape.step("join", (plain, turned), tape.tokens * self.queries, expanded.width)
        return keys, values
