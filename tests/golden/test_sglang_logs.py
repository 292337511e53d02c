"""Pools of SGLang's start-up logs: what a token costs, and the device to the pool.

Rows and their origin: ``serving/SOURCES.md``.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.catalog.devices import find_device
from sizewise.catalog.models import find_preset
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.runtimes.sglang.options import SglangOptions
from sizewise.runtimes.sglang.pools import pools
from sizewise.runtimes.sglang.share import available_bytes
from sizewise.runtimes.sglang.tokens import token_cost
from sizewise.units import GIB, MIB

ROWS: list[dict[str, Any]] = json.loads((Path(__file__).parent / "serving" / "sglang_logs.json").read_text())[
    "rows"
]
NAMED = ("tp_size", "context_length", "mem_fraction_static")
QUANTIZED = ("attention", "feed_forward", "expert", "shared_expert", "state_space")
DIGIT = 0.01


def prepared(row: dict[str, Any]) -> tuple[Architecture, SglangOptions]:
    preset = find_preset(row["model"])
    assert preset is not None
    options = SglangOptions(**{name: row[name] for name in NAMED if name in row})
    return describe(Config(dict(preset.config), preset.model_type)), options


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_tokens_cost_what_the_log_says(row: dict[str, Any]) -> None:
    model, options = prepared(row)
    cost = token_cost(model, options)
    assert abs(row["tokens"] * cost.full / GIB - row["kv_gib"]) <= DIGIT


@pytest.mark.parametrize("row", [row for row in ROWS if "device" in row], ids=lambda row: row["id"])
def test_device_gives_a_pool_whose_interval_holds_the_logged_one(row: dict[str, Any]) -> None:
    model, options = prepared(row)
    weights = 0
    for weight, copies in model.weights():
        each = 1 if weight.kind == "matrix" and weight.role in QUANTIZED else 2
        weights += weight.elements * copies * each
    device_mib = find_device(row["device"]).memory_bytes // MIB
    cost = token_cost(model, options)
    low, typical, high = (
        pools(cost, amount, options).tokens
        for amount in available_bytes(model, weights // options.tp_size, device_mib, options)
    )
    assert low < row["tokens"] < high
    assert abs(typical / row["tokens"] - 1) < 0.1
