"""Blocks, groups and tokens of the pool against vLLM 0.33.0's own arithmetic, on 27 models.

Rows and their origin: ``serving/SOURCES.md``.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.catalog.models import find_preset
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.runtimes.vllm.groups import block_pool, logged_tokens
from sizewise.runtimes.vllm.layers import layer_caches
from sizewise.runtimes.vllm.options import VllmOptions, recurrent_bytes

ROWS = json.loads((Path(__file__).parent / "serving" / "vllm_pools.json").read_text())["rows"]


def architecture(row: dict[str, Any]) -> tuple[Architecture, str]:
    """Return a row's architecture, from its own configuration or the catalogue, and its model type."""
    preset = find_preset(row["model"])
    config = row.get("config") or (preset and dict(preset.config))
    return describe(Config(config, config["model_type"])), config["model_type"]


def label(row: dict[str, Any]) -> str:
    return f"{row['model']}-{'-'.join(f'{key}={value}' for key, value in row['options'].items())}"


@pytest.mark.parametrize("row", ROWS, ids=label)
def test_pool_is_vllms(row: dict[str, Any]) -> None:
    model, model_type = architecture(row)
    options = VllmOptions(
        **row["options"],
        max_num_seqs=256,
        gpu_memory_utilization=0.9,
        recurrent_bytes=recurrent_bytes(model_type, 2),
    )
    pool = block_pool(layer_caches(model, options), options)
    blocks = pool.blocks(row["available"])
    assert pool.block_bytes == row["block_bytes"]
    assert pool.groups == row["groups"]
    assert pool.request_blocks == row["request_blocks"]
    assert blocks == row["blocks"]
    assert pool.concurrency(blocks) == row["concurrency"]
    assert logged_tokens(pool, blocks, options) == row["tokens"]


def test_enough_families() -> None:
    assert len({architecture(row)[1] for row in ROWS}) >= 12
