"""Saved activations of dense decoders against torch, byte for byte, on random small models."""

from collections.abc import Iterator
from contextlib import nullcontext
from random import Random
from typing import Any

import pytest

from sizewise.activations.pieces import pieces
from sizewise.activations.saved import saved_bytes, style_of
from sizewise.sources.config_json import from_config
from sizewise.tape.tape import Setting

from . import saved_tensors as truth

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

EAGER = ("gemma2", "vaultgemma")
"""Classes that know no fused kernel."""

DIVIDED = ("helium", "olmo", "olmo2", "olmo3", "persimmon", "phi", "phi3", "stablelm", "starcoder2")
"""Classes whose heads are the hidden size in parts."""

WINDOWED = {"sliding_window": (4, 64)}
DROPPED = {"attention_dropout": (0.0, 0.1)}
TYPES: dict[str, dict[str, tuple[Any, ...]]] = {
    "llama": {"mlp_bias": (False, True), "hidden_act": ("silu", "gelu_new", "relu2", "quick_gelu")},
    "mistral": WINDOWED,
    "qwen2": {"use_sliding_window": (True,), "max_window_layers": (1,), **WINDOWED},
    "qwen3": {"attention_bias": (False, True)},
    "gemma": {},
    "gemma2": {**WINDOWED, "attn_logit_softcapping": (None, 50.0), "final_logit_softcapping": (None, 30.0)},
    "vaultgemma": WINDOWED,
    "gemma3_text": {"layer_types": (["full_attention", "sliding_attention"],), **WINDOWED},
    "phi3": {"resid_pdrop": (0.0, 0.1), **WINDOWED},
    "phi": {"qk_layernorm": (False, True), "resid_pdrop": (0.0, 0.1), "embd_pdrop": (0.0, 0.1)},
    "cohere": {"use_qk_norm": (False, True)},
    "cohere2": {"layer_types": (["full_attention", "sliding_attention"],), **WINDOWED},
    "olmo": {"clip_qkv": (None, 4.0)},
    "olmo2": {},
    "olmo3": {"layer_types": (["full_attention", "sliding_attention"],), **WINDOWED},
    "granite": DROPPED,
    "stablelm": {"use_parallel_residual": (False, True), "qk_layernorm": (False, True)},
    "starcoder2": {"use_bias": (False, True), "residual_dropout": (0.0, 0.1), **WINDOWED},
    "glm": {},
    "glm4": {},
    "smollm3": {"no_rope_layers": ([1, 0], [1, 1])},
    "helium": {},
    "nemotron": {"mlp_bias": (False, True)},
    "persimmon": {"qk_layernorm": (False, True), "hidden_dropout": (0.0, 0.1)},
    "exaone4": {"layer_types": (["full_attention", "sliding_attention"],), **WINDOWED},
    "hunyuan_v1_dense": {},
    "ernie4_5": {"use_bias": (False, True)},
    "seed_oss": {"residual_dropout": (0.0, 0.1), **DROPPED},
    "apertus": {},
    "arcee": {},
    "ministral": WINDOWED,
    "ministral3": WINDOWED,
    "cwm": WINDOWED,
    "iquestcoder": {},
    "jais2": {},
    "internlm3": {},
    "hyperclovax": {"use_post_norm": (False, True)},
    "nanochat": {},
}
"""By model type: what else is drawn."""


def configurations(model_type: str, count: int) -> Iterator[dict[str, Any]]:
    """Yield random small configurations, the same ones each time."""
    random = Random(model_type)
    for _ in range(count):
        heads, size = random.choice((2, 4)), random.choice((8, 16))
        yield {
            "model_type": model_type,
            "hidden_size": heads * size,
            "num_hidden_layers": 2,
            "num_attention_heads": heads,
            "num_key_value_heads": random.choice((1, heads // 2, heads)),
            "head_dim": size if model_type in DIVIDED else random.choice((8, 16)),
            "intermediate_size": random.randint(9, 70),
            "vocab_size": random.randint(96, 160),
            "tie_word_embeddings": random.random() < 0.5,
            "pad_token_id": 0,
            **{name: random.choice(values) for name, values in TYPES[model_type].items()},
        }


def predicted(config: dict[str, Any], setting: Setting, *, recompute: bool) -> int:
    model = from_config(dict(config), name="x", origin="x")
    return saved_bytes(pieces(model.architecture, setting, style_of(model)), every=1 if recompute else 0)


@pytest.mark.parametrize("model_type", TYPES)
def test_saved_bytes_are_those_of_torch(model_type: str) -> None:
    for number, config in enumerate(configurations(model_type, 4)):
        width, recompute = (4, 2)[number % 2], number == 3
        for kernel in ("eager",) if model_type in EAGER else ("sdpa", "eager"):
            model = truth.build(config, width, kernel)
            for batch, sequence in ((2, 8), (1, 13)):
                setting = Setting(batch=batch, sequence=sequence, width=width, attention=kernel)
                found = predicted(config, setting, recompute=recompute)
                assert found == truth.saved_bytes(model, batch, sequence, recompute=recompute), config


@pytest.mark.parametrize("kernel", ["sdpa", "eager"])
@pytest.mark.parametrize("model_type", ["llama", "qwen3", "gpt2"])
@pytest.mark.parametrize(("autocast", "frozen"), [(True, False), (False, True)])
def test_autocast_and_frozen_weights(model_type: str, kernel: str, autocast: bool, frozen: bool) -> None:
    sizes: dict[str, Any] = {"n_embd": 32, "n_head": 4, "n_layer": 2, "vocab_size": 120}
    config = (
        next(configurations(model_type, 1)) if model_type in TYPES else {"model_type": model_type, **sizes}
    )
    model = truth.build(config, 4, kernel)
    if frozen:
        model.requires_grad_(False)
        model.enable_input_require_grads()  # type: ignore[operator]
    for recompute in (False, True):
        for batch, sequence in ((2, 8), (1, 13)):
            setting = Setting(
                batch=batch,
                sequence=sequence,
                width=2 if autocast else 4,
                attention=kernel,
                autocast=autocast,
                trained=not frozen,
            )
            with torch.autocast("cpu", torch.bfloat16) if autocast else nullcontext():
                expected = truth.saved_bytes(model, batch, sequence, recompute=recompute)
            assert predicted(config, setting, recompute=recompute) == expected
