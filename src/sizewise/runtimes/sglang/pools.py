"""Pools of tokens and states that a number of bytes holds, and what a number of requests takes of them.

Source: SGLang 0.5.23, ``model_executor/pool_configurator.py``, ``mem_cache/kv_cache_configurator.py``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from sizewise.catalog.serving import sglang_defaults
from sizewise.ledger import Line, leaf, total
from sizewise.runtimes.sglang import SOURCE
from sizewise.runtimes.sglang.options import SglangOptions
from sizewise.runtimes.sglang.tokens import TokenCost

SLOT_BYTES = 4
"""Bytes of a token's place in the table of requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SglangPools:
    """What one device holds: tokens of the pools, slots of recurrent states, requests at once; bytes."""

    tokens: int
    sliding_tokens: int
    state_slots: int
    requests: int
    cache_bytes: int
    table_bytes: int


def pools(cost: TokenCost, available: int, options: SglangOptions) -> SglangPools:
    """Return the pools of one device that ``available`` bytes hold.

    A recurrent model splits them: states take ratio / (1 + ratio), 0.9 by default, the tokens the rest.
    """
    slots, states = _state_slots(cost, available, options)
    rest = max(available - states, 0)
    page = options.page_size or int(sglang_defaults()["page_tokens"])
    ratio = Fraction(str(options.swa_full_tokens_ratio or sglang_defaults()["window_ratio"]))
    if cost.full:
        each = cost.full + ratio * cost.sliding
        tokens = int(rest // each) // page * page
        windows = int(tokens * ratio) // page * page if cost.sliding else 0
    else:
        tokens = rest // cost.sliding // page * page if cost.sliding else options.context_length
        windows = tokens if cost.sliding else 0
    requests = _requests(tokens, slots, cost, options)
    return SglangPools(
        tokens=tokens,
        sliding_tokens=windows,
        state_slots=slots,
        requests=requests,
        cache_bytes=tokens * cost.full + windows * cost.sliding + states,
        table_bytes=(requests + 1) * options.context_length * SLOT_BYTES,
    )


def cache_line(cost: TokenCost, sequences: int, options: SglangOptions) -> Line:
    """Return the bytes that ``sequences`` requests of the longest length take on one device.

    Sliding layers with their own pool keep the window and one page more, recurrent layers one state per
    request (what the prefix cache keeps besides may be given up) and one slot of padding.
    """
    page = options.page_size or int(sglang_defaults()["page_tokens"])
    length = -(-options.context_length // page) * page
    parts = []
    for name, tokens, each in (
        ("full attention", length, cost.full),
        ("sliding attention", min(length, cost.window + page), cost.sliding),
    ):
        if each:
            inputs = {"sequences": sequences, "tokens": tokens, "token_bytes": each}
            amount = sequences * tokens * each
            parts.append(_leaf(name, amount, "sequences * tokens * token_bytes", inputs))
    if cost.state:
        inputs = {"sequences": sequences, "state_bytes": cost.state}
        amount = (sequences + 1) * cost.state
        parts.append(_leaf("recurrent state", amount, "(sequences + 1) * state_bytes", inputs))
    return total("cache", parts, "bytes")


def _leaf(name: str, amount: int, formula: str, inputs: Mapping[str, int]) -> Line:
    return leaf(name, amount, "bytes", formula=formula, inputs=inputs, source=SOURCE, status="derived")


def _state_slots(cost: TokenCost, available: int, options: SglangOptions) -> tuple[int, int]:
    """Return the slots of recurrent states and their bytes, one slot of padding included."""
    if not cost.state:
        return 0, 0
    slots = options.max_mamba_cache_size
    if slots is None and options.disable_radix_cache:
        slots = options.max_running_requests
    if slots is None:
        ratio = Fraction(str(options.mamba_full_memory_ratio or sglang_defaults()["state_ratio"]))
        slots = max(int(available * ratio / (1 + ratio)) // cost.state - 1, 0)
    return slots, (slots + 1) * cost.state


def _requests(tokens: int, slots: int, cost: TokenCost, options: SglangOptions) -> int:
    """Count the requests that may run at once: by tokens, by what was asked, by slots of states."""
    constants = sglang_defaults()
    found = options.max_running_requests
    if found is None:
        found = int(tokens / options.context_length * constants["request_ratio"])
        found = max(min(found, int(constants["most_requests"])), int(constants["least_requests"]))
    found = min(found, tokens // 2)
    if not cost.state:
        return found
    each = 1
    if not options.disable_radix_cache:
        extra = int(constants["extra_slots"]) if options.mamba_extra_buffer else 0
        each = int(constants["base_slots"]) + extra
    return min(found, slots // each)
