"""Peaks: measured ones are those of torch's tools, predicted ones are near them, on data and on shapes."""

from statistics import median
from typing import Any

import pytest
import torch

from sizewise.lab import profile
from sizewise.lab.profiling import without_data
from sizewise.lab.profiling.inputs import made_call
from sizewise.lab.profiling.steps import Training, training_call

from .models import MEASURED, SCANS, built

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

SMALL = {
    "gemma2": {
        "model_type": "gemma2",
        "vocab_size": 900,
        "hidden_size": 96,
        "intermediate_size": 200,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 32,
    },
    "phi3": {
        "model_type": "phi3",
        "vocab_size": 900,
        "hidden_size": 128,
        "intermediate_size": 300,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "pad_token_id": 0,
    },
}
CONFIGS = {name: row["config"] for name, row in MEASURED.items()} | SMALL
NEAR, MEDIAN = 0.05, 0.01
"""The largest error of a row, and that of the row in the middle."""


def errors(config: dict[str, Any]) -> tuple[float, float]:
    found = profile(built(config), batch=2, sequence=128, timed=False).figures("memory")
    ratios = (found["inference"].ratio, found["training"].ratio)
    return abs(ratios[0] - 1), abs(ratios[1] - 1)


def test_predictions_are_near_what_is_measured() -> None:
    found = {name: errors(config) for name, config in CONFIGS.items()}
    for name, (inference, training) in found.items():
        assert inference <= NEAR, name
        assert training <= NEAR, name
    for number in range(2):
        assert median(row[number] for row in found.values()) <= MEDIAN


@pytest.mark.parametrize("name", MEASURED)
def test_measured_peaks_are_those_of_memory_events(name: str) -> None:
    known = MEASURED[name]["memory"]
    found = profile(built(MEASURED[name]["config"]), batch=2, sequence=128, timed=False).measured.memory
    assert found["inference"] == known["forward_peak_bytes_measured"]
    assert found["training"] == known["train_peak_bytes_measured"]


@pytest.mark.parametrize(
    "name", [name for name, row in MEASURED.items() if row["config"]["model_type"] != "mixtral"]
)
def test_peaks_on_shapes_are_those_of_torch_s_tracker(name: str) -> None:
    """Ours counts the identifiers of tokens (8 bytes each) where no operator makes them anew."""
    mode = without_data.without_data()
    module = without_data.copied(built(MEASURED[name]["config"]), mode)
    with mode:
        call = training_call(made_call(module, batch=2, sequence=128))
        found = without_data.training_peaks(Training(module, call))
    known = MEASURED[name]["memory"]["train_peak_bytes_fake_memtracker"]
    assert 0 <= found.highest - known <= 2 * 128 * 8


LARGE = {
    "1B": ("llama-3.2-1b", ()),
    "7B": ("llama-2-7b", ("num_hidden_layers=8",)),
}
"""The second in its width, with fewer layers, which changes no rule."""


@pytest.mark.parametrize("name", LARGE)
def test_large_models_against_shapes(name: str) -> None:
    reference, settings = LARGE[name]
    found = profile(reference, settings=settings, sequence=2048, data=False, training=True).figures("memory")
    assert found["training"].ratio == pytest.approx(1, abs=0.03)
    assert found["inference"].ratio == pytest.approx(1, abs=0.03)
    assert found["weights"].ratio == found["cache"].ratio == 1


def test_phases_of_a_step_are_apart() -> None:
    found = profile(built(MEASURED["llama_untied"]["config"]), batch=2, sequence=128, timed=False)
    memory = found.measured.memory
    phases = [memory[f"training_{name}"] for name in ("forward", "backward", "step")]
    assert memory["training"] == max(phases)
    assert len(set(phases)) == 3


def test_the_cache_is_measured() -> None:
    config = MEASURED["llama_untied"]["config"]
    memory = profile(built(config), batch=2, sequence=128, timed=False, training=False).figures("memory")
    width = config["hidden_size"]  # as many heads of keys as of queries
    assert memory["cache"].measured == memory["cache"].predicted == 2 * 2 * 2 * 128 * width * 4


@pytest.mark.parametrize("model_type", SCANS)
def test_a_step_of_scans_in_torch_operations(model_type: str) -> None:
    """They keep far more than kernels do."""
    found = profile(built({"model_type": model_type, **SCANS[model_type]}), batch=2, sequence=96, timed=False)
    for phase in ("training", "inference"):
        assert found.figures("memory")[phase].ratio == pytest.approx(1, abs=NEAR), phase


LATENT = {
    "model_type": "deepseek_v3",
    "vocab_size": 500,
    "hidden_size": 96,
    "intermediate_size": 200,
    "moe_intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "n_routed_experts": 8,
    "num_experts_per_tok": 2,
    "n_group": 2,
    "topk_group": 1,
    "first_k_dense_replace": 1,
    "kv_lora_rank": 32,
    "q_lora_rank": 48,
    "qk_nope_head_dim": 16,
    "qk_rope_head_dim": 8,
    "v_head_dim": 16,
}


def test_buffers_are_memory_too() -> None:
    """GPT-Neo's class keeps a mask of all positions in every layer: here most of a forward pass."""
    config = {
        "model_type": "gpt_neo",
        "vocab_size": 500,
        "hidden_size": 96,
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["global", "local"], 1]],
    }
    found = profile(built(config), batch=2, sequence=32, timed=False)
    for phase in ("training", "inference"):
        assert found.figures("memory")[phase].ratio == pytest.approx(1, abs=NEAR), phase


def test_values_that_are_narrower_than_keys() -> None:
    """torch has no kernel for them on a CPU: scores are tensors, and are not computed again."""
    found = profile(built(LATENT), batch=2, sequence=128, timed=False)
    for phase in ("training", "inference"):
        assert found.figures("memory")[phase].ratio == pytest.approx(1, abs=NEAR), phase
    assert found.figures("compute")["training_flops"].ratio == 1


def test_half_precision() -> None:
    module = built(MEASURED["llama_untied"]["config"], dtype=torch.bfloat16)
    found = profile(module, batch=2, sequence=128, timed=False)
    assert found.dtype == "bf16"
    assert found.figures("memory")["training"].ratio == pytest.approx(1, abs=NEAR)
    assert found.figures("memory")["inference"].ratio == pytest.approx(1, abs=NEAR)
