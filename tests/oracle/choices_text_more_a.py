"""Recipes of further text decoders, to be joined with those of the other tables."""

from random import Random

from .choices import (
    FLAG,
    Fields,
    Recipe,
    any_of,
    between,
    either,
    maybe,
    of,
    or_null,
    per_layer,
    same_as,
    section,
)
from .dense import (
    BASE,
    BIAS,
    HEAD,
    HEAD_NEEDED,
    HEAD_OR_NULL,
    HEAD_SIZE,
    KV,
    KV_OR_NULL,
    LLAMA,
    MLP_BIAS,
    WINDOW,
)
from .experts import ACTIVE, EXPERTS, FIRST_DENSE, ROUTED, WIDTH
from .latent import INDEXED, LATENT, first_full, first_full_letters
from .wrappers import TIE, tower

PADDING = {"pad_token_id": of(0, None)}
GROUPS = either(
    {},
    {"n_group": of(None), "topk_group": of(None)},
    {"n_group": of(1, 2), "topk_group": of(1)},
    {"n_group": of(3), "topk_group": of(1, 4, None)},
)
LISTED_OR_EVERY_FEW = either(
    {},
    {"mlp_layer_types": or_null(per_layer("dense", "sparse"))},
    {"first_k_dense_replace": between(0, 4), "moe_layer_freq": between(1, 3)},
)


def earlier_sources(random: Random, fields: Fields) -> list[int]:
    """For each layer itself or an earlier layer that is its own source."""
    sources: list[int] = []
    for index in range(fields["num_hidden_layers"]):
        own = [each for each in range(index) if sources[each] == each]
        sources.append(random.choice([index, *own]))
    return sources


MISTRAL_LARGE4_TEXT: Recipe = (
    BASE,
    {name: choice for name, choice in LATENT.items() if name != "q_lora_rank"},
    {name: choice for name, choice in INDEXED.items() if name != "q_lora_rank"},
    BIAS,
    {
        **ACTIVE,
        **WIDTH,
        ("n_routed_experts", "num_local_experts", "num_experts"): EXPERTS,
        "n_shared_experts": of(0, 1, 2),
    },
    either({}, FIRST_DENSE, {"mlp_layer_types": or_null(per_layer("dense", "sparse"))}),
    either(
        {},
        {"indexer_types": or_null(first_full)},
        {"index_topk_pattern": first_full_letters},
        {"index_topk_freq": between(0, 4), "index_skip_topk_offset": maybe(between(0, 4))},
    ),
    either(
        {}, {"no_rope_layers": or_null(per_layer(0, 1))}, {"no_rope_layer_interval": maybe(between(1, 5))}
    ),
    {"kv_source_layers": maybe(or_null(earlier_sources))},
)

TEXTS: dict[str, Recipe] = {"mistral_large4_text": MISTRAL_LARGE4_TEXT}
"""Language models that stand only inside a wrapper."""

RECIPES: dict[str, Recipe] = {
    "diffllama": (
        BASE,
        {"num_key_value_heads": maybe(or_null(any_of(of(2), same_as("num_attention_heads"))))},
        HEAD_OR_NULL,
        BIAS,
    ),
    "internlm3": (
        *LLAMA,
        {
            "pad_token_id": of(0, None),
            ("attention_bias", "qkv_bias"): FLAG,
            ("mlp_bias", "bias"): same_as("attention_bias"),
        },
    ),
    "iquestcoder": (*LLAMA, {"clip_qkv": maybe(of(None, 8.0), 0.2), "use_sliding_window": maybe(FLAG, 0.2)}),
    "doge": (
        BASE,
        KV_OR_NULL,
        {"head_dim": maybe(HEAD_SIZE, 0.2)},
        BIAS,
        MLP_BIAS,
        {
            "sliding_window": maybe(or_null(WINDOW)),
            "keep_window_size": maybe(between(2, 40)),
            "is_moe": maybe(FLAG, 0.8),
            "num_experts": of(4, 9, 10, 30, 64),
            "num_experts_per_tok": of(1, 2, 3),
        },
    ),
    "mistral4": (
        BASE,
        LATENT,
        BIAS,
        ROUTED,
        FIRST_DENSE,
        {"pad_token_id": of(0, None)},
    ),
    "lfm3": (
        BASE,
        KV,
        HEAD,
        BIAS,
        {
            "pad_token_id": of(0, None),
            "conv_L_cache": maybe(between(2, 8)),
            "conv_bias": maybe(FLAG),
            "use_attention_gate": maybe(FLAG),
            "use_sandwich_norm": maybe(FLAG),
        },
        either(
            {"num_hidden_layers": between(1, 9)},
            {"layer_types": per_layer("conv", "full_attention", "sliding_attention")},
        ),
        {"sliding_window": maybe(WINDOW)},
    ),
    "axk2": (
        BASE,
        {**LATENT, **INDEXED},
        BIAS,
        ROUTED,
        GROUPS,
        {"gated_norm_rank": maybe(between(2, 20))},
        LISTED_OR_EVERY_FEW,
    ),
    "hy_v4": (
        BASE,
        {**LATENT, **INDEXED},
        BIAS,
        ROUTED,
        PADDING,
        {
            "mlp_layer_types": maybe(or_null(per_layer("dense", "sparse"))),
            "indexer_types": maybe(or_null(first_full)),
            "hc_mult": maybe(between(1, 5)),
        },
    ),
    "bailing_hybrid": (
        BASE,
        {name: choice for name, choice in LATENT.items() if name != "q_lora_rank"},
        HEAD,
        BIAS,
        PADDING,
        {
            "moe_intermediate_size": between(5, 60),
            ("num_local_experts", "num_experts"): of(4, 8, 16),
            ("num_experts_per_tok", "num_experts_per_token"): of(1, 2, 3),
            ("n_shared_experts", "num_shared_experts"): maybe(of(0, 1, 2)),
            ("n_group", "num_expert_group"): of(1, 2),
            "topk_group": of(1),
            "short_conv_kernel_size": maybe(between(1, 5)),
            "kda_safe_gate": maybe(FLAG),
        },
        either(
            {"layer_group_size": maybe(between(1, 4))},
            {"layer_types": per_layer("full_attention", "linear_attention")},
        ),
        either(
            {"first_k_dense_replace": maybe(between(0, 4))},
            {"mlp_layer_types": or_null(per_layer("dense", "sparse"))},
        ),
    ),
    "zaya": (
        {name: choice for name, choice in BASE.items() if name != "intermediate_size"},
        KV,
        HEAD_NEEDED,
        BIAS,
        PADDING,
        {
            "moe_intermediate_size": between(5, 60),
            "num_experts": of(1, 4, 8),
            "router_hidden_size": maybe(between(4, 30)),
            "cca_time0": maybe(between(2, 4)),
            "cca_time1": maybe(between(2, 4)),
            "lm_head_bias": maybe(FLAG),
        },
        either(
            {"sliding_window": maybe(or_null(WINDOW))},
            {"sliding_window": WINDOW, "layer_types": per_layer("hybrid", "hybrid_sliding")},
        ),
    ),
    "hrm_text": (
        BASE,
        HEAD,
        BIAS,
        MLP_BIAS,
        {
            "num_hidden_layers": between(1, 4),
            "H_cycles": maybe(between(1, 3)),
            "L_cycles": maybe(between(1, 3)),
            "L_bp_cycles": maybe(of([1], [2])),
            "prefix_lm": maybe(FLAG),
        },
    ),
}

WRAPPERS: dict[str, Recipe] = {
    "mistral_large4": (
        TIE,
        {"text_config": section("mistral_large4_text", MISTRAL_LARGE4_TEXT, named=0.7)},
        tower("pixtral"),
        {
            "spatial_merge_size": maybe(of(1, 2)),
            "multimodal_projector_bias": maybe(FLAG),
            "vision_feature_layer": maybe(of(-1, -2, [-1, -2])),
        },
    ),
}
