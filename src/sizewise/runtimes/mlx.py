"""mlx-lm 0.32: cache classes that grow by 256 tokens, rotate at a window, or keep states.

Which class a layer has is each model file's own choice: most types ignore their windows
(``facts/runtimes/mlx.toml``). Source: ``mlx_lm/models/cache.py`` and ``generate.py`` of 0.32.2; checked
against caches that small models of 36 types filled.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from sizewise.architecture import Architecture
from sizewise.catalog.rows import tables
from sizewise.components.latent_attention import LatentAttention
from sizewise.errors import InputError, UsageError
from sizewise.escaping import shorten
from sizewise.ledger import Line, leaf, total
from sizewise.operations import Kept, SequenceState, TokenCache
from sizewise.runtimes import CacheRequest, Extent, cache_line, reach

SOURCE = "mlx-lm 0.32.2, models/cache.py"
STEP = 256
"""Tokens by which a cache grows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habits:
    """What mlx-lm does with a model type: which limits its caches follow, what its states are kept in."""

    rotating: bool = False
    """Sliding layers have a cache as long as the window; else they keep every token."""
    chunked: bool = False
    """Chunked layers drop what lies before the chunk; else they keep every token."""
    expanded: bool = False
    """Latent attention keeps the keys and values of all heads."""
    padded_index: bool = False
    """Every layer has an indexer, whose cache has values as wide as its keys, all zero."""
    listed: bool = False
    """A layer has a list of caches, which is never quantized."""
    fp32_state: bool = True
    """Recurrent states are fp32; else in the model's own precision."""


def mlx_habits(model_type: str) -> Habits:
    """Return what mlx-lm does with a model type.

    Raises InputError (unsupported_architecture) where it has no such type.

    >>> mlx_habits("gemma3_text").rotating, mlx_habits("gemma2").rotating
    (True, False)
    """
    facts = tables("runtimes")["mlx"]
    if model_type not in facts["types"]:
        raise InputError(
            "unsupported_architecture",
            f"mlx-lm {facts['version']} has no model type {shorten(model_type)!r} whose cache is known here; "
            "choose another --runtime",
        )
    return Habits(
        rotating=model_type in facts["rotating"],
        chunked=model_type in facts["chunked"],
        expanded=model_type in facts["expanded"],
        padded_index=model_type in facts["padded_index"],
        listed=model_type in facts["listed"],
        fp32_state=model_type not in facts["own_precision"],
    )


def mlx_kept(architecture: Architecture, habits: Habits) -> Iterator[tuple[Kept, int]]:
    """Yield what the layers keep in mlx-lm with how often it is kept."""
    widest = max(
        (entry.index for entry, _ in architecture.kept() if isinstance(entry, TokenCache)), default=0
    )
    for place in architecture.language():
        times = len(place.layers) * place.uses
        for entry in place.component.kept():
            if habits.expanded and isinstance(place.component, LatentAttention):
                yield _expanded(place.component), times
            elif isinstance(entry, SequenceState) and not habits.fp32_state:
                yield replace(entry, recurrent=0, memory=entry.recurrent + entry.memory), times
            elif isinstance(entry, TokenCache) and habits.padded_index:
                yield replace(entry, index=2 * widest, wide_index=False), times
            else:
                yield entry, times


@dataclass(frozen=True, slots=True, kw_only=True)
class Mlx:
    """A model in mlx-lm: the ``habits`` of its type and the options of a run; `mlx_kept` says what it keeps.

    ``prompt`` of the tokens come at once, in pieces of ``prefill_step``. With ``cache_bits`` keys and
    values are quantized in groups of ``cache_group`` once ``quantized_start`` tokens are held.
    """

    name: ClassVar[str] = "mlx"
    version: ClassVar[str] = "0.32"

    habits: Habits = Habits()
    prompt: int = 1
    prefill_step: int = 2048
    cache_bits: int | None = None
    cache_group: int = 64
    quantized_start: int = 5000

    def cache(self, kept: Iterable[tuple[Kept, int]], request: CacheRequest) -> Line:
        """Return the bytes of the cache of all sequences at full context.

        Raises UsageError (bad_option) where mlx-lm cannot quantize a cache.
        """
        entries = list(kept)
        packed = [pair for pair in entries if self._quantized(pair[0], request)]
        plain = [pair for pair in entries if not self._quantized(pair[0], request)]
        lines = (self._line(plain, request), self._line(packed, self._groups(request)))
        return total("cache", [part for line in lines for part in line.parts], "bytes")

    def prompt_surplus(self, kept: Iterable[tuple[Kept, int]], request: CacheRequest) -> Line:
        """Return the bytes that rotating caches hold beyond `cache` while the context passes as one prompt.

        They keep window - 1 tokens and the last piece of the prompt until the next token comes.
        """
        leaves = [
            self._surplus(entry, layers, request)
            for entry, layers in kept
            if isinstance(entry, TokenCache) and self._limit(entry) is not None
        ]
        return total("cache while the prompt passes", leaves, "bytes")

    def _line(self, entries: list[tuple[Kept, int]], request: CacheRequest) -> Line:
        return cache_line(entries, request, tokens=self._tokens, columns=past_inputs, source=SOURCE)

    def _groups(self, request: CacheRequest) -> CacheRequest:
        """Return the request with a group of numbers, its scale and its bias as the block of the cache."""
        if self.cache_bits is None:
            return request
        group = self.cache_group * self.cache_bits // 8 + 2 * request.cache_bytes
        return replace(request, cache_block=self.cache_group, cache_bytes=group)

    def _quantized(self, entry: Kept, request: CacheRequest) -> bool:
        """Tell whether the keys and values of a layer are quantized."""
        if self.cache_bits is None or request.context < self.quantized_start or self.habits.listed:
            return False
        if not isinstance(entry, TokenCache) or self._limit(entry) == "chunk":
            return False
        if self._limit(entry) == "window" or entry.latent:
            kind = "latent" if entry.latent else "rotating"
            raise UsageError(
                "bad_option", f"mlx-lm cannot quantize a {kind} cache: leave the cache at 16 bits"
            )
        return True

    def _limit(self, entry: TokenCache) -> str | None:
        """Return what limits the tokens that the cache of a layer keeps."""
        limit = reach(entry)
        follows = {"window": self.habits.rotating, "chunk": self.habits.chunked}
        return limit[0] if limit is not None and follows[limit[0]] else None

    def _tokens(self, entry: TokenCache, request: CacheRequest) -> Extent:
        """Return the tokens that there is room for: whole steps, at most the window, a chunk and a step."""
        limit, context = self._limit(entry), request.context
        if limit == "chunk" and entry.chunk is not None and context > entry.chunk:
            inputs = {"chunk": entry.chunk, "step": STEP}
            return Extent(amount=entry.chunk + STEP, formula="(chunk + step)", inputs=inputs)
        inputs = {"context": context, "step": STEP}
        if limit != "window" or entry.window is None:
            return Extent(amount=_steps(context), formula="ceil(context / step) * step", inputs=inputs)
        start = min(self._started, context)
        inputs |= {"prompt": start, "window": entry.window}
        return Extent(
            amount=min(entry.window, start + _steps(context - start)),
            formula="min(window, prompt + ceil((context - prompt) / step) * step)",
            inputs=inputs,
        )

    @property
    def _started(self) -> int:
        """Count the tokens that a rotating cache takes over as they come: the prompt without its last token.

        A last piece of one token is written in place.
        """
        before = self.prompt - 1
        return before - 1 if before % self.prefill_step == 1 else before

    def _surplus(self, entry: TokenCache, layers: int, request: CacheRequest) -> Line:
        """Return layers * sequences * tokens beyond the cache * numbers * bytes."""
        limit, piece = reach(entry), self.prefill_step
        assert limit is not None, "only layers with a limit hold more for a while"
        pieces, rest = divmod(max(request.context - 1, 0), piece)
        kept = limit[1] - 1 if limit[0] == "window" else limit[1]
        widest = max(min(pieces * piece, kept + piece), min(pieces * piece, kept) + rest)
        held = self._tokens(entry, request).amount
        inputs = {
            **{"layers": layers, "sequences": request.sequences, "pieces": pieces, "piece": piece},
            **{"past": kept, "rest": rest, "held": held, "numbers": entry.keys + entry.values},
            "bytes_per_number": request.cache_bytes,
        }
        row = layers * request.sequences * (entry.keys + entry.values) * request.cache_bytes
        tokens = "max(min(pieces * piece, past + piece), min(pieces * piece, past) + rest, held) - held"
        return leaf(
            f"{limit[0]} {limit[1]:,}",
            row * (max(widest, held) - held),
            "bytes",
            formula=f"layers * sequences * ({tokens}) * numbers * bytes_per_number",
            inputs=inputs,
            source=SOURCE,
            status="derived",
        )


def past_inputs(state: SequenceState) -> Extent:
    """Return the columns of a convolution's state: kernel - 1."""
    inputs = {"kernel": state.kernel}
    return Extent(amount=max(state.kernel - 1, 0), formula="(kernel - 1)", inputs=inputs)


def _steps(tokens: int) -> int:
    """Round up to whole steps."""
    return -(-tokens // STEP) * STEP


def _expanded(layer: LatentAttention) -> TokenCache:
    """Return the keys and values of all heads."""
    return TokenCache(keys=layer.queries, values=layer.values, heads=layer.heads, window=layer.window)
