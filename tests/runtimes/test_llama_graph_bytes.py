"""The compute buffer against llama.cpp's allocator, to the byte, for a model of nearly every type."""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.runtimes.llama_graph import GraphPlan, GraphSettings, compute_bytes, graph_plan
from sizewise.runtimes.llama_graph.allocator import peak_bytes
from sizewise.runtimes.llama_graph.decoder import emitted
from sizewise.runtimes.llama_graph.step import reserved_step

HERE = Path(__file__).parent
MODELS: list[dict[str, Any]] = [
    json.loads(line) for line in (HERE / "llama_graph" / "bytes.jsonl").read_text().splitlines()
]
SETTINGS = {
    "a": GraphSettings(context=4096),
    "b": GraphSettings(context=4096, flash_attention=False),
    "c": GraphSettings(context=6000, micro_batch=256, sequences=3),
    "d": GraphSettings(context=6000, micro_batch=256, sequences=3, flash_attention=False),
    "e": GraphSettings(context=4096, quantized_keys=True, quantized_values=True),
    "f": GraphSettings(context=8192, micro_batch=128, sequences=2, unified=True),
    "g": GraphSettings(context=8192, flash_attention=False, full_window=True),
    "h": GraphSettings(context=2048, micro_batch=2048),
}


def plan_of(fields: dict[str, Any]) -> GraphPlan:
    plan = graph_plan(describe(Config(fields, fields["model_type"])), fields["model_type"])
    assert plan is not None
    return plan


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model["config"]["model_type"])
def test_compute_buffer_is_exact(model: dict[str, Any]) -> None:
    plan = plan_of(model["config"])
    predicted = {letter: compute_bytes(plan, SETTINGS[letter]) for letter in model["bytes"]}
    assert predicted == model["bytes"]


@pytest.mark.parametrize("layers", [7, 30, 61])
@pytest.mark.parametrize("model_type", ["llama", "qwen3_moe", "gemma3_text", "phi3"])
def test_leaving_repeated_layers_out_changes_nothing(model_type: str, layers: int) -> None:
    plan = plan_of({"model_type": model_type, "num_hidden_layers": layers})
    for settings in SETTINGS.values():
        graph = emitted(plan, reserved_step(settings)).graph
        assert compute_bytes(plan, settings) == peak_bytes(graph.leaves, graph.nodes)
