"""FLOPs as torch counts them, and utilization as published for 162 training runs."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.api import load
from sizewise.architecture import Model
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.flops import forward_flops, multiply_adds, training_flops
from sizewise.flops.shortcuts import mosaicml
from sizewise.flops.utilization import tokens_per_second, utilization
from sizewise.recipe import Recipe
from sizewise.sources.shapes import Shape, from_shape

DATA = Path(__file__).parent / "flops"
TORCH = json.loads((DATA / "torch_flops.json").read_text())
RUNS = list(csv.DictReader((DATA / "llm_foundry_mfu.csv").read_text().splitlines()))
PEAKS = {("A100", False): 312e12, ("H100", False): 989e12, ("H100", True): 1979e12}


def described(raw: dict[str, Any]) -> Model:
    kind = raw["model_type"]
    return Model(name=kind, model_type=kind, architecture=describe(Config(raw, kind)), origin="golden")


@pytest.mark.parametrize("row", TORCH["models"], ids=lambda row: row["name"])
def test_small_models_cost_what_torch_counts(row: dict[str, Any]) -> None:
    model, tokens, sequences = described(row["config"]), row["tokens"], row["batch"]
    forward = forward_flops(model, tokens=tokens, sequences=sequences)
    if "forward_macs" in row:
        unseen = mamba_scan(model, tokens * sequences) if model.model_type == "mamba" else 0
        assert multiply_adds(forward).value - unseen == row["forward_macs"]
        return
    assert forward.value == row["forward_flops_dense"]
    kernel = "eager" if row["name"] == "gpt2" else "sdpa"
    training = training_flops(model, Recipe(sequence=tokens, attention=kernel))
    assert sequences * training.value == row["forward_backward_flops"]


def mamba_scan(model: Model, tokens: int) -> int:
    """Count what torch does not see: step and decay, step and input, update, skip."""
    inner, state, layers = 512, 16, model.architecture.depth
    return tokens * layers * inner * (3 * state + 1)


LARGE = {
    "llama-3.2-1b shape": "llama-3.2-1b",
    "llama-2-7b shape": "llama-2-7b",
    "llama-3.1-8b shape": "llama-3.1-8b",
    "llama-3.1-70b shape": "llama-3.1-70b",
    "mixtral-8x7b shape": "mixtral-8x7b-v0.1",
    "deepseek-v3 (transformers class defaults)": "deepseek-v3",
}


@pytest.mark.parametrize("row", TORCH["large"], ids=lambda row: row["name"])
def test_large_models_cost_what_torch_counts(row: dict[str, Any]) -> None:
    forward = forward_flops(load(LARGE[row["name"]]), tokens=row["tokens"], sequences=row["batch"])
    assert forward.value == row["forward_flops_dense"]


def test_the_textbook_model_of_12_layers() -> None:
    """Checked with torch: products 2·T·12·12·512², head 2·T·512·50,000, attention 4·T²·512·12."""
    model = from_shape(Shape(layers=12, hidden=512, heads=8, vocab=50_000))
    assert forward_flops(model, tokens=512).value == 71_311_556_608


def run_share(row: dict[str, str]) -> float:
    tokens = int(row["seq_len"])
    needed = mosaicml(int(row["params"]), int(row["n_layers"]), int(row["d_model"]), tokens)
    peak = PEAKS[row["hardware"][:4], "fp8" in row["precision"]]
    rate = float(row["tok_s_per_gpu"])
    share = utilization(needed, tokens=tokens, tokens_per_second=rate, peak=peak).value
    assert tokens_per_second(needed, tokens=tokens, share=share, peak=peak) == pytest.approx(rate)
    return share


def test_published_utilization_of_162_runs() -> None:
    """Throughput is published in whole tokens per second, utilization in hundredths of a percent."""
    errors = sorted(abs(run_share(row) / (float(row["mfu_reported_pct"]) / 100) - 1) for row in RUNS)
    assert len(errors) == 162
    assert errors[-1] <= 0.0025
    assert errors[-4] <= 0.001
