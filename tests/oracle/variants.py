"""Recipes of decoders that differ from Llama, Mixtral or DeepSeek by a module or a rule."""

from random import Random

from .choices import FLAG, Fields, Recipe, between, either, maybe, of, or_null, per_layer, same_as
from .dense import (
    BASE,
    BIAS,
    HEAD,
    HEAD_NEEDED,
    HEAD_OR_NULL,
    KV,
    KV_OR_NULL,
    MLP_BIAS,
    SLIDING_OR_FULL,
)
from .experts import ACTIVE, EXPERTS, ROUTED, WIDTH
from .latent import LATENT

NO_HEAD_SIZE = {"hidden_size": lambda random, fields: fields["num_attention_heads"] * 8}
PADDING = {"pad_token_id": of(0)}
"""Where the class's default lies beyond a small vocabulary."""
DENSE_OR_SPARSE = either({}, {"mlp_layer_types": or_null(per_layer("dense", "sparse"))})
LISTED_WINDOW = {"sliding_window": maybe(of(2, 7, 99))}
LISTED_KINDS = either({}, {"layer_types": or_null(SLIDING_OR_FULL)})
NUMBERED_EXPERTS = {**ACTIVE, **WIDTH, "num_experts": EXPERTS, "num_shared_experts": of(0, 1, 2)}
SHARED_GRANITE = {**ACTIVE, "num_local_experts": EXPERTS, "shared_intermediate_size": of(0, 9, 20)}


def heads_per_layer(random: Random, fields: Fields) -> list[int]:
    """Multiples of the key/value heads."""
    return [
        fields["num_key_value_heads"] * random.choice((1, 2, 3)) for _ in range(fields["num_hidden_layers"])
    ]


def same_for_all(random: Random, fields: Fields) -> list[int]:
    """One number, repeated for every layer as published files have it."""
    return [random.choice((1, 2))] * fields["num_hidden_layers"]


RECIPES: dict[str, Recipe] = {
    "granite_swa": (BASE, KV_OR_NULL, HEAD, BIAS, MLP_BIAS, LISTED_WINDOW, LISTED_KINDS),
    "hyperclovax": (BASE, KV_OR_NULL, HEAD_OR_NULL, BIAS, MLP_BIAS, {"use_post_norm": maybe(FLAG)}),
    "bitnet": (BASE, KV_OR_NULL, BIAS),
    "jais2": (BASE, KV_OR_NULL, HEAD_OR_NULL, BIAS, MLP_BIAS),
    "nanochat": (BASE, KV_OR_NULL, BIAS),
    "gpt_neox_japanese": (
        BASE,
        {"intermediate_multiple_size": maybe(of(1, 2, 3))},
    ),
    "exaone_moe": (
        BASE,
        KV,
        HEAD,
        NUMBERED_EXPERTS,
        PADDING,
        {
            **LISTED_WINDOW,
            "sliding_window_pattern": maybe(of(1, 2, 3)),
            "first_k_dense_replace": maybe(between(0, 5)),
        },
        DENSE_OR_SPARSE,
        LISTED_KINDS,
    ),
    "flex_olmo": (
        BASE,
        KV_OR_NULL,
        BIAS,
        PADDING,
        {**ACTIVE, ("num_experts", "num_local_experts"): EXPERTS},
    ),
    "afmoe": (
        BASE,
        KV_OR_NULL,
        HEAD,
        BIAS,
        NUMBERED_EXPERTS,
        {
            "num_dense_layers": maybe(between(0, 4)),
            "global_attn_every_n_layers": maybe(of(1, 2, 3)),
            **LISTED_WINDOW,
        },
        LISTED_KINDS,
    ),
    "granitemoeshared": (BASE, KV_OR_NULL, HEAD, BIAS, SHARED_GRANITE),
    "granitemoe_swa": (BASE, KV_OR_NULL, HEAD, BIAS, SHARED_GRANITE, LISTED_WINDOW, LISTED_KINDS),
    "solar_open": (BASE, KV, HEAD_NEEDED, BIAS, ROUTED),
    "mellum": (
        BASE,
        KV,
        HEAD_NEEDED,
        BIAS,
        {**ACTIVE, **WIDTH, ("num_experts", "num_local_experts"): EXPERTS},
        LISTED_WINDOW,
        DENSE_OR_SPARSE,
        LISTED_KINDS,
    ),
    "hy_v3": (
        BASE,
        KV,
        HEAD_NEEDED,
        BIAS,
        MLP_BIAS,
        PADDING,
        NUMBERED_EXPERTS,
        DENSE_OR_SPARSE,
    ),
    "hunyuan_v1_moe": (
        BASE,
        KV_OR_NULL,
        HEAD_NEEDED,
        BIAS,
        {"num_experts": EXPERTS, ("moe_topk", "num_experts_per_tok"): of(1, 2)},
        either({}, {"moe_topk": same_for_all}),
    ),
    "cohere2_moe": (
        BASE,
        KV_OR_NULL,
        HEAD_NEEDED,
        BIAS,
        {
            **ACTIVE,
            "num_experts": EXPERTS,
            "num_shared_experts": maybe(of(0, 1, 2)),
            "prefix_dense_intermediate_size": between(5, 60),
            **LISTED_WINDOW,
            "sliding_window_pattern": maybe(of(1, 2, 3)),
            "prefix_dense_sliding_window_pattern": maybe(of(1, 2)),
            "num_hidden_layers": between(3, 7),
            "first_k_dense_replace": maybe(of(0, 1, 3)),
            "rms_norm_eps": maybe(of(1e-5, None), 0.3),
        },
        DENSE_OR_SPARSE,
        LISTED_KINDS,
    ),
    "axk1": (
        BASE,
        {**LATENT, "q_lora_rank": between(4, 24)},
        BIAS,
        ROUTED,
        either(
            {},
            {"mlp_layer_types": or_null(per_layer("dense", "sparse"))},
            {"first_k_dense_replace": between(0, 4), "moe_layer_freq": maybe(of(1, 2))},
        ),
    ),
    "longcat_flash": (
        BASE,
        {**LATENT, "q_lora_rank": between(4, 24)},
        BIAS,
        {
            ("num_experts_per_tok", "moe_topk"): of(2, 3),
            ("n_routed_experts", "num_local_experts"): EXPERTS,
            ("expert_ffn_hidden_size", "moe_intermediate_size"): between(3, 40),
            ("ffn_hidden_size", "intermediate_size"): between(5, 60),
            "zero_expert_num": maybe(of(0, 2)),
            "router_bias": maybe(FLAG),
            "head_dim": same_as("qk_rope_head_dim"),
            "num_hidden_layers": of(2, 4, 6),
        },
    ),
    "mimo_v2_flash": (
        BASE,
        HEAD_NEEDED,
        BIAS,
        {
            **ACTIVE,
            **WIDTH,
            "num_key_value_heads": of(1, 2),
            "v_head_dim": of(4, 6, 10),
            ("n_routed_experts", "num_local_experts"): EXPERTS,
            **LISTED_WINDOW,
        },
        either({}, {"sliding_window_size": of(3, 8)}),
        DENSE_OR_SPARSE,
        LISTED_KINDS,
    ),
    "laguna": (
        BASE,
        KV,
        HEAD_NEEDED,
        BIAS,
        {
            **ACTIVE,
            **WIDTH,
            "num_experts": EXPERTS,
            "shared_expert_intermediate_size": between(3, 20),
            "gating": maybe(of(True, "per-head", "per-element")),
            "num_attention_heads_per_layer": maybe(or_null(heads_per_layer)),
            **LISTED_WINDOW,
        },
        DENSE_OR_SPARSE,
        LISTED_KINDS,
    ),
    "dbrx": (
        {
            "n_heads": of(4, 8),
            "d_model": of(32, 64),
            "n_layers": between(1, 5),
            "vocab_size": between(50, 400),
            "attn_config": of(
                {"kv_n_heads": 2, "clip_qkv": 8, "rope_theta": 1e4}, {"clip_qkv": 8, "rope_theta": 1e4}
            ),
            "ffn_config": of({"ffn_hidden_size": 20, "moe_num_experts": 6, "moe_top_k": 2}, {}),
        },
    ),
}
