"""Grouped-query attention: N query heads share K key/value heads.

K = N is multi-head attention and K = 1 is multi-query attention.
Shapes: D hidden, N query heads, K key/value heads, H head size; weights are [out, in].
Source: Ainslie et al. 2023, arXiv:2305.13245; head norms: Henry et al. 2020, arXiv:2010.04245;
sinks: Xiao et al. 2023, arXiv:2309.17453.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sizewise.operations import Kept, Operation, TokenCache, product
from sizewise.tape.attention import attend
from sizewise.tape.norms import layer_norm, rms_norm
from sizewise.tape.rotary import rotate, scaled_by_position
from sizewise.tape.tape import Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight, linear

HeadNorm = Literal["none", "per_head", "full", "per_head_layer_norm", "every_head", "listed_heads"]
"""per_head: RMS over H shared by the heads · full: RMS over all heads' features ·
per_head_layer_norm: LayerNorm over H · every_head: an own scale [H] for each head, stored as one
[N, H] · listed_heads: the same, stored one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionNames:
    """Module names of the projections and norms, and how queries, keys and values are stored."""

    query: str = "q_proj"
    key: str = "k_proj"
    value: str = "v_proj"
    output: str = "o_proj"
    fused: str = ""
    """Name of one matrix that holds queries, keys and values; empty when they are apart."""
    query_norm: str = "q_norm"
    key_norm: str = "k_norm"
    transposed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedQueryAttention:
    """One layer of attention. Every number is a count."""

    hidden: int
    query_heads: int
    kv_heads: int
    head_size: int
    qkv_bias: bool = False
    key_bias: bool = True
    """Keys have a bias where queries and values have one."""
    out_bias: bool = False
    head_norm: HeadNorm = "none"
    gated: bool = False
    """The query projection is twice as wide: its second half gates the output."""
    sinks: bool = False
    """One learned logit per query head."""
    window: int | None = None
    chunk: int | None = None
    reach: int | None = None
    """Tokens that are attended to although all are kept; None: as many as window or chunk say."""
    cached: bool = True
    """Keys and values are kept for the next token; an encoder keeps none."""
    cross: bool = False
    """Keys and values come from the encoder's output."""
    repeated: bool = False
    """The transformers class repeats keys and values for every query head before it keeps them."""
    inputs: int | None = None
    """Features that queries, keys and values are projected from; None: the hidden size."""
    value_size: int | None = None
    """Features of a value head; None: as many as of a key head."""
    values_from_keys: bool = False
    """Values are the projected keys under another norm: there is no value projection."""
    borrowed: bool = False
    """Keys and values are those of an earlier layer: nothing is projected, nothing kept."""
    index_size: int = 0
    """Features per token that an indexer beside the layer keeps."""
    names: AttentionNames = AttentionNames()

    @property
    def queries(self) -> int:
        """N*H features."""
        return self.query_heads * self.head_size

    @property
    def keys(self) -> int:
        """K*H features."""
        return self.kv_heads * self.head_size

    @property
    def values(self) -> int:
        """K*H features, or those of K value heads where they have another size."""
        return self.kv_heads * (self.value_size or self.head_size)

    @property
    def outputs(self) -> int:
        """Features of the attended values of all N heads."""
        return self.query_heads * (self.value_size or self.head_size)

    @property
    def projected(self) -> int:
        """Features that queries, keys and values come from."""
        return self.inputs or self.hidden

    @property
    def _limit(self) -> int | None:
        """Tokens of a sequence from which on its layer needs a mask; an encoder looks so far to each side."""
        if self.window is None and self.chunk is None and self.reach and not self.cached:
            return self.reach // 2
        return self.chunk if self.window is None else self.window

    def weights(self) -> Iterator[Weight]:
        """Yield the projections [N*H, D], twice [K*H, D] and [D, N*H], their biases, norms and sinks."""
        names, transposed = self.names, self.names.transposed
        for name, outputs in self._projections():
            bias = self.qkv_bias and (self.key_bias or name != names.key)
            yield from linear(name, "attention", outputs, self.projected, bias=bias, transposed=transposed)
        yield from linear(
            names.output, "attention", self.hidden, self.outputs, bias=self.out_bias, transposed=transposed
        )
        yield from self._norms()
        if self.sinks:
            yield Weight(name="sinks", role="attention", shape=(self.query_heads,))

    def _projections(self) -> Iterator[tuple[str, int]]:
        """Yield the input projections as (name, outputs)."""
        names, queries = self.names, self.queries * (2 if self.gated else 1)
        if names.fused:
            yield names.fused, queries + self.keys + self.values
            return
        yield names.query, queries
        if not self.borrowed:
            yield names.key, self.keys
            if not self.values_from_keys:
                yield names.value, self.values

    def _norms(self) -> Iterator[Weight]:
        """Yield the norms of queries and keys."""
        queries, keys = (self.names.query_norm, self.query_heads), (self.names.key_norm, self.kv_heads)
        for name, count in (queries,) if self.borrowed else (queries, keys):
            if self.head_norm == "full":
                yield Weight(name=f"{name}.weight", role="norm", shape=(count * self.head_size,))
            elif self.head_norm in ("per_head", "per_head_layer_norm"):
                yield Weight(name=f"{name}.weight", role="norm", shape=(self.head_size,))
            elif self.head_norm == "every_head":
                yield Weight(name=f"{name}.weight", role="norm", shape=(count, self.head_size))
            elif self.head_norm == "listed_heads":
                for head in range(count):
                    yield Weight(name=f"{name}.norms.{head}.weight", role="norm", shape=(self.head_size,))
            if self.head_norm == "per_head_layer_norm":
                yield Weight(name=f"{name}.bias", role="norm", shape=(self.head_size,))

    def operations(self) -> Iterator[Operation]:
        """Yield the projections and the scores: Q·Kᵀ and P·V cost H each per query head and key."""
        doubled = 2 if self.gated else 1
        yield product("queries", "attention", self.queries * doubled, self.projected)
        if not self.borrowed:
            yield product("keys", "attention", self.keys, self.projected)
        if not self.borrowed and not self.values_from_keys:
            yield product("values", "attention", self.values, self.projected)
        limits = (self.reach, self.window, self.chunk)
        yield Operation(
            name="scores",
            role="attention",
            kind="scores",
            macs_per_key=self.queries + self.outputs,
            reach=next((limit for limit in limits if limit is not None), None),
            chunked=self.reach is None and self.window is None and self.chunk is not None,
            outputs=self.outputs,
            heads=self.query_heads,
            encoder_keys=self.cross,
        )
        yield product("output", "attention", self.hidden, self.outputs)

    def kept(self) -> Iterator[Kept]:
        """Yield a key and a value per token and key/value head.

        >>> layer = GroupedQueryAttention(hidden=4096, query_heads=32, kv_heads=8, head_size=128)
        >>> [entry.numbers for entry in layer.kept()]
        [2048]
        """
        if self.cached and not self.borrowed:
            yield TokenCache(
                keys=self.keys,
                values=self.values,
                index=self.index_size,
                heads=self.kv_heads,
                window=self.window,
                chunk=self.chunk,
                encoder=self.cross,
                repeats=self.query_heads // self.kv_heads if self.repeated else 1,
            )

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record projections, head norms, rotation, attention and the output projection."""
        queries, keys, values = self._record_inputs(tape, source)
        queries, gate = self._record_gate(tape, queries)
        if tape.style.clipped:
            queries, keys, values = (tape.unary("clamp", entry, "input") for entry in (queries, keys, values))
        queries = scaled_by_position(tape, self._record_turned(tape, queries, self.query_heads))
        keys = self._record_turned(tape, keys, self.kv_heads)
        attended = attend(
            tape,
            queries,
            keys,
            values,
            heads=self.query_heads,
            groups=1 if tape.style.picked_heads and self.repeated else self.query_heads // self.kv_heads,
            outputs=tape.tokens * self.outputs,
            window=self._limit,
            sinks=self.sinks,
        )
        if gate is not None:
            attended = tape.multiply(attended, tape.unary("sigmoid", gate, "output"))
        output = tape.linear(attended, self.hidden, joins=True, bias=self.out_bias)
        return tape.dropout(output, tape.style.residual_dropout * tape.style.mixer_drops)

    def _record_gate(self, tape: Tape, queries: Tensor) -> tuple[Tensor, Tensor | None]:
        """Record the second half of the query projection, a gate per feature: one head needs no copy."""
        if not self.gated:
            return queries, None
        both = tape.split(queries, (tape.tokens * self.queries,) * 2)
        return both[0], tape.copy(both[1]) if self.query_heads > 1 else both[1]

    def _record_turned(self, tape: Tape, source: Tensor, heads: int) -> Tensor:
        """Record the norm and the rotation of queries or keys."""
        normed = self._record_norm(tape, source, heads)
        turned = rotate(tape, normed, self.head_size, windowed=self._limit is not None)
        if tape.style.plain_head_norm and tape.style.rotary != "none":
            return layer_norm(tape, turned, self.head_size)
        return turned

    def _record_inputs(self, tape: Tape, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        if self.names.fused:
            fused = tape.linear(source, self.queries + self.keys + self.values, bias=self.qkv_bias)
            sizes = (self.queries, self.keys, self.values)
            queries, keys, values = tape.split(fused, (tape.tokens * size for size in sizes))
            if tape.style.picked_heads and (self.repeated or self.kv_heads < self.query_heads):
                keys, values = (self._record_picked(tape, entry) for entry in (keys, values))
            if 0 < tape.style.head_groups < self.query_heads:
                queries, keys, values = (tape.copy(entry) for entry in (queries, keys, values))
            return queries, keys, values
        queries = tape.linear(source, self.queries * (2 if self.gated else 1), bias=self.qkv_bias)
        keys = tape.linear(source, self.keys, bias=self.qkv_bias and self.key_bias)
        return queries, keys, tape.linear(source, self.values, bias=self.qkv_bias)

    def _record_picked(self, tape: Tape, source: Tensor) -> Tensor:
        """Record keys or values that a list of one place (8 bytes) picks, repeated if the class does so."""
        picked = tape.step("picked", (source,), source.numbers, source.width, extra=8)
        if not self.repeated:
            return picked
        repeat = tape.view if self.kv_heads == 1 else tape.copy
        return repeat(picked, source.numbers * self.query_heads // self.kv_heads)

    def _record_norm(self, tape: Tape, source: Tensor, heads: int) -> Tensor:
        if self.head_norm == "none":
            return source
        if self.head_norm in ("per_head_layer_norm", "every_head", "listed_heads"):
            return layer_norm(tape, source, self.head_size, scales=heads * self.head_size)
        return rms_norm(tape, source, heads * self.head_size if self.head_norm == "full" else self.head_size)
