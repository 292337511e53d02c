"""SGLang: the static share against its own rule, pools and slots."""

import json
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizewise.architecture import Architecture
from sizewise.catalog.models import find_preset
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.runtimes.sglang.options import SglangOptions
from sizewise.runtimes.sglang.pools import cache_line, demand, needed_bytes, pools
from sizewise.runtimes.sglang.share import (
    available_bytes,
    chunk_tokens,
    graph_batch,
    prompt_graphs,
    static_fraction,
)
from sizewise.runtimes.sglang.tokens import TokenCost, token_cost
from sizewise.units import GIB

GOLDEN = Path(__file__).parent.parent / "golden" / "serving" / "sglang_fractions.json"
ROWS = json.loads(GOLDEN.read_text())["rows"]


def model(name: str) -> Architecture:
    preset = find_preset(name)
    assert preset is not None
    return describe(Config(dict(preset.config), preset.model_type))


def options(**changes: Any) -> SglangOptions:
    return SglangOptions(**{"context_length": 8192, **changes})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(str(value) for value in row.values()))
def test_static_fraction_is_sglangs(row: dict[str, Any]) -> None:
    chosen = options(
        tp_size=row["tp_size"],
        max_running_requests=row["max_running_requests"],
        chunked_prefill_size=row["chunked_prefill_size"],
    )
    architecture = model("deepseek-v3" if row["latent"] else "llama-3.1-8b")
    assert static_fraction(architecture, row["device_mib"], chosen) == row["mem_fraction_static"]
    assert chunk_tokens(row["device_mib"], chosen) == row["chunk"]
    assert graph_batch(row["device_mib"], chosen) == row["graph_batch"]


def test_cost_of_a_token() -> None:
    assert token_cost(model("llama-3.1-8b"), options()) == TokenCost(full=131_072, sliding=0, state=0)
    assert token_cost(model("llama-3.1-8b"), options(tp_size=16)).full == 16_384
    assert token_cost(model("deepseek-v3"), options(tp_size=8)).full == 61 * 576 * 2


def test_sparse_latent_rows() -> None:
    each = 61 * 132
    assert token_cost(model("deepseek-v3.2"), options()).full == 61 * 576 * 2 + each
    assert token_cost(model("deepseek-v3.2"), options(cache_bytes=1)).full == 61 * 656 + each


def test_sliding_layers_have_a_pool_only_where_sglang_gives_them_one() -> None:
    whole = token_cost(model("gpt-oss-20b"), options())
    split = token_cost(model("gpt-oss-20b"), options(window_pools=True))
    assert (whole.full, whole.sliding) == (24 * 2048, 0)
    assert (split.full, split.sliding, split.window) == (12 * 2048, 12 * 2048, 128)
    found = pools(split, 10 * GIB, options(window_pools=True, page_size=64))
    assert found.tokens % 64 == found.sliding_tokens % 64 == 0
    assert found.sliding_tokens == int(found.tokens * 0.8) // 64 * 64
    assert found.cache_bytes <= 10 * GIB


def test_states_take_nine_nineteenths() -> None:
    cost = token_cost(model("Qwen/Qwen3-Next-80B-A3B-Instruct"), options())
    conv = (2 * 16 * 128 + 32 * 128) * 3 * 2
    assert cost.state == 36 * (32 * 128 * 128 * 4 + conv)
    found = pools(cost, 19 * GIB, options())
    assert (found.state_slots + 1) * cost.state <= 9 * GIB < (found.state_slots + 2) * cost.state
    assert found.requests == found.state_slots // 5
    assert pools(cost, 19 * GIB, options(disable_radix_cache=True)).requests == found.state_slots


def test_groups_of_mamba2_are_repeated_for_every_device() -> None:
    name = "ibm-granite/granite-4.0-h-small"
    one, two = (token_cost(model(name), options(tp_size=devices)).state for devices in (1, 2))
    assert 2 * two - one == 36 * 2 * 128 * 3 * 2


def test_requests_and_their_table() -> None:
    found = pools(token_cost(model("llama-3.1-8b"), options()), 40 * GIB, options())
    assert found.tokens == 40 * GIB // 131_072
    assert found.requests == 4096
    assert found.table_bytes == 4097 * 8192 * 4


@pytest.mark.parametrize(
    ("name", "changes", "amount"),
    [
        ("llama-3.1-8b", {}, 3 * 8192 * 131_072),
        ("llama-3.1-8b", {"page_size": 3000}, 3 * 9000 * 131_072),
        ("gpt-oss-20b", {"window_pools": True}, ceil(3 * 8192 * 12 * 2048 * Fraction("1.8"))),
        ("gpt-oss-20b", {"window_pools": True, "context_length": 100}, 3 * 125 * 12 * 2048 * 9 // 5),
    ],
)
def test_cache_of_three_requests(name: str, changes: dict[str, Any], amount: int) -> None:
    chosen = options(**changes)
    assert cache_line(token_cost(model(name), chosen), 3, chosen).value == amount


def test_cache_of_recurrent_layers_has_a_slot_of_padding() -> None:
    cost = token_cost(model("Qwen/Qwen3-Next-80B-A3B-Instruct"), options())
    assert cache_line(cost, 3, options()).part("recurrent state").value == (3 * 5 + 1) * cost.state
    bare = options(disable_radix_cache=True)
    assert cache_line(cost, 3, bare).part("recurrent state").value == 4 * cost.state


def test_share_of_a_device() -> None:
    chosen = options()
    low, typical, high = available_bytes(model("llama-3.1-8b"), 15 * GIB, 81559, chosen)
    assert low < typical < high < 81559 * 2**20
    given = available_bytes(model("llama-3.1-8b"), 15 * GIB, 81559, options(mem_fraction_static=0.9))
    assert given[1] > typical


def test_other_caches_are_refused() -> None:
    with pytest.raises(InputError, match="not modelled"):
        token_cost(model("deepseek-v4-flash"), options())


COSTS = st.builds(
    TokenCost,
    full=st.integers(0, 10**6),
    sliding=st.integers(0, 10**6),
    state=st.sampled_from([0, 0, 10**6, 77_266_944]),
    window=st.integers(1, 5000),
)
"""Dense, with windows, only windows, with states and without, and a model without a cache."""


@settings(deadline=None)
@given(
    cost=COSTS,
    available=st.integers(0, 2**36),
    length=st.integers(1, 2**18),
    sequences=st.integers(1, 300),
    page=st.sampled_from([None, 1, 16, 64]),
)
def test_a_demand_needs_what_its_pools_hold(
    cost: TokenCost, available: int, length: int, sequences: int, page: int | None
) -> None:
    chosen = options(context_length=length, page_size=page)
    wanted = demand(cost, sequences, chosen)
    found = pools(cost, available, chosen)
    holds = (
        found.tokens >= wanted.tokens
        and found.sliding_tokens >= wanted.sliding_tokens
        and found.state_slots >= wanted.state_slots
    )
    needed = needed_bytes(cost, wanted, chosen, available)
    assert (needed <= available) == holds
    assert cache_line(cost, sequences, chosen, available).value == needed


@pytest.mark.parametrize(
    ("largest", "count"), [(0, 0), (4, 1), (32, 8), (47, 8), (48, 9), (4607, 50), (8192, 58)]
)
def test_prompt_graphs(largest: int, count: int) -> None:
    assert prompt_graphs(largest) == count


def test_no_number_of_tokens_is_slow() -> None:
    assert prompt_graphs(10**15) > 10**12


def test_a_common_prefix_is_kept_once() -> None:
    cost = token_cost(model("llama-3.1-8b"), options())
    line = cache_line(cost, 8, options(), prefix=2005)
    assert line.value == (8 * 8192 - 7 * 2005) * 131_072
    paged = cache_line(cost, 8, options(page_size=64), prefix=2005)
    assert paged.value == (8 * 8192 - 7 * 31 * 64) * 131_072
    (leaf,) = paged.parts
    assert eval(leaf.formula, dict(leaf.inputs)) == leaf.value


@pytest.mark.parametrize("name", ["gpt-oss-20b", "qwen3-next-80b-a3b-instruct"])
def test_pools_of_windows_and_states_share_nothing(name: str) -> None:
    chosen = options(window_pools=True)
    cost = token_cost(model(name), chosen)
    assert cost.sliding or cost.state
    assert cache_line(cost, 8, chosen, prefix=4096).value == cache_line(cost, 8, chosen).value


@given(length=st.integers(1, 2**17), sequences=st.integers(1, 512), data=st.data())
def test_a_prefix_never_costs_more(length: int, sequences: int, data: st.DataObject) -> None:
    prefix = data.draw(st.integers(0, length))
    chosen = options(context_length=length)
    cost = TokenCost(full=3, sliding=0, state=0)
    shared, alone = (demand(cost, sequences, chosen, prefix=tokens).tokens for tokens in (prefix, 0))
    assert length + sequences - 1 <= shared <= alone
    assert demand(cost, sequences, chosen) == demand(cost, sequences, chosen, prefix=0)
