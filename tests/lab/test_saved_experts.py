"""Saved activations of mixtures of experts and of latent attention, byte for byte against torch.

Each configuration is compared in four of the settings (width x attention x recomputation x shape), so that
two neighbouring ones see all of them. torch's grouped product needs rows of a multiple of 16 bytes; a fused
kernel on a CPU needs values as wide as keys, so latent attention with others is compared eagerly. What a loop
over the experts ("eager" experts) saves depends on the data: the grouped product, the default, is compared.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import torch
from transformers.models.mistral4 import modeling_mistral4 as mistral4

from sizewise.activations.pieces import pieces
from sizewise.activations.saved import saved_bytes as predicted
from sizewise.activations.saved import style_of
from sizewise.sources.config_json import from_config
from sizewise.tape.tape import Setting

from .saved_tensors import DTYPES, build, saved_bytes

pytestmark = [pytest.mark.lab, pytest.mark.filterwarnings("ignore")]

Case = tuple[int, int, int, str, bool]
"""Batch, sequence, bytes per number, attention, recomputed."""

CASES: tuple[tuple[Case, ...], ...] = (
    (
        (1, 25, 2, "eager", False),
        (2, 16, 4, "sdpa", False),
        (1, 25, 4, "eager", True),
        (2, 16, 2, "sdpa", False),
    ),
    (
        (1, 25, 4, "sdpa", False),
        (2, 16, 2, "eager", False),
        (2, 16, 4, "sdpa", True),
        (1, 25, 2, "sdpa", False),
    ),
)

Fields = dict[str, Any]


def _base(random: Random) -> Fields:
    heads, size = random.choice((1, 2, 4)), random.choice((8, 16))
    return {
        "hidden_size": heads * size,
        "num_hidden_layers": random.choice((2, 3)),
        "num_attention_heads": heads,
        "num_key_value_heads": random.choice([count for count in (1, 2, 4) if heads % count == 0]),
        "vocab_size": random.choice((97, 128)),
        "intermediate_size": random.choice((24, 40)),
        "max_position_embeddings": 128,
        "tie_word_embeddings": random.random() < 0.3,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def _flag(random: Random) -> bool:
    return random.random() < 0.5


def _chosen(
    random: Random, experts: str = "num_local_experts", active: str = "num_experts_per_tok"
) -> Fields:
    return {
        experts: random.randint(4, 9),
        active: random.randint(1, 4),
        "moe_intermediate_size": random.choice((8, 16, 24)),
        "output_router_logits": _flag(random),
    }


def _headed(random: Random) -> Fields:
    return {**_base(random), "head_dim": random.choice((8, 16)), "attention_bias": _flag(random)}


def _grouped(random: Random) -> Fields:
    groups = random.choice((1, 2, 4))
    experts = {1: random.choice((4, 5, 8, 9)), 2: random.choice((4, 6, 8)), 4: 8}[groups]
    used = random.randint(1, groups)
    return {
        "n_routed_experts": experts,
        "n_group": groups,
        "topk_group": used,
        "num_experts_per_tok": min(random.randint(1, 4), experts // groups * used),
        "moe_intermediate_size": random.choice((8, 16)),
        "n_shared_experts": random.choice((1, 2)),
        "norm_topk_prob": _flag(random),
        "routed_scaling_factor": random.choice((1.0, 2.5)),
        "first_k_dense_replace": random.choice((0, 1)),
    }


def _latent(random: Random) -> Fields:
    plain, turned = random.choice(((8, 8), (16, 8), (12, 4)))
    heads = random.choice((1, 2, 4))
    return {
        **_base(random),
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "q_lora_rank": random.choice((None, 12, 20)),
        "kv_lora_rank": random.choice((8, 14)),
        "qk_nope_head_dim": plain,
        "qk_rope_head_dim": turned,
        "v_head_dim": random.choice((plain + turned, plain + turned, 10)),
        "rope_interleave": _flag(random),
        "attention_bias": _flag(random),
    }


def _indexed(random: Random) -> Fields:
    return {
        "q_lora_rank": 16,
        "index_n_heads": random.choice((1, 2)),
        "index_head_dim": 8,
        "index_topk": random.choice((4, 8, 40)),
    }


def _normed(random: Random) -> Fields:
    return {**_chosen(random, "num_experts"), "norm_topk_prob": _flag(random)}


RECIPES: dict[str, Callable[[Random], Fields]] = {
    "mixtral": lambda r: {**_base(r), **_chosen(r), "router_jitter_noise": r.choice((0.0, 0.1))},
    "minimax_m2": lambda r: {
        **_headed(r),
        **_chosen(r),
        "router_jitter_noise": r.choice((0.0, 0.1)),
        "rotary_dim": r.choice((4, 8)),
    },
    "qwen2_moe": lambda r: {
        **_base(r),
        **_normed(r),
        "shared_expert_intermediate_size": r.choice((8, 20)),
        "qkv_bias": _flag(r),
        "decoder_sparse_step": r.choice((1, 2)),
    },
    "qwen3_moe": lambda r: {**_headed(r), **_normed(r), "decoder_sparse_step": r.choice((1, 2))},
    "olmoe": lambda r: {**_base(r), **_normed(r), "attention_bias": _flag(r)},
    "flex_olmo": lambda r: {**_base(r), **_normed(r), "attention_bias": _flag(r)},
    "mellum": lambda r: {**_headed(r), **_normed(r)},
    "granitemoe": lambda r: {**_base(r), **_chosen(r), "attention_bias": _flag(r)},
    "granitemoeshared": lambda r: {
        **_base(r),
        **_chosen(r),
        "shared_intermediate_size": r.choice((0, 20)),
    },
    "phimoe": lambda r: {
        **_base(r),
        **_chosen(r),
        "attention_bias": _flag(r),
        "lm_head_bias": _flag(r),
    },
    "gpt_oss": lambda r: {**_headed(r), **_chosen(r), "sliding_window": r.choice((8, 200))},
    "deepseek_v2": lambda r: {
        **_latent(r),
        **_grouped(r),
        "topk_method": r.choice(("greedy", "group_limited_greedy")),
    },
    "deepseek_v3": lambda r: {**_latent(r), **_grouped(r)},
    "glm4_moe_lite": lambda r: {**_latent(r), **_grouped(r)},
    "youtu": _latent,
    "mistral4": lambda r: {**_latent(r), **_grouped(r)},
    "deepseek_v32": lambda r: {**_latent(r), **_grouped(r), **_indexed(r)},
    "glm_moe_dsa": lambda r: {
        **_latent(r),
        **_grouped(r),
        **_indexed(r),
        "index_topk_freq": r.choice((1, 2)),
        "index_skip_topk_offset": r.choice((1, 2)),
    },
    "glm4_moe": lambda r: {
        **_headed(r),
        **_grouped(r),
        "use_qk_norm": _flag(r),
        "partial_rotary_factor": r.choice((0.5, 1.0)),
    },
    "dots1": lambda r: {**_headed(r), **_grouped(r)},
    "solar_open": lambda r: {**_headed(r), **_grouped(r)},
    "exaone_moe": lambda r: {
        **_headed(r),
        **_grouped(r),
        "num_experts": 8,
        "num_shared_experts": r.choice((1, 2)),
        "sliding_window": 64,
    },
    "hy_v3": lambda r: {
        **_headed(r),
        **_chosen(r, "num_experts"),
        "num_shared_experts": r.choice((1, 2)),
        "first_k_dense_replace": r.choice((0, 1)),
    },
    "ernie4_5_moe": lambda r: {
        **_base(r),
        **_chosen(r, "moe_num_experts", "moe_k"),
        "moe_num_shared_experts": r.choice((0, 1, 2)),
        "moe_layer_start_index": r.choice((0, 1)),
        "moe_layer_interval": 1,
        "use_bias": _flag(r),
    },
    "llama4_text": lambda r: {
        **_headed(r),
        **_chosen(r),
        "intermediate_size_mlp": 40,
        "interleave_moe_layer_step": r.choice((1, 2)),
        "use_qk_norm": _flag(r),
        "attn_temperature_tuning": _flag(r),
        "attention_chunk_size": r.choice((8, 200)),
        "num_hidden_layers": r.choice((3, 5)),
    },
    "cohere2_moe": lambda r: {
        **_headed(r),
        **_chosen(r, "num_experts"),
        "num_shared_experts": r.choice((0, 1, 2)),
        "sliding_window": r.choice((8, 200)),
        "num_hidden_layers": r.choice((3, 5)),
    },
    "hunyuan_v1_moe": lambda r: {**_headed(r), "num_experts": r.randint(4, 9), "moe_topk": r.randint(1, 4)},
}

CONFIGURATIONS = 4
"""Per type; two neighbours see all cases."""


@pytest.mark.parametrize("model_type", RECIPES)
def test_saved_bytes_are_those_of_torch(model_type: str) -> None:
    """Count exactly what torch keeps, in every setting and mode of the class."""
    for number in range(CONFIGURATIONS):
        config = {"model_type": model_type, **RECIPES[model_type](Random(f"{model_type} {number}"))}
        model = from_config(dict(config), name=model_type, origin="random")
        for batch, sequence, width, attention, recomputed in CASES[number % 2]:
            kernel = "eager" if _needs_scores(config) else attention
            setting = Setting(batch=batch, sequence=sequence, width=width, attention=kernel)
            found = pieces(model.architecture, setting, style_of(model))
            true = saved_bytes(_model(config, width, kernel), batch, sequence, recompute=recomputed)
            assert predicted(found, every=int(recomputed)) == true, (config, setting, recomputed)


def _model(config: Fields, width: int, attention: str) -> torch.nn.Module:
    """Return the causal model; transformers does not list that of Mistral 4 among those it chooses from."""
    if config["model_type"] != "mistral4":
        return build(config, width, attention)
    fields = {name: value for name, value in config.items() if name != "model_type"}
    settings = mistral4.Mistral4Config(**fields, use_cache=False)
    found = mistral4.Mistral4ForCausalLM._from_config(
        settings, attn_implementation=attention, dtype=DTYPES[width]
    )
    return found.train()


def _needs_scores(config: Fields) -> bool:
    """Tell whether torch has no fused kernel for it on a CPU."""
    keys = config.get("qk_nope_head_dim", 0) + config.get("qk_rope_head_dim", 0)
    return config["model_type"] == "gpt_oss" or config.get("v_head_dim", keys) != keys
