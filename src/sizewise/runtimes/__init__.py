"""Engines: how each allocates memory for what the layers keep. One file per engine.

An engine says how many tokens and columns it holds of each entry (`Extent`); `cache_line` multiplies
by layers, sequences, numbers and bytes and adds up. Every leaf shows a formula over its inputs.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from sizewise.ledger import Line, leaf, total
from sizewise.operations import Kept, SequenceState, TokenCache

RECURRENT_BYTES = 4
"""Bytes of a number of a recurrent state: engines keep it in fp32 whatever the model's precision."""

WIDE_INDEX_BYTES = 4
"""Bytes of an indexer's key that a class keeps in fp32."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheRequest:
    """What a cache has to hold: ``context`` tokens for each of ``sequences``.

    ``cache_bytes`` are the bytes of a cached key or value (with ``cache_block`` over 1, of a block of so
    many), ``state_bytes`` those of a number in the model's own precision (convolution inputs, token
    shifts). ``encoder_tokens`` are those that cross-attention sees; None means as many as ``context``.
    """

    context: int
    sequences: int
    cache_bytes: int
    state_bytes: int
    cache_block: int = 1
    encoder_tokens: int | None = None


class Runtime(Protocol):
    """An engine at a version."""

    @property
    def name(self) -> str:
        """The engine's name as in ``--runtime``."""
        ...

    @property
    def version(self) -> str:
        """The version whose habits are followed."""
        ...

    def cache(self, kept: Iterable[tuple[Kept, int]], request: CacheRequest) -> Line:
        """Return the bytes of the cache of all sequences at full context.

        ``kept`` pairs what a kind of layer keeps with the number of layers.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """How many tokens or columns of an entry are held: the number and its formula over ``inputs``."""

    amount: int
    formula: str
    inputs: Mapping[str, int] = field(default_factory=dict)


def context_extent(entry: TokenCache, request: CacheRequest) -> Extent:
    """Return all tokens that the layer can see: those of the encoder, or the whole context."""
    if entry.encoder and request.encoder_tokens is not None:
        tokens = request.encoder_tokens
        return Extent(amount=tokens, formula="encoder_tokens", inputs={"encoder_tokens": tokens})
    if entry.stride > 1:
        inputs = {"context": request.context, "stride": entry.stride}
        return Extent(amount=request.context // entry.stride, formula="(context // stride)", inputs=inputs)
    return Extent(amount=request.context, formula="context", inputs={"context": request.context})


def limited_extent(entry: TokenCache, request: CacheRequest) -> Extent:
    """Return the tokens that the layer still sees: at most its window or its chunk.

    >>> request = CacheRequest(context=8192, sequences=1, cache_bytes=2, state_bytes=2)
    >>> limited_extent(TokenCache(keys=256, values=256, window=512), request).formula
    'min(context, window)'
    """
    limit = reach(entry)
    if limit is None:
        return context_extent(entry, request)
    name, tokens = limit
    inputs = {"context": request.context, name: tokens}
    return Extent(amount=min(request.context, tokens), formula=f"min(context, {name})", inputs=inputs)


def reach(entry: TokenCache) -> tuple[str, int] | None:
    """Return what limits the tokens that a layer sees, as ("window" or "chunk", tokens)."""
    if entry.window is not None:
        return "window", entry.window
    return None if entry.chunk is None else ("chunk", entry.chunk)


def cache_line(
    kept: Iterable[tuple[Kept, int]],
    request: CacheRequest,
    *,
    tokens: Callable[[TokenCache, CacheRequest], Extent],
    columns: Callable[[SequenceState], Extent],
    source: str,
) -> Line:
    """Return the bytes of a cache, a part per kind of layer.

    ``tokens`` and ``columns`` are the engine's habits: how many tokens of a token cache, how many past
    inputs of a convolution it holds.
    """
    layers: Counter[Kept] = Counter()
    for entry, count in kept:
        layers[entry] += count
    leaves = []
    for entry, count in layers.items():
        if isinstance(entry, TokenCache):
            held = _held_tokens(entry, tokens(entry, request), request)
        else:
            held = _held_state(entry, columns(entry), request)
        leaves += [_leaf(one, count, request.sequences, source) for one in held]
    return total("cache", _grouped(leaves), "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """What one kind of layer holds: ``extent`` tokens or columns of ``numbers``, stored in blocks."""

    name: str
    numbers: int
    extent: Extent
    bytes_each: int
    block: int = 1


def _held_tokens(entry: TokenCache, extent: Extent, request: CacheRequest) -> Iterator[_Held]:
    """Yield the keys and values of a kind of layer, its indexer's keys and what waits for compression."""
    usual = request.cache_bytes, request.cache_block
    index = (WIDE_INDEX_BYTES, 1) if entry.wide_index else usual
    for name, numbers, (bytes_each, block) in (
        (_layer_name(entry), entry.keys + entry.values, usual),
        ("indexer keys", entry.index, index),
    ):
        if numbers:
            yield _Held(name=name, numbers=numbers, extent=extent, bytes_each=bytes_each, block=block)
    for name, numbers, amount, formula in (
        ("uncompressed tokens", entry.pending, request.context % entry.stride, "(context % stride)"),
        ("last stride", entry.overlap, min(1, request.context // entry.stride), "min(1, context // stride)"),
    ):
        if numbers:
            inputs = {"context": request.context, "stride": entry.stride}
            extent = Extent(amount=amount, formula=formula, inputs=inputs)
            yield _Held(name=name, numbers=numbers, extent=extent, bytes_each=request.state_bytes)


def _held_state(entry: SequenceState, columns: Extent, request: CacheRequest) -> Iterator[_Held]:
    """Yield what a kind of layer holds once per sequence."""
    once, own = Extent(amount=1, formula=""), request.state_bytes
    if entry.channels and columns.amount:
        yield _Held(name="convolution state", numbers=entry.channels, extent=columns, bytes_each=own)
    if entry.recurrent:
        numbers = entry.recurrent
        yield _Held(name="recurrent state", numbers=numbers, extent=once, bytes_each=RECURRENT_BYTES)
    if entry.memory:
        yield _Held(name="recurrent state", numbers=entry.memory, extent=once, bytes_each=own)
    if entry.shift:
        yield _Held(name="token shift", numbers=entry.shift, extent=once, bytes_each=own)


def _leaf(held: _Held, layers: int, sequences: int, source: str) -> Line:
    """Return layers * sequences * tokens (or columns) * numbers * bytes as a leaf."""
    blocked = held.block > 1
    row = "ceil(numbers / block) * bytes_per_block" if blocked else "numbers * bytes_per_number"
    factors = ("layers", "sequences", held.extent.formula, row)
    stored = {"block": held.block, "bytes_per_block": held.bytes_each}
    inputs = {
        "layers": layers,
        "sequences": sequences,
        **held.extent.inputs,
        "numbers": held.numbers,
        **(stored if blocked else {"bytes_per_number": held.bytes_each}),
    }
    blocks = -(-held.numbers // held.block)
    return leaf(
        held.name,
        layers * sequences * held.extent.amount * blocks * held.bytes_each,
        "bytes",
        formula=" * ".join(factor for factor in factors if factor),
        inputs=inputs,
        source=source,
        status="derived",
    )


def _layer_name(entry: TokenCache) -> str:
    """Return how a kind of layer is called: ``sliding attention (window 512)``."""
    if entry.encoder:
        return "cross attention"
    limit = reach(entry)
    suffix = f" ({limit[0]} {limit[1]:,})" if limit else ""
    if entry.latent:
        return f"latent{suffix}"
    if entry.stride > 1:
        return f"compressed attention ({entry.stride:,} tokens to 1)"
    kind = {None: "full", "window": "sliding", "chunk": "chunked"}[limit[0] if limit else None]
    return f"{kind} attention{suffix}"


def _grouped(leaves: list[Line]) -> list[Line]:
    """Put leaves of one name below a sum of that name, told apart by their width."""
    by_name: dict[str, list[Line]] = defaultdict(list)
    for line in leaves:
        by_name[line.name].append(line)
    return [
        alike[0] if len(alike) == 1 else total(name, [_by_width(line) for line in alike], "bytes")
        for name, alike in by_name.items()
    ]


def _by_width(line: Line) -> Line:
    return replace(line, name=f"{line.inputs['numbers']:,} numbers")
