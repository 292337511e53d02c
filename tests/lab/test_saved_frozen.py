"""Saved activations of a model of which parts are frozen: backward ends where nothing below is trained."""

from typing import Any

import pytest

from sizewise.activations.saved import recorded
from sizewise.activations.saved import saved_bytes as predicted
from sizewise.recipe import PRECISIONS, Recipe
from sizewise.sources.config_json import from_config

from .saved_tensors import build, saved_bytes

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore::FutureWarning")]

BATCH, SEQUENCE = 2, 64
LLAMA: dict[str, Any] = {
    "hidden_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 160,
    "vocab_size": 300,
    "tie_word_embeddings": False,
}
CONFIGS = [LLAMA | {"model_type": "llama"}, LLAMA | {"model_type": "qwen3", "head_dim": 16}]
EMBEDDING = "model.embed_tokens"
FROZEN = [
    (),
    (EMBEDDING,),
    (EMBEDDING, "model.layers.0", "model.layers.1"),
    ("model.layers.1", "model.layers.2"),
    (EMBEDDING, "model.layers"),
    ("model",),
    ("lm_head",),
]


@pytest.mark.parametrize("width", [4, 2])
@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config["model_type"])
@pytest.mark.parametrize("names", FROZEN, ids=str)
@pytest.mark.parametrize("recompute", [False, True])
def test_frozen_parts_keep_what_torch_keeps(
    config: dict[str, Any], width: int, names: tuple[str, ...], recompute: bool
) -> None:
    if recompute and {"model", "model.layers"} & set(names):
        pytest.skip("torch tracks what leaves checkpoints of layers that are all frozen: one more norm")
    recipe = Recipe(
        sequence=SEQUENCE,
        micro_batch=BATCH,
        precision=PRECISIONS["fp32" if width == 4 else "bf16"],
        frozen=names,
        device="cpu",
    )
    model = build(config, width, "sdpa")
    for name, weight in model.named_parameters():
        weight.requires_grad_(not any(f"{name}.".startswith(f"{part}.") for part in names))
    found = recorded(from_config(config, name="model", origin="test"), recipe)
    own = predicted(found, every=int(recompute))
    assert own == saved_bytes(model, BATCH, SEQUENCE, recompute=recompute)
