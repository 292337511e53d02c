"""llama.cpp 0.5.0: the cells of its caches, allocated for the whole context at start.

Every sequence has a stream of its own unless the cache is unified. Cells come in multiples of 256; layers
with a window hold the window and one micro-batch; without flash attention the values of every layer are
as wide as the widest. Latent attention keeps its latent, or the keys and values of all heads, as the
architecture does. States of recurrences are fp32, once per sequence.
Source: llama.cpp 0.5.0, llama-kv-cache.cpp, llama-kv-cache-iswa.cpp, llama-memory-recurrent.cpp.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sizewise.architecture import Architecture
from sizewise.catalog.formats import CacheFormat
from sizewise.catalog.rows import tables
from sizewise.components.latent_attention import LatentAttention
from sizewise.errors import UsageError
from sizewise.ledger import Line, leaf, total
from sizewise.operations import Kept, SequenceState, TokenCache

STATE_BYTES = 4
SOURCE = "llama.cpp 0.5.0, llama-kv-cache.cpp"


@dataclass(frozen=True, slots=True, kw_only=True)
class LlamaCache:
    """How a cache is asked for: ``context`` tokens in all, for ``sequences`` streams.

    ``windows`` says that layers with a window get a cache of their own size.
    """

    context: int
    sequences: int
    keys: CacheFormat
    values: CacheFormat
    ubatch: int = 512
    flash_attention: bool = True
    windows: bool = True
    full_windows: bool = False
    unified: bool = False

    @property
    def streams(self) -> int:
        """Count the streams that have cells of their own."""
        return 1 if self.unified else self.sequences

    @property
    def cells(self) -> int:
        """Count the cells of a stream.

        >>> from sizewise.catalog.formats import cache_format
        >>> f16 = cache_format("f16")
        >>> LlamaCache(context=6000, sequences=4, keys=f16, values=f16).cells
        1536
        """
        return padded(padded(self.context) // self.streams)

    def window_cells(self, window: int) -> int:
        """Count the cells of a stream in a layer that sees ``window`` tokens."""
        if self.full_windows or not self.windows:
            return self.cells
        seen = window * (self.sequences if self.unified else 1)
        return padded(min(self.cells, seen + self.ubatch))


def padded(tokens: int) -> int:
    """Return the next multiple of the cells that are allocated together."""
    multiple: int = tables("runtimes")["llama_cpp"]["cells"]["multiple"]
    return -(-tokens // multiple) * multiple


def keeps_windows(architecture: str) -> bool:
    """Tell whether an architecture of llama.cpp gives layers with a window a smaller cache.

    >>> keeps_windows("gemma3"), keeps_windows("llama")
    (True, False)
    """
    return architecture in tables("runtimes")["llama_cpp"]["windows"]["architectures"]


def expands_latent(architecture: str) -> bool:
    """Tell whether an architecture of llama.cpp keeps the keys and values of all heads, not their latent.

    >>> expands_latent("minicpm3"), expands_latent("deepseek2")
    (True, False)
    """
    return architecture in tables("runtimes")["llama_cpp"]["expanded"]["architectures"]


def llama_kept(architecture: Architecture, *, expanded: bool) -> Iterator[tuple[Kept, int]]:
    """Yield what the layers keep with how often it is kept; latents as they are, or ``expanded``."""
    for place in architecture.language():
        times = len(place.layers) * place.uses
        component = place.component
        for entry in component.kept():
            if expanded and isinstance(component, LatentAttention):
                yield _expanded(component), times
            else:
                yield entry, times


def _expanded(layer: LatentAttention) -> TokenCache:
    """Return the keys and values of all heads."""
    return TokenCache(keys=layer.queries, values=layer.values, heads=layer.heads, window=layer.window)


def llama_cache(kept: Iterable[tuple[Kept, int]], cache: LlamaCache) -> Line:
    """Return the bytes of cache and states of all sequences, a part per kind of layer.

    Raises UsageError (bad_option) for a cache type that llama.cpp refuses for the model's heads, beside
    another one, or without flash attention.
    """
    entries = tuple(kept)
    if cache.keys != cache.values and any(_shared(entry) for entry, _ in entries):
        raise UsageError(
            "bad_option",
            f"llama.cpp keeps keys and values of this model as one: in {cache.keys.name} with values in "
            f"{cache.values.name} it does not start; name one type for both, e.g. -ctk f16 -ctv f16",
        )
    if cache.values.block > 1 and not cache.flash_attention:
        raise UsageError(
            "bad_option",
            f"llama.cpp keeps values in {cache.values.name} only with flash attention; add --flash-attn on",
        )
    widest = max((entry.values for entry, _ in entries if isinstance(entry, TokenCache)), default=0)
    lines = [
        line
        for entry, layers in entries
        for line in (
            _tokens(entry, layers, cache, widest)
            if isinstance(entry, TokenCache)
            else _state(entry, layers, cache.sequences)
        )
    ]
    return total("cache", lines, "bytes")


def _shared(entry: Kept) -> bool:
    """Tell whether one row serves as key and as value: a latent, or compressed tokens."""
    return isinstance(entry, TokenCache) and entry.keys > 0 and not entry.values


def _tokens(entry: TokenCache, layers: int, cache: LlamaCache, widest: int) -> Iterator[Line]:
    """Yield keys, values and indexer keys of layers that keep tokens; those of an encoder are not kept."""
    if entry.encoder:
        return
    limit = entry.window if entry.window is not None else entry.chunk
    cells = cache.cells if limit is None else cache.window_cells(limit)
    values = 0 if entry.latent or not entry.values else entry.values
    if values and not cache.flash_attention:
        values = widest
    kind = "full attention" if limit is None or cells == cache.cells else f"sliding attention ({limit:,})"
    rows = (
        ("latent" if entry.latent else "keys", entry.keys, cache.keys),
        ("values", values, cache.values),
        ("indexer keys", entry.index, cache.keys),
    )
    for name, numbers, format in rows:
        if numbers:
            _check_heads(numbers // max(entry.heads, 1) if name != "values" else 0, format)
            yield _cells_leaf(f"{kind}: {name}", layers, cache.streams, _Row(cells, entry, numbers, format))


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells of a stream, each a row of ``numbers`` in a format; strided layers keep fewer."""

    cells: int
    entry: TokenCache
    numbers: int
    format: CacheFormat

    @property
    def held(self) -> int:
        """Count the cells that a layer with a stride holds."""
        return self.cells if self.entry.stride == 1 else padded(-(-self.cells // self.entry.stride))


def _cells_leaf(name: str, layers: int, streams: int, row: _Row) -> Line:
    inputs = {
        "layers": layers,
        "streams": streams,
        "cells": row.held,
        "numbers": row.numbers,
        "block": row.format.block,
        "bytes_per_block": row.format.block_bytes,
    }
    return leaf(
        name,
        layers * streams * row.held * row.format.row_bytes(row.numbers),
        "bytes",
        formula="layers * streams * cells * ceil(numbers / block) * bytes_per_block",
        inputs=inputs,
        source=SOURCE,
        status="derived" if row.entry.stride == 1 else "assumed",
    )


def _check_heads(head: int, format: CacheFormat) -> None:
    """Refuse a quantized cache whose blocks do not divide a head."""
    if head % format.block:
        raise UsageError(
            "bad_option",
            f"llama.cpp refuses a cache in {format.name} here: a head of {head} numbers is no multiple of "
            f"{format.block}; use f16",
        )


def _state(entry: SequenceState, layers: int, sequences: int) -> Iterator[Line]:
    """Yield past inputs of convolutions (kernel - 1 columns), shifts and states of recurrences, in fp32."""
    columns = max(entry.kernel - 1, 0) * entry.channels
    for name, numbers in (
        ("convolution state", columns + entry.shift),
        ("recurrent state", entry.recurrent + entry.memory),
    ):
        if numbers:
            yield leaf(
                name,
                layers * sequences * numbers * STATE_BYTES,
                "bytes",
                formula="layers * sequences * numbers * bytes_per_number",
                inputs={
                    "layers": layers,
                    "sequences": sequences,
                    "numbers": numbers,
                    "bytes_per_number": STATE_BYTES,
                },
                source="llama.cpp 0.5.0, llama-memory-recurrent.cpp",
                status="derived",
            )
