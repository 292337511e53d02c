"""vLLM: defaults, rows of the cache, budgets and refusals."""

from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizewise.architecture import Architecture
from sizewise.catalog.models import find_preset
from sizewise.catalog.serving import allowance, vllm_batch, vllm_cache, vllm_version
from sizewise.configuration import Config
from sizewise.errors import InputError, UsageError
from sizewise.families import describe
from sizewise.ledger import Line
from sizewise.runtimes.vllm.adapters import Adapters, adapter_buffers
from sizewise.runtimes.vllm.groups import BlockPool, block_pool, cache_line, logged_tokens, shared_blocks
from sizewise.runtimes.vllm.layers import layer_caches, with_draft
from sizewise.runtimes.vllm.options import VllmOptions, vllm_options
from sizewise.runtimes.vllm.startup import graph_count, reserved_line, start_up
from sizewise.units import GIB


def model(name: str) -> Architecture:
    preset = find_preset(name)
    assert preset is not None
    return describe(Config(dict(preset.config), preset.model_type))


def options(**changes: Any) -> VllmOptions:
    fields = {
        "max_model_len": 8192,
        "max_num_batched_tokens": 8192,
        "max_num_seqs": 256,
        "gpu_memory_utilization": 0.9,
    }
    return VllmOptions(**{**fields, **changes})


def pool_of(name: str, chosen: VllmOptions) -> BlockPool:
    return block_pool(layer_caches(model(name), chosen), chosen)


def evaluated(line: Line) -> Any:
    return eval(line.formula, {"min": min, "max": max, "ceil": ceil, **line.inputs})


@pytest.mark.parametrize(
    ("gib", "name", "server", "tokens", "sequences"),
    [
        (180, "NVIDIA B200", True, 16384, 1024),
        (80, "NVIDIA H100 80GB HBM3", True, 8192, 1024),
        (80, "NVIDIA H100 80GB HBM3", False, 16384, 1024),
        (80, "NVIDIA A100-SXM4-80GB", True, 2048, 256),
        (119, "NVIDIA GB10", True, 2048, 256),
        (24, "NVIDIA GeForce RTX 4090", False, 8192, 256),
    ],
)
def test_defaults_of_a_device(gib: int, name: str, server: bool, tokens: int, sequences: int) -> None:
    found = vllm_options(device_bytes=gib * GIB, device_name=name, max_model_len=32768, server=server)
    assert (found.max_num_batched_tokens, found.max_num_seqs) == (tokens, sequences)
    assert found.gpu_memory_utilization == 0.92


def test_a_step_is_no_longer_than_all_sequences() -> None:
    found = vllm_options(device_bytes=24 * GIB, device_name="", max_model_len=16, max_num_seqs=4)
    assert found.max_num_batched_tokens == 64


@pytest.mark.parametrize(
    ("dtype", "row"),
    [
        ("auto", 8 * 2 * 128 * 2),
        ("fp8", 8 * 2 * 128),
        ("int8_per_token_head", 8 * 2 * (128 + 4)),
        ("int4_per_token_head", 8 * 2 * (64 + 4)),
        ("nvfp4", 8 * 2 * (64 + 8)),
    ],
)
def test_row_of_grouped_attention(dtype: str, row: int) -> None:
    (layer,) = layer_caches(model("llama-3.1-8b"), options(kv_cache_dtype=dtype))
    assert layer.row == row
    assert layer.page == 16 * row


def test_more_devices_than_heads_repeat_a_head() -> None:
    (layer,) = layer_caches(model("llama-3.1-8b"), options(tensor=16))
    assert layer.shape == (1, 128, 128)


def test_sparse_latent_rows_of_656_bytes_only_on_hopper() -> None:
    for capability, row in ((9, 656), (10, 576)):
        layers = layer_caches(model("deepseek-v3.2"), options(kv_cache_dtype="fp8", capability=capability))
        assert sorted(layer.row for layer in layers) == [132, row]
        assert {layer.block for layer in layers} == {64}


def test_latent_blocks_on_blackwell() -> None:
    (layer,) = layer_caches(model("deepseek-v3"), options(capability=10))
    assert layer.block == 32


def test_blocks_hold_a_recurrent_state() -> None:
    """Qwen3.8-27B has these shapes; the log says 1568 tokens and 0.13 % of padding.

    https://github.com/noonghunna/club-3090/issues/1047 (2026-08-17).
    """
    layers = layer_caches(model("qwen3.5-27b"), options(kv_cache_dtype="fp8", recurrent_bytes=4))
    assert {layer.block for layer in layers if layer.kind == "full"} == {1568}
    state = 48 * 128 * 128 * 4 + (2 * 16 * 128 + 48 * 128) * 3 * 2
    (page,) = {layer.page for layer in layers}
    assert round(100 * (page - state) / state, 2) == 0.13


def test_a_draft_takes_the_enlarged_blocks() -> None:
    chosen = options(recurrent_bytes=4)
    layers = layer_caches(model("qwen3.5-27b"), chosen)
    (draft,) = layer_caches(model("llama-3.1-8b"), chosen)
    found = with_draft(layers, {draft: 1})
    assert {layer.block for layer in found if layer.kind == "full"} == {784}
    assert sum(found.values()) == sum(layers.values()) + 1


@pytest.mark.parametrize("name", ["deepseek-v4-flash"])
def test_other_caches_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="not modelled"):
        layer_caches(model(name), options())


def test_unknown_cache_format() -> None:
    with pytest.raises(UsageError, match="did you mean fp8"):
        vllm_cache("fp88")


def test_a_pipeline_shares_layers() -> None:
    whole, half = (pool_of("llama-3.1-8b", options(pipeline=stages)).block_bytes for stages in (1, 2))
    assert whole == 2 * half


def test_without_the_hybrid_manager_windows_cost_the_whole_length() -> None:
    on, off = (
        pool_of("gemma-3-27b-it", options(max_model_len=131072, hybrid_manager=h)) for h in (True, False)
    )
    assert off.request_bytes > 3 * on.request_bytes


def test_graphs_captured_for_256_sequences() -> None:
    assert graph_count(options()) == 51 + 35
    assert graph_count(options(capability=10, max_num_seqs=1024)) == 83 + 83


def test_formulas_give_the_amounts() -> None:
    for line in reserved_line(model("llama-3.1-8b"), 10, options()).parts:
        if line.formula:
            assert int(evaluated(line)) == int(line.value)


def test_profile_run_of_llama() -> None:
    """Three times the feed-forward and three times the hidden size: the slope of two logged runs.

    https://github.com/vllm-project/vllm/issues/10517: 0.92 GiB more for 9,000 tokens more.
    """
    peaks = [
        reserved_line(model("llama-3.1-8b"), 0, options(max_num_batched_tokens=tokens))
        .part("profile run")
        .value
        for tokens in (20000, 29000)
    ]
    assert round((peaks[1] - peaks[0]) / GIB, 2) == pytest.approx(0.92, abs=0.011)


def test_refusals() -> None:
    chosen = options()
    architecture, pool = model("llama-3.1-8b"), pool_of("llama-3.1-8b", chosen)
    fine = start_up(architecture, pool, 16 * GIB, 80 * GIB, chosen)
    assert not fine.refusal
    assert "free memory" in start_up(architecture, pool, 0, 80 * GIB, chosen, free_bytes=70 * GIB).refusal
    assert "no memory is left" in start_up(architecture, pool, 16 * GIB, 16 * GIB, chosen).refusal
    longest = options(max_model_len=2**20)
    assert (
        "one request"
        in start_up(architecture, pool_of("llama-3.1-8b", longest), 16 * GIB, 80 * GIB, longest).refusal
    )


def test_told_blocks_and_bytes_are_taken() -> None:
    pool = pool_of("llama-3.1-8b", options())
    for field, amount, blocks in (
        ("num_gpu_blocks_override", 100, 100),
        ("kv_cache_memory_bytes", 100 * pool.block_bytes + 5, 100),
    ):
        found = start_up(model("llama-3.1-8b"), pool, 0, 80 * GIB, options(**{field: amount}))
        assert found.blocks == (blocks, blocks, blocks)


def test_a_model_without_a_cache_has_one_empty_block() -> None:
    pool = pool_of("bert-base-uncased", options())
    assert (pool.block_bytes, pool.blocks(0), logged_tokens(pool, 1, options())) == (0, 1, 0)


def test_adapters_of_every_matrix_of_llama() -> None:
    line = adapter_buffers(model("llama-3.1-8b"), Adapters(slots=2, rank=16))
    assert line.value == 2 * 41_943_040 * 2
    assert evaluated(line) == line.value
    shared = adapter_buffers(model("llama-3.1-8b"), Adapters(slots=2, rank=16), tensor=2)
    assert line.value / 2 < shared.value < line.value


def test_versions() -> None:
    assert vllm_version("0.21.0").graphs_in_budget
    assert not vllm_version("0.9.2").graphs_in_budget
    assert vllm_version("0.1").gpu_memory_utilization == 0.90


def test_allowances_are_ordered() -> None:
    for name in (
        "driver_mib",
        "libraries_mib",
        "communicator_mib",
        "encoder_mib",
        "graph_mib",
        "bytes_per_logit",
    ):
        found = allowance("vllm", name)
        assert found.low <= found.typical <= found.high


def test_batch_rows_reach_down_to_zero() -> None:
    assert vllm_batch(0, "").sequences == 256


@given(available=st.integers(0, 2**41), more=st.integers(0, 2**38))
def test_more_memory_holds_no_fewer_blocks(available: int, more: int) -> None:
    pool = BlockPool(block_bytes=2_097_152, groups=1, request_blocks=512, block_tokens=16)
    blocks = pool.blocks(available)
    assert blocks * pool.block_bytes <= available < (blocks + 1) * pool.block_bytes
    assert pool.blocks(available + more) >= blocks


@given(length=st.integers(1, 2**20), step=st.sampled_from([512, 2048, 8192]))
def test_a_window_never_costs_more_than_one_block_over_the_whole(length: int, step: int) -> None:
    chosen = options(max_model_len=length, max_num_batched_tokens=step)
    hybrid, whole = (
        pool_of("gpt-oss-20b", chosen),
        pool_of(
            "gpt-oss-20b", options(max_model_len=length, max_num_batched_tokens=step, hybrid_manager=False)
        ),
    )
    assert hybrid.request_bytes <= whole.request_bytes + hybrid.block_bytes * hybrid.groups


def prefixed(name: str, sequences: int, prefix: int, chosen: VllmOptions) -> Line:
    layers = layer_caches(model(name), chosen)
    pool = block_pool(layers, chosen)
    return cache_line(pool, sequences, shared_blocks(layers, pool, prefix, chosen))


def test_whole_blocks_of_a_common_prefix_are_kept_once() -> None:
    """8,192 tokens are 512 blocks of 16, 2,005 have 125 whole ones; a block has 32 * 16 * 4,096 bytes."""
    line = prefixed("llama-3.1-8b", 8, 2005, options())
    assert line.value == (8 * 512 - 7 * 125) * 2_097_152 == evaluated(line)
    latent = prefixed("deepseek-v3", 8, 2005, options())
    assert latent.value == (8 * 512 - 7 * 125) * 61 * 16 * 576 * 2 == evaluated(latent)


def test_the_last_token_is_always_computed() -> None:
    assert prefixed("llama-3.1-8b", 2, 8192, options()).value == (2 * 512 - 511) * 2_097_152


@pytest.mark.parametrize("name", ["gemma-3-27b-it", "gpt-oss-20b", "qwen3.5-27b"])
def test_several_kinds_of_layers_share_nothing(name: str) -> None:
    chosen = options()
    line = prefixed(name, 8, 4096, chosen)
    assert line.value == 8 * pool_of(name, chosen).request_bytes == evaluated(line)
    assert line.inputs["shared_blocks"] == 0


def test_without_prefix_caching_nothing_is_shared() -> None:
    line = prefixed("llama-3.1-8b", 8, 4096, options(prefix_caching=False))
    assert line.value == cache_line(pool_of("llama-3.1-8b", options()), 8).value


@given(
    length=st.integers(1, 2**17),
    sequences=st.integers(1, 512),
    block=st.sampled_from([16, 32, 64, 128]),
    data=st.data(),
)
def test_every_sequence_has_what_is_its_own(
    length: int, sequences: int, block: int, data: st.DataObject
) -> None:
    prefix = data.draw(st.integers(0, length))
    chosen = options(max_model_len=length, block_size=block)
    one = pool_of("llama-3.1-8b", chosen)
    kept = int(prefixed("llama-3.1-8b", sequences, prefix, chosen).value) // one.block_bytes
    own = max(1, -(-length // block) - prefix // block)
    assert kept == one.request_blocks + (sequences - 1) * own
    assert prefixed("llama-3.1-8b", sequences, 0, chosen).value == cache_line(one, sequences).value
    assert kept <= prefixed("llama-3.1-8b", sequences, prefix // 2, chosen).value // one.block_bytes
