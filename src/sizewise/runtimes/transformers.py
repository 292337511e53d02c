"""transformers 5.23: the tensors that its cache objects hold after decoding up to the context.

Source: ``src/transformers/cache_utils.py`` of version 5.23.0; checked against measured caches of 20
model types.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from sizewise.catalog.devices import Device
from sizewise.catalog.overheads import eager_classes
from sizewise.footprint.buffers import Prefill, prefill_buffers
from sizewise.ledger import Line, leaf
from sizewise.operations import Kept, SequenceState, TokenCache
from sizewise.runtimes import CacheRequest, Extent, cache_line, context_extent, limited_extent, reach
from sizewise.runtimes.working import Part, Working, cache_request, fixed_overhead, whole_device
from sizewise.scenario import Scenario

SOURCE = "transformers 5.23, cache_utils.py"
COUNTER_BYTES = 8


def grown_tokens(entry: TokenCache, request: CacheRequest) -> Extent:
    """Return the tokens of a DynamicCache layer: all, or the last window - 1 (the new one comes on top).

    A window of 1 keeps every token: the class cuts ``[-window + 1:]``, which is ``[0:]``.
    """
    limit = reach(entry)
    if limit is None or limit[1] == 1:
        return context_extent(entry, request)
    name, tokens = limit
    return Extent(
        amount=min(request.context, tokens - 1),
        formula=f"min(context, {name} - 1)",
        inputs={"context": request.context, name: tokens},
    )


def held_columns(state: SequenceState) -> Extent:
    """Return the columns of a convolution's state: as many as the kernel, one more than needed."""
    return Extent(amount=state.kernel, formula="kernel", inputs={"kernel": state.kernel})


def repeated_heads(kept: tuple[Kept, int]) -> tuple[Kept, int]:
    """Return the entry with as many keys and values as the class keeps: some repeat their heads first."""
    entry, layers = kept
    if isinstance(entry, SequenceState) or entry.repeats == 1:
        return kept
    times = entry.repeats
    return replace(entry, keys=entry.keys * times, values=entry.values * times, repeats=1), layers


@dataclass(frozen=True, slots=True, kw_only=True)
class Transformers:
    """DynamicCache, which grows with the tokens, or StaticCache, allocated for the context at once."""

    name: ClassVar[str] = "transformers"
    version: ClassVar[str] = "5.23"

    static: bool = False

    def cache(self, kept: Iterable[tuple[Kept, int]], request: CacheRequest) -> Line:
        """Return the bytes of the cache of all sequences at full context, without `counters`."""
        tokens = limited_extent if self.static else grown_tokens
        return cache_line(
            map(repeated_heads, kept), request, tokens=tokens, columns=held_columns, source=SOURCE
        )

    def usable(self, device: Device, scenario: Scenario) -> int:
        """Return all usable bytes of a device."""
        return whole_device(device, scenario)

    def working(self, part: Part) -> Working:
        """Return cache, buffers of a prefill of the whole context, and overhead."""
        scenario = part.scenario
        prefill = Prefill(
            tokens=scenario.context,
            sequences=part.sequences,
            number_bytes=scenario.number_bytes,
            eager=_writes_scores(part),
            static=scenario.engine.static_cache,
        )
        engine = replace(self, static=scenario.engine.static_cache)
        return Working(
            cache=engine.cache(part.cached.kept(), cache_request(part)),
            buffers=prefill_buffers(part.whole, prefill),
            overhead=fixed_overhead(self.name),
        )

    def counters(self, kept: Iterable[tuple[Kept, int]]) -> Line:
        """Return the bytes of the token counters of a StaticCache: one per layer, one more per indexer."""
        counters = sum(
            layers * (2 if entry.index else 1)
            for entry, layers in kept
            if self.static and isinstance(entry, TokenCache)
        )
        return leaf(
            "counters",
            counters * COUNTER_BYTES,
            "bytes",
            formula="counters * bytes_per_counter",
            inputs={"counters": counters, "bytes_per_counter": COUNTER_BYTES},
            source=SOURCE,
            status="derived",
        )


def _writes_scores(part: Part) -> bool:
    """Tell whether the class writes out the attention scores of all heads."""
    asked = part.scenario.engine.attention
    return asked == "eager" or (asked == "auto" and part.whole.model_class in eager_classes())
