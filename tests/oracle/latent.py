"""Recipes of the decoders with latent attention (DeepSeek and those that follow it)."""

from random import Random

from .choices import FLAG, Fields, Recipe, between, either, maybe, of, or_null, per_layer, same_as
from .dense import BASE, BIAS, MLP_BIAS
from .experts import ACTIVE, EXPERTS, FIRST_DENSE, ROUTED, WIDTH

LATENT = {
    "num_key_value_heads": same_as("num_attention_heads"),
    "q_lora_rank": or_null(between(4, 24)),
    "kv_lora_rank": between(4, 20),
    "qk_nope_head_dim": between(3, 12),
    "qk_rope_head_dim": of(2, 4, 8),
    "v_head_dim": between(3, 12),
}
LISTED = either({}, {"mlp_layer_types": or_null(per_layer("dense", "sparse"))})
INDEXED = {
    "q_lora_rank": between(4, 24),
    "index_n_heads": between(1, 3),
    "index_head_dim": of(8, 12),
    "index_topk": maybe(between(4, 40)),
}


def first_full(random: Random, fields: Fields) -> list[str]:
    """One indexer kind per layer; the first layer has nothing to share yet."""
    return ["full", *random.choices(("full", "shared"), k=fields["num_hidden_layers"] - 1)]


def first_full_letters(random: Random, fields: Fields) -> str:
    """As a text of letters, with or without one more for a prediction layer."""
    extra = random.randint(0, 1)
    return "F" + "".join(random.choices("FS", k=fields["num_hidden_layers"] - 1 + extra))


RECIPES: dict[str, Recipe] = {
    "deepseek_v3": (BASE, LATENT, BIAS, ROUTED, FIRST_DENSE),
    "deepseek_v2": (
        BASE,
        LATENT,
        BIAS,
        MLP_BIAS,
        {
            **WIDTH,
            ("n_routed_experts", "num_experts"): EXPERTS,
            "n_shared_experts": of(0, 1, 2),
            "num_experts_per_tok": maybe(of(1, 2, 3), 0.8),
        },
        FIRST_DENSE,
    ),
    "glm4_moe_lite": (
        BASE,
        LATENT,
        {("qk_rope_head_dim", "head_dim"): of(2, 4, 8)},
        BIAS,
        ROUTED,
        LISTED,
    ),
    "deepseek_v32": (
        BASE,
        {**LATENT, **INDEXED},
        BIAS,
        MLP_BIAS,
        {
            **ACTIVE,
            **WIDTH,
            ("n_routed_experts", "num_local_experts", "num_experts"): EXPERTS,
            "n_shared_experts": of(0, 1, 2),
        },
        either(FIRST_DENSE, {"mlp_layer_types": or_null(per_layer("dense", "sparse"))}),
        either({}, {"layer_types": or_null(per_layer("deepseek_sparse_attention"))}),
    ),
    "glm_moe_dsa": (
        BASE,
        {**LATENT, **INDEXED},
        BIAS,
        {
            **ACTIVE,
            **WIDTH,
            ("n_routed_experts", "num_local_experts", "num_experts"): EXPERTS,
            "n_shared_experts": of(0, 1, 2),
        },
        either(FIRST_DENSE, {"mlp_layer_types": or_null(per_layer("dense", "sparse"))}),
        either(
            {},
            {"indexer_types": first_full},
            {"index_topk_pattern": first_full_letters},
            {"index_topk_pattern": first_full},
            {"index_topk_freq": between(0, 4), "index_skip_topk_offset": maybe(between(0, 4))},
        ),
    ),
    "minicpm3": (BASE, {**LATENT, "v_head_dim": maybe(or_null(between(3, 12)))}, BIAS, MLP_BIAS),
    "youtu": (BASE, LATENT, BIAS, {"mlp_bias": maybe(FLAG)}),
}
