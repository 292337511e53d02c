"""Pools of tokens and states that a number of bytes holds, and what a number of requests takes of them.

Source: SGLang 0.5.23, ``model_executor/pool_configurator.py``, ``mem_cache/kv_cache_configurator.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from sizewise.catalog.serving import sglang_defaults
from sizewise.ledger import Line, leaf, total
from sizewise.runtimes.sglang import SOURCE
from sizewise.runtimes.sglang.options import SglangOptions
from sizewise.runtimes.sglang.tokens import TokenCost

SLOT_BYTES = 4
"""Bytes of a token's place in the table of requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SglangPools:
    """What one device holds: tokens of the pools, slots of recurrent states, requests at once; bytes.

    ``requests`` may run at once, whatever their length; of the longest length ``full_requests`` fit in.
    """

    tokens: int
    sliding_tokens: int
    state_slots: int
    requests: int
    full_requests: int
    cache_bytes: int
    table_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What requests of the longest length take: tokens in full and in sliding layers, slots of states."""

    tokens: int
    sliding_tokens: int
    state_slots: int


def pools(cost: TokenCost, available: int, options: SglangOptions) -> SglangPools:
    """Return the pools of one device that ``available`` bytes hold.

    A recurrent model splits them: states take ratio / (1 + ratio), 0.9 by default, the tokens the rest.
    """
    slots, states = _state_slots(cost, available, options)
    rest = max(available - states, 0)
    page = _page(options)
    if cost.full:
        tokens = int(rest // _pair_bytes(cost, options)) // page * page
        windows = _windows(tokens, options) if cost.sliding else 0
    else:
        tokens = rest // cost.sliding // page * page if cost.sliding else options.context_length
        windows = tokens if cost.sliding else 0
    requests = _requests(tokens, slots, cost, options)
    one = demand(cost, 1, options)
    pairs = (tokens, one.tokens), (windows, one.sliding_tokens), (slots, one.state_slots)
    held = [has // each for has, each in pairs if each]
    return SglangPools(
        tokens=tokens,
        sliding_tokens=windows,
        state_slots=slots,
        requests=requests,
        full_requests=min(held, default=requests),
        cache_bytes=tokens * cost.full + windows * cost.sliding + states,
        table_bytes=(requests + 1) * options.context_length * SLOT_BYTES,
    )


def demand(cost: TokenCost, sequences: int, options: SglangOptions, *, prefix: int = 0) -> Demand:
    """Return what ``sequences`` requests of the longest length take of the pools, in whole pages.

    They begin with the same ``prefix`` tokens, which are kept once.

    Sliding layers with their own pool keep the window and one page more, recurrent layers the slots that
    SGLang counts for every request.
    """
    page = _page(options)
    length = -(-options.context_length // page) * page
    window = min(length, -(-(cost.window + page) // page) * page)
    shared = shared_tokens(cost, prefix, options)
    return Demand(
        tokens=sequences * length - (sequences - 1) * shared if cost.full else 0,
        sliding_tokens=sequences * window if cost.sliding else 0,
        state_slots=sequences * _slots_each(options) if cost.state else 0,
    )


def shares_prefix(cost: TokenCost) -> bool:
    """Tell whether every layer keeps all tokens in one pool."""
    return not cost.sliding and not cost.state


def shared_tokens(cost: TokenCost, prefix: int, options: SglangOptions) -> int:
    """Count the tokens of a common prefix that the radix cache keeps once: those of whole pages.

    The last token of a request is always computed. 0 beside pools of windows or states, which keep copies
    of their own.
    Source: SGLang 0.5.23, ``managers/schedule_batch.py``, ``mem_cache/radix_cache.py``.
    """
    if not shares_prefix(cost):
        return 0
    page = _page(options)
    return min(prefix, options.context_length - 1) // page * page


def cache_line(
    cost: TokenCost,
    sequences: int,
    options: SglangOptions,
    available: int | None = None,
    *,
    prefix: int = 0,
) -> Line:
    """Return the bytes of the pools that hold ``sequences`` requests of the longest length on one device.

    The pools are split by fixed ratios, so what one of them needs enlarges the others. ``available`` are
    the bytes that a named device has for them; it need not be larger than that where it holds them.
    """
    wanted = demand(cost, sequences, options, prefix=prefix)
    parts = []
    one = demand(cost, 1, options)
    if cost.full:
        shared = shared_tokens(cost, prefix, options) if prefix else None
        parts.append(_tokens_leaf("full attention", sequences, one.tokens, cost.full, shared))
    if cost.sliding:
        parts.append(_tokens_leaf("sliding attention", sequences, one.sliding_tokens, cost.sliding))
    if cost.state:
        slots = _slots_each(options)
        inputs = {"sequences": sequences, "slots": slots, "state_bytes": cost.state}
        amount = (wanted.state_slots + 1) * cost.state
        parts.append(_leaf("recurrent state", amount, "(sequences * slots + 1) * state_bytes", inputs))
    unused = needed_bytes(cost, wanted, options, available) - sum(int(part.value) for part in parts)
    if unused > 0:
        parts.append(_leaf("unused by the pools' fixed split", unused, "", {}))
    return total("cache", parts, "bytes")


def _tokens_leaf(name: str, sequences: int, tokens: int, each: int, shared: int | None = None) -> Line:
    """Return what layers keep of sequences; ``shared`` tokens of them once (None: nothing in common)."""
    inputs = {"sequences": sequences, "tokens": tokens, "token_bytes": each}
    if shared is None:
        return _leaf(name, sequences * tokens * each, "sequences * tokens * token_bytes", inputs)
    kept = sequences * tokens - (sequences - 1) * shared
    formula = "(sequences * tokens - (sequences - 1) * shared_tokens) * token_bytes"
    return _leaf(name, kept * each, formula, {**inputs, "shared_tokens": shared})


def needed_bytes(
    cost: TokenCost, wanted: Demand, options: SglangOptions, available: int | None = None
) -> int:
    """Return the bytes of pools that hold a demand; never more than ``available`` where that holds it."""
    tokens = ceil(_pool_tokens(cost, wanted, options) * _pair_bytes(cost, options))
    if not cost.state:
        return tokens
    told = _told_slots(options)
    states = (max(wanted.state_slots, told or 0) + 1) * cost.state
    if told is not None:
        return tokens + states
    ratio = _state_ratio(options)
    needed = max(ceil(states * (1 + ratio) / ratio), ceil(tokens * (1 + ratio)))
    if available is not None and available < needed and _holds(pools(cost, available, options), wanted):
        return available
    return needed


def _holds(found: SglangPools, wanted: Demand) -> bool:
    return (
        found.tokens >= wanted.tokens
        and found.sliding_tokens >= wanted.sliding_tokens
        and found.state_slots >= wanted.state_slots
    )


def _pool_tokens(cost: TokenCost, wanted: Demand, options: SglangOptions) -> int:
    """Count the tokens of the pools that a demand needs: those of full layers, or more for the windows."""
    if not cost.full:
        return wanted.sliding_tokens
    page, tokens = _page(options), wanted.tokens
    if cost.sliding and _windows(tokens, options) < wanted.sliding_tokens:
        tokens = ceil(wanted.sliding_tokens / _window_ratio(options))
        tokens = -(-tokens // page) * page
    return tokens


def _pair_bytes(cost: TokenCost, options: SglangOptions) -> Fraction:
    """Return the bytes of one token of the pools, with its share of the pool of windows."""
    return cost.full + _window_ratio(options) * cost.sliding if cost.full else Fraction(cost.sliding)


def _windows(tokens: int, options: SglangOptions) -> int:
    """Count the tokens of the pool of windows beside ``tokens`` in full layers."""
    page = _page(options)
    return int(tokens * _window_ratio(options)) // page * page


def _window_ratio(options: SglangOptions) -> Fraction:
    return Fraction(str(options.swa_full_tokens_ratio or sglang_defaults()["window_ratio"]))


def _state_ratio(options: SglangOptions) -> Fraction:
    return Fraction(str(options.mamba_full_memory_ratio or sglang_defaults()["state_ratio"]))


def _page(options: SglangOptions) -> int:
    return options.page_size or int(sglang_defaults()["page_tokens"])


def _leaf(name: str, amount: int, formula: str, inputs: Mapping[str, int]) -> Line:
    return leaf(name, amount, "bytes", formula=formula, inputs=inputs, source=SOURCE, status="derived")


def _state_slots(cost: TokenCost, available: int, options: SglangOptions) -> tuple[int, int]:
    """Return the slots of recurrent states and their bytes, one slot of padding included."""
    if not cost.state:
        return 0, 0
    slots = _told_slots(options)
    if slots is None:
        ratio = _state_ratio(options)
        slots = max(int(available * ratio / (1 + ratio)) // cost.state - 1, 0)
    return slots, (slots + 1) * cost.state


def _told_slots(options: SglangOptions) -> int | None:
    """Return the slots of states where the options say them; None: they follow from the memory."""
    if options.max_mamba_cache_size is None and options.disable_radix_cache:
        return options.max_running_requests
    return options.max_mamba_cache_size


def _slots_each(options: SglangOptions) -> int:
    """Count the slots of states for one request: its own, and those that the prefix cache keeps."""
    if options.disable_radix_cache:
        return 1
    constants = sglang_defaults()
    extra = int(constants["extra_slots"]) if options.mamba_extra_buffer else 0
    return int(constants["base_slots"]) + extra


def _requests(tokens: int, slots: int, cost: TokenCost, options: SglangOptions) -> int:
    """Count the requests that may run at once: by tokens, by what was asked, by slots of states."""
    constants = sglang_defaults()
    found = options.max_running_requests
    if found is None:
        found = int(tokens / options.context_length * constants["request_ratio"])
        found = max(min(found, int(constants["most_requests"])), int(constants["least_requests"]))
    found = min(found, tokens // 2)
    return min(found, slots // _slots_each(options)) if cost.state else found
