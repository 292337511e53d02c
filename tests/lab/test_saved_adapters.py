"""Saved activations beside low-rank adapters, byte for byte: as peft wraps a model, torch keeps it."""

from typing import Any

import pytest

from sizewise.activations.saved import recorded
from sizewise.activations.saved import saved_bytes as predicted
from sizewise.recipe import PRECISIONS, Adapter, Recipe
from sizewise.sources.config_json import from_config

from .saved_tensors import build, saved_bytes

peft = pytest.importorskip("peft")
pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore::FutureWarning")]

SHAPE: dict[str, Any] = {
    "hidden_size": 64,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "vocab_size": 100,
}
LINEAR = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
BATCH, SEQUENCE, RANK = 2, 32, 4


@pytest.mark.parametrize("width", [4, 2])
@pytest.mark.parametrize("model_type", ["llama", "qwen2", "qwen3"])
@pytest.mark.parametrize("targets", [("q_proj", "v_proj"), LINEAR], ids=["two", "all"])
@pytest.mark.parametrize("adapter", [(0.0, False), (0.1, False), (0.0, True), (0.1, True)], ids=str)
@pytest.mark.parametrize("recompute", [False, True])
def test_adapters_keep_what_torch_keeps(
    model_type: str, width: int, targets: tuple[str, ...], adapter: tuple[float, bool], recompute: bool
) -> None:
    dropout, magnitude = adapter
    config = SHAPE | {"model_type": model_type}
    recipe = Recipe(
        sequence=SEQUENCE,
        micro_batch=BATCH,
        method="dora" if magnitude else "lora",
        adapter=Adapter(rank=RANK, targets=targets, dropout=dropout),
        precision=PRECISIONS["fp32" if width == 4 else "bf16"],
        device="cpu",
    )
    found = recorded(from_config(config, name="model", origin="test"), recipe)
    assert not found.assumed
    settings = peft.LoraConfig(r=RANK, target_modules=list(targets), lora_dropout=dropout, use_dora=magnitude)
    model = peft.get_peft_model(build(config, width, "sdpa"), settings)
    model.train()
    model.enable_input_require_grads()
    assert predicted(found, every=int(recompute)) == saved_bytes(model, BATCH, SEQUENCE, recompute=recompute)
