"""The compute buffer against what llama.cpp logs for 45 models.

Rows and their origin: ``llama_graph/SOURCES.md``.
"""

import csv
import json
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.runtimes.llama_graph import (
    GraphPlan,
    GraphSettings,
    compute_bytes,
    graph_plan,
    output_bytes,
)

HERE = Path(__file__).parent
CONFIGS = {
    entry["model"]: entry["config"]
    for entry in map(json.loads, (HERE / "llama_graph" / "configs.jsonl").read_text().splitlines())
}
LOGGED = 0.00501
"""MiB: the log has two decimals."""


def measured() -> dict[str, list[dict[str, str]]]:
    rows = defaultdict(list)
    with (HERE / "llama_graph" / "compute_mib.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            rows[row["model"]].append(row)
    return rows


ROWS = measured()


@cache
def plan_of(model: str) -> GraphPlan:
    fields = CONFIGS[model]
    plan = graph_plan(describe(Config(fields, fields["model_type"])), fields["model_type"])
    assert plan is not None
    return plan


def settings(row: dict[str, str]) -> GraphSettings:
    quantized, wide = row["kv_type"] not in ("f16", "f32"), row["kv_type"] == "f32"
    return GraphSettings(
        context=int(row["context"]),
        micro_batch=int(row["micro_batch"]),
        flash_attention=row["flash_attention"] == "1",
        quantized_keys=quantized,
        quantized_values=quantized,
        key_bits32=wide,
        value_bits32=wide,
        sequences=int(row["sequences"]),
        full_window=row["full_window"] == "1",
    )


@pytest.mark.parametrize("model", sorted(ROWS))
def test_compute_buffer_is_the_logged_one(model: str) -> None:
    plan = plan_of(model)
    for row in ROWS[model]:
        predicted = compute_bytes(plan, settings(row)) / 2**20
        assert predicted == pytest.approx(float(row["compute_mib"]), abs=LOGGED), row


@pytest.mark.parametrize("model", sorted(ROWS))
def test_output_buffer_is_the_logged_one(model: str) -> None:
    plan = plan_of(model)
    for row in ROWS[model]:
        predicted = output_bytes(plan, settings(row)) / 2**20
        assert predicted == pytest.approx(float(row["output_mib"]), abs=LOGGED), row


def test_unknown_type_has_no_plan() -> None:
    fields = CONFIGS["openai-community__gpt2"]
    assert graph_plan(describe(Config(fields, "gpt2")), "no_such_type") is None


def test_more_layers_than_the_engine_takes_have_no_plan() -> None:
    fields = {"model_type": "llama", "num_hidden_layers": 513}
    assert graph_plan(describe(Config(fields, "llama")), "llama") is None


def test_windows_in_other_places_than_the_engine_has_them_have_no_plan() -> None:
    kinds = ["full_attention", "sliding_attention"] * 2
    fields = {"model_type": "gemma2", "num_hidden_layers": 4, "layer_types": kinds}
    assert graph_plan(describe(Config(fields, "gemma2")), "gemma2") is None


def test_expert_groups_of_a_configuration_count() -> None:
    fields = {**CONFIGS["deepseek-ai__DeepSeek-V3"], "n_group": 1, "topk_group": 1}
    plan = graph_plan(describe(Config(fields, "deepseek_v3")), "deepseek_v3")
    assert plan is not None
    assert plan != plan_of("deepseek-ai__DeepSeek-V3")
    settings = GraphSettings(context=4096)
    assert compute_bytes(plan, settings) <= compute_bytes(plan_of("deepseek-ai__DeepSeek-V3"), settings)
