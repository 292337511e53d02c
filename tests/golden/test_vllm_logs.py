"""Start-up logs from public threads: pool bytes to blocks and tokens, and the device to pool bytes.

Rows and their origin: ``serving/SOURCES.md``. Memory is logged to two decimals of a GiB: the blocks must
be among those that the rounding allows. End to end, the logged pool must lie in the interval.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.catalog.devices import find_device
from sizewise.catalog.models import find_preset
from sizewise.catalog.serving import vllm_version
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.runtimes.vllm.experts import expert_padding_bytes
from sizewise.runtimes.vllm.groups import BlockPool, block_pool, logged_tokens
from sizewise.runtimes.vllm.layers import layer_caches, with_draft
from sizewise.runtimes.vllm.options import VllmOptions, recurrent_bytes
from sizewise.runtimes.vllm.startup import StartUp, start_up, visible_bytes
from sizewise.units import GIB

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "serving" / "vllm_logs.json").read_text())[
    "rows"
]
NAMED = (
    "kv_cache_dtype",
    "tensor",
    "max_model_len",
    "max_num_batched_tokens",
    "max_num_seqs",
    "prefix_caching",
    "enforce_eager",
    "speculative_tokens",
    "gpu_memory_utilization",
)
QUANTIZED = ("attention", "feed_forward", "expert", "shared_expert", "state_space")
HALF_DIGIT = 0.005
NEAR = 0.05


def rows(field: str) -> list[dict[str, Any]]:
    return [row for row in ROWS if field in row]


def architecture(row: dict[str, Any]) -> tuple[Architecture, str]:
    """Return a row's architecture, from its own configuration or the catalogue, and its model type."""
    preset = find_preset(row["model"])
    config = row.get("config") or (preset and dict(preset.config))
    return describe(Config(config, config["model_type"])), config["model_type"]


def weight_bytes(model: Architecture, stored: str, devices: int) -> int:
    """Return the bytes of the weights on one device: bf16, or packed matrices of the layers."""
    found = 0
    for weight, copies in model.weights():
        numbers = weight.elements * copies
        if stored == "fp8" and weight.kind == "matrix" and weight.role in QUANTIZED:
            found += numbers
        elif stored == "mxfp4" and weight.kind == "matrix" and weight.role == "expert":
            found += numbers // 32 * 17
        else:
            found += 2 * numbers
    return found // devices


def prepared(row: dict[str, Any]) -> tuple[BlockPool, VllmOptions]:
    model, model_type = architecture(row)
    fields = {"gpu_memory_utilization": 0.9} | {name: row[name] for name in NAMED if name in row}
    options = VllmOptions(
        **fields,
        recurrent_bytes=recurrent_bytes(model_type, 2),
        concurrent_batches=1,
        prefill_checkpoints=False,
    )
    layers = layer_caches(model, options)
    if "draft_layers" in row:
        full = next(layer for layer in layers if layer.kind == "full")
        layers = with_draft(layers, {full: row["draft_layers"]})
    return block_pool(layers, options), options


def counted(row: dict[str, Any], pool: BlockPool, options: VllmOptions, blocks: int) -> int:
    if "blocks" in row:
        return blocks
    return logged_tokens(pool, blocks, options, vllm_version(row["version"]).token_rule)


@pytest.mark.parametrize(
    "row", [row for row in rows("kv_gib") if "blocks" in row or "tokens" in row], ids=lambda row: row["id"]
)
def test_pool_bytes_give_the_logged_blocks(row: dict[str, Any]) -> None:
    pool, options = prepared(row)
    low, high = (pool.blocks(int((row["kv_gib"] + half) * GIB)) for half in (-HALF_DIGIT, HALF_DIGIT))
    logged = row.get("blocks", row.get("tokens"))
    assert logged <= counted(row, pool, options, high)
    if "devices_differ" not in row:
        assert logged >= counted(row, pool, options, low)


@pytest.mark.parametrize("row", rows("concurrency"), ids=lambda row: row["id"])
def test_logged_tokens_give_the_logged_concurrency(row: dict[str, Any]) -> None:
    pool, options = prepared(row)
    rule = vllm_version(row["version"]).token_rule
    blocks = round(row["concurrency"] * pool.request_blocks)
    found = [
        block
        for block in range(max(blocks - 5, 1), blocks + 6)
        if logged_tokens(pool, block, options, rule) == row["tokens"]
        and round(pool.concurrency(block), 2) == row["concurrency"]
    ]
    assert found


@pytest.mark.parametrize("row", rows("needed_gib"), ids=lambda row: row["id"])
def test_what_one_request_needs(row: dict[str, Any]) -> None:
    pool, _ = prepared(row)
    assert round(pool.request_bytes / GIB, 2) == row["needed_gib"]


def started(row: dict[str, Any]) -> tuple[StartUp, float]:
    """Return the prediction from the device alone, and the logged bytes of the pool."""
    pool, options = prepared(row)
    model, _ = architecture(row)
    version = vllm_version(row["version"])
    device = find_device(row["device"])
    total = int(row.get("device_gib", 0) * GIB) or visible_bytes(
        device.memory_bytes + device.display_reserve_bytes
    )
    weights = weight_bytes(model, row["weights"], options.tensor)
    if row["weights"] == "mxfp4":
        weights += expert_padding_bytes(model)
    found = start_up(
        model,
        pool,
        weights,
        total,
        options,
        graphs_in_budget=version.graphs_in_budget,
        counting=version.token_rule,
    )
    if "blocks" in row:
        return found, row["blocks"] * pool.block_bytes
    if "devices_differ" in row:
        return found, row["tokens"] / pool.block_tokens * pool.block_bytes
    return found, row["kv_gib"] * GIB


@pytest.mark.parametrize("row", rows("end_to_end"), ids=lambda row: row["id"])
def test_device_gives_a_pool_whose_interval_holds_the_logged_one(row: dict[str, Any]) -> None:
    found, logged = started(row)
    low, typical, high = found.available
    assert low <= logged <= high
    assert low < typical < high


def test_most_predictions_from_the_device_are_near() -> None:
    errors = [
        found.available[1] / logged - 1 for found, logged in (started(row) for row in rows("end_to_end"))
    ]
    assert sum(abs(error) <= NEAR for error in errors) > len(errors) / 2


def test_rows_name_their_source() -> None:
    for row in ROWS:
        assert row["url"].startswith("https://")
        assert row["date"] < "2026-11-22"
