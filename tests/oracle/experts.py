"""Recipes of the decoders with experts and grouped-query attention."""

from .choices import FLAG, Recipe, between, either, maybe, of, or_null, per_layer, some_layers
from .dense import (
    BASE,
    BIAS,
    HEAD,
    HEAD_NEEDED,
    HEAD_OR_NULL,
    KV,
    KV_OR_ABSENT,
    KV_OR_NULL,
    SLIDING_OR_FULL,
    SWITCHED,
    WINDOW,
)

EXPERTS = of(4, 8, 12)
ACTIVE = {"num_experts_per_tok": of(1, 2, 3)}
LOCAL_EXPERTS = {**ACTIVE, ("num_local_experts", "num_experts"): EXPERTS}
OPTIONAL_WINDOW = {"sliding_window": maybe(or_null(WINDOW))}
WIDTH = {"moe_intermediate_size": between(3, 40)}
FIRST_DENSE = {"first_k_dense_replace": maybe(between(0, 8))}
ROUTED = {
    **ACTIVE,
    **WIDTH,
    ("n_routed_experts", "num_local_experts"): EXPERTS,
    "n_shared_experts": of(0, 1, 2),
}
STEPS = either(
    {},
    {"decoder_sparse_step": between(1, 3)},
    {"mlp_only_layers": or_null(some_layers())},
    {"decoder_sparse_step": between(1, 3), "mlp_only_layers": some_layers()},
)
CHUNKED_OR_FULL = per_layer("chunked_attention", "full_attention")

RECIPES: dict[str, Recipe] = {
    "mixtral": (BASE, KV_OR_ABSENT, HEAD_OR_NULL, LOCAL_EXPERTS, OPTIONAL_WINDOW),
    "phimoe": (
        BASE,
        KV,
        HEAD,
        BIAS,
        {**ACTIVE, "num_local_experts": EXPERTS, "lm_head_bias": maybe(FLAG)},
        OPTIONAL_WINDOW,
    ),
    "granitemoe": (BASE, KV_OR_NULL, HEAD, BIAS, {**ACTIVE, "num_local_experts": EXPERTS}),
    "olmoe": (BASE, KV_OR_NULL, BIAS, {**ACTIVE, ("num_experts", "num_local_experts"): EXPERTS}),
    "minimax_m2": (BASE, KV, HEAD, LOCAL_EXPERTS),
    "qwen2_moe": (
        BASE,
        KV,
        HEAD,
        {
            **ACTIVE,
            "num_experts": of(0, 4, 8, 12),
            "moe_intermediate_size": maybe(between(3, 40)),
            "shared_expert_intermediate_size": of(9, 20),
            "qkv_bias": maybe(FLAG),
        },
        STEPS,
        SWITCHED,
    ),
    "qwen3_moe": (
        BASE,
        KV,
        HEAD,
        BIAS,
        {
            **ACTIVE,
            ("num_experts", "num_local_experts"): of(0, 4, 8, 12),
            "moe_intermediate_size": maybe(between(3, 40)),
            "use_sliding_window": maybe(FLAG),
            "sliding_window": maybe(WINDOW),
        },
        STEPS,
    ),
    "glm4_moe": (BASE, KV, HEAD, BIAS, ROUTED, FIRST_DENSE, {"use_qk_norm": maybe(FLAG)}),
    "dots1": (
        BASE,
        KV_OR_NULL,
        HEAD,
        BIAS,
        ROUTED,
        FIRST_DENSE,
        either(
            {},
            {"sliding_window": or_null(WINDOW), "max_window_layers": between(0, 8)},
            {"sliding_window": WINDOW, "layer_types": SLIDING_OR_FULL},
        ),
    ),
    "ernie4_5_moe": (
        BASE,
        KV,
        HEAD,
        {
            **WIDTH,
            ("moe_num_experts", "num_experts"): EXPERTS,
            ("moe_k", "num_experts_per_tok"): of(1, 2, 3),
            "moe_num_shared_experts": maybe(of(0, 1, 2)),
            "moe_layer_interval": maybe(between(1, 3)),
            "moe_layer_start_index": maybe(between(0, 3)),
            "moe_layer_end_index": maybe(of(-1, 0, 2, 5)),
            "use_bias": maybe(of(True, False)),
        },
    ),
    "gpt_oss": (
        BASE,
        KV,
        HEAD,
        BIAS,
        LOCAL_EXPERTS,
        either({}, {"sliding_window": WINDOW}, {"sliding_window": WINDOW, "layer_types": SLIDING_OR_FULL}),
    ),
    "llama4_text": (
        BASE,
        KV,
        HEAD_NEEDED,
        BIAS,
        {
            **ACTIVE,
            "num_local_experts": EXPERTS,
            "intermediate_size_mlp": between(4, 50),
            "attention_chunk_size": maybe(of(5, 16)),
            "use_qk_norm": maybe(FLAG),
        },
        either({}, {"moe_layers": or_null(some_layers())}, {"interleave_moe_layer_step": between(1, 3)}),
        either(
            {},
            {"no_rope_layers": of(None, [])},
            {"no_rope_layers": per_layer(0, 1)},
            {"no_rope_layer_interval": between(1, 4)},
            {"layer_types": CHUNKED_OR_FULL},
        ),
    ),
}
