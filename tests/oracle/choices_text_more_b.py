"""Recipes of further language models and of the wrappers around them, which are listed apart."""

from random import Random

from . import special, vision
from .choices import (
    FLAG,
    Draw,
    Fields,
    Recipe,
    between,
    either,
    maybe,
    of,
    per_layer,
    same_as,
    section,
    some_layers,
)
from .dense import BASE, BIAS, HEAD_NEEDED, HEAD_OR_NULL, KV, KV_OR_NULL, PADDING, SLIDING_OR_FULL
from .experts import ACTIVE, EXPERTS, WIDTH

TIE = {"tie_word_embeddings": maybe(FLAG)}
LINEAR = {
    "linear_num_key_heads": of(1, 2),
    "linear_num_value_heads": of(2, 4),
    "linear_key_head_dim": of(4, 6),
    "linear_value_head_dim": of(4, 8),
    "linear_conv_kernel_dim": maybe(of(2, 3, 4)),
}


def layers_of(field: str, kind: str, *, first: int) -> Draw:
    """Some of the layers of that kind, counted from ``first``; ``field`` lists the kinds."""

    def choice(random: Random, fields: Fields) -> list[int]:
        found = [index + first for index, each in enumerate(fields[field]) if each == kind]
        return random.sample(found, random.randint(0, len(found)))

    return choice


def ending_with(last: str, *others: str) -> Draw:
    """A kind per layer, the last one given: the class asks an attention layer for the length of its cache."""

    def choice(random: Random, fields: Fields) -> list[str]:
        return [*random.choices((last, *others), k=fields["num_hidden_layers"] - 1), last]

    return choice


QWEN4: Recipe = (
    BASE,
    KV,
    HEAD_NEEDED,
    BIAS,
    LINEAR,
    ACTIVE,
    WIDTH,
    {
        "num_experts": EXPERTS,
        "shared_expert_intermediate_size": of(9, 20),
        "hc_count": maybe(of(2, 3)),
        "hc_lowrank": of(4, 7),
        "indexer_n_heads": of(1, 2),
        "indexer_kv_heads": of(1),
        "indexer_head_dim": of(16, 18),
        "indexer_budget": of(12, 24),
        "indexer_compress_ratio": of(2, 3),
        "eos_token_id": of(1, [2, 3]),
    },
    either(
        {"full_attention_interval": maybe(between(1, 5))},
        {"layer_types": ending_with("indexed_attention", "linear_attention", "full_attention")},
        {
            "layer_types": ending_with("full_attention", "linear_attention"),
            "ngram_size": maybe(of(2, 3)),
            "heads_per_ngram": of(2, 4),
            "ple_embed_dim": maybe(of(48, 64)),
            "ple_conv_kernel_size": maybe(of(2, 3)),
            "ngram_vocab_size_base": of(1, 100, 1000),
            "make_ngram_vocab_size_divisible_by": maybe(of(1, 10)),
            "ple_layer_ids": layers_of("layer_types", "linear_attention", first=1),
        },
    ),
)

INDEX_SIZES = {
    "index_n_heads": of(1, 2),
    "index_head_dim": of(8, 16),
    "index_block_size": of(2, 4),
    "index_topk_blocks": of(1, 2),
}
MINIMAX_M3: Recipe = (
    BASE,
    KV,
    HEAD_NEEDED,
    ACTIVE,
    {
        ("num_local_experts", "num_experts"): EXPERTS,
        "shared_intermediate_size": of(9, 20),
        "dense_intermediate_size": of(11, 30),
    },
    either(
        INDEX_SIZES,
        {**INDEX_SIZES, "layer_types": per_layer("minimax_m3_sparse", "full_attention")},
        {
            "index_block_size": of(2, 4),
            "sparse_attention_config": lambda random, fields: {
                "sparse_num_index_heads": random.choice((1, 2)),
                "sparse_index_dim": random.choice((8, 16)),
                "sparse_topk_blocks": 2,
                **random.choice(
                    ({}, {"sparse_attention_freq": random.choices((0, 1), k=fields["num_hidden_layers"])})
                ),
            },
        },
    ),
    either({}, {"mlp_layer_types": per_layer("dense", "sparse")}, {"moe_layer_freq": per_layer(0, 1)}),
)

ROTARY = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}
COMPASS: Recipe = (
    BASE,
    KV_OR_NULL,
    BIAS,
    PADDING,
    {
        "eos_token_id": of(1),
        "rope_parameters": of(dict.fromkeys(("full_attention", "sliding_attention"), ROTARY)),
    },
    either(
        {},
        {"sliding_window": of(2, 7), "sliding_window_pattern": of(2)},
        {"sliding_window": of(2, 7, 16), "layer_types": SLIDING_OR_FULL},
    ),
)
GLM5_FIELDS = {
    **BASE,
    **BIAS,
    **PADDING,
    **WIDTH,
    "num_key_value_heads": same_as("num_attention_heads"),
    "num_experts_per_tok": of(1, 2, 3),
    ("n_routed_experts", "num_local_experts"): EXPERTS,
    "n_shared_experts": maybe(of(0, 1, 2)),
    "kv_lora_rank": of(10, 16),
    "q_lora_rank": of(8, 12),
    "qk_nope_head_dim": of(8, 10),
    "v_head_dim": of(4, 8),
    "index_head_dim": of(8, 12),
    "index_n_heads": of(1, 2),
    "index_kpool": of(2, 4),
    "index_topk": of(4, 8),
    "index_kpool_always_select_tail": maybe(FLAG),
    "hc_mult": maybe(of(1, 2, 3)),
    "head_dim": maybe(of(8)),
}
DELTA_SIZES = {"linear_head_dim": of(4, 8), "linear_num_heads": of(2, 3), "linear_conv_kernel_dim": of(2, 4)}
GLM5: Recipe = (
    GLM5_FIELDS,
    either(
        DELTA_SIZES,
        {
            "linear_head_dim": of(4, 8),
            "linear_attn_config": of(
                {"num_heads": 2}, {"num_heads": 3, "head_dim": 6, "short_conv_kernel_size": 3}
            ),
        },
    ),
    either({}, {"layer_types": per_layer("linear_attention", "indexed_attention", "full_attention")}),
    either({}, {"mlp_layer_types": per_layer("dense", "sparse")}),
    either(
        {},
        {"indexer_types": per_layer("full", "shared")},
        {"index_topk_pattern": per_layer("full", "shared")},
        {"index_topk_freq": of(1, 2, 3), "index_skip_topk_offset": maybe(of(0, 1, 3))},
    ),
)
ARIA: Recipe = (
    BASE,
    KV_OR_NULL,
    HEAD_OR_NULL,
    BIAS,
    PADDING,
    {
        "mlp_bias": maybe(FLAG),
        "moe_num_experts": EXPERTS,
        "moe_topk": of(1, 2, 3),
        "moe_num_shared_experts": maybe(of(1, 2, 3)),
    },
)
INKLING: Recipe = (
    BASE,
    KV,
    HEAD_NEEDED,
    {
        "moe_intermediate_size": between(3, 40),
        "num_experts_per_tok": of(1, 2, 3),
        ("n_routed_experts", "num_local_experts"): EXPERTS,
        "n_shared_experts": maybe(of(1, 2, 3)),
        "swa_num_attention_heads": of(2, 4),
        "swa_num_key_value_heads": of(1, 2),
        "swa_head_dim": of(6, 8),
        ("sliding_window_size", "sliding_window"): of(4, 9, 30),
        "d_rel": of(3, 4),
        "rel_extent": of(12, 40),
        ("conv_kernel_size", "sconv_kernel_size"): maybe(of(2, 3)),
        "unpadded_vocab_size": maybe(of(40)),
    },
    either({}, {"local_layer_ids": some_layers()}, {"layer_types": per_layer("hybrid", "hybrid_sliding")}),
    either({}, {"dense_mlp_idx": of(0, 1, 2)}, {"mlp_layer_types": per_layer("dense", "sparse")}),
    either({}, {"dense_intermediate_size": of(20, 30)}),
)
SWA_SIZES = {
    "swa_num_attention_heads": of(2, 3),
    "swa_num_key_value_heads": same_as("swa_num_attention_heads"),
    "swa_q_lora_rank": of(6, 8),
    "swa_kv_lora_rank": of(8, 12),
    "swa_head_dim": of(12),
    "swa_qk_nope_head_dim": of(8, 10),
    "swa_v_head_dim": of(4, 6),
}


def sliding_sizes(random: Random, fields: Fields) -> Fields:
    """Sizes of the sliding layers, said for each of them."""
    heads = random.choice((2, 3))
    sizes = {"num_attention_heads": heads, "num_key_value_heads": heads, "head_dim": 12}
    sizes |= {"qk_nope_head_dim": 8, "qk_rope_head_dim": 4, "kv_lora_rank": random.choice((8, 12))}
    kinds = enumerate(fields["layer_types"])
    return {str(index): sizes for index, kind in kinds if kind == "sliding_attention"}


DOTS3: Recipe = (
    BASE,
    BIAS,
    PADDING,
    WIDTH,
    {
        "num_key_value_heads": same_as("num_attention_heads"),
        "num_experts_per_tok": of(1, 2, 3),
        ("n_routed_experts", "num_local_experts"): EXPERTS,
        "n_shared_experts": maybe(of(1, 2)),
        "kv_lora_rank": of(10, 16),
        "q_lora_rank": of(8, 12),
        "qk_nope_head_dim": of(8, 10),
        "qk_rope_head_dim": of(4, 6),
        "head_dim": of(16),
        "v_head_dim": of(4, 8),
        "index_head_dim": of(8, 12),
        "index_n_heads": of(1, 2),
        "index_topk": of(4, 8),
        "sliding_window": maybe(of(None, 5, 9)),
    },
    either(
        {**SWA_SIZES, "use_dsa": maybe(FLAG), "use_sliding_window": maybe(FLAG)},
        {
            **SWA_SIZES,
            "use_dsa": maybe(FLAG),
            "layer_types": per_layer("full_attention", "indexed_attention", "sliding_attention"),
        },
        {
            "layer_types": per_layer("full_attention", "indexed_attention", "sliding_attention"),
            "per_layer_config": sliding_sizes,
        },
    ),
    either(
        {"shared_experts_intermediate_size": of(9, 12)}, {"moe_shared_expert_intermediate_size": of(7, 14)}
    ),
    either(
        {},
        {"mlp_layer_types": per_layer("dense", "sparse")},
        {"first_k_dense_replace": of(0, 2), "moe_layer_freq": maybe(of(1, 2))},
        {"moe_layer_freq": per_layer(0, 1)},
    ),
)
RECIPES: dict[str, Recipe] = {
    "dots3_note_text": DOTS3,
    "aria_text": ARIA,
    "inkling_text": INKLING,
    "qwen4_exp_text": QWEN4,
    "minimax_m3_vl_text": MINIMAX_M3,
    "cohere_compass_text": COMPASS,
    "gemma4_unified_text": special.RECIPES["gemma4_text"],
}

WRAPPERS: dict[str, Recipe] = {
    "aria": (
        TIE,
        {
            "text_config": section("aria_text", ARIA, named=0.7),
            "vision_config": section("idefics3_vision", vision.RECIPES["idefics3_vision"]),
            "projector_patch_to_query_dict": maybe(of(None, {"16": 4}, {"1": 8, "25": 6})),
        },
    ),
    "cohere_compass": (
        TIE,
        {
            "text_config": section("cohere_compass_text", COMPASS, named=0.7),
            "vision_config": section("cohere_compass_vision", vision.RECIPES["qwen3_vl_vision"], named=0.7),
        },
    ),
    "glm5_next": (
        TIE,
        either({"text_config": section("glm5_next_text", GLM5, named=0.7)}, {**GLM5_FIELDS, **DELTA_SIZES}),
        {
            "vision_config": section(
                "glm5_next_vision",
                (*vision.RECIPES["glm_ocr_vision"], {"projection_intermediate_size": of(24, 40)}),
                named=0.7,
            )
        },
    ),
    "minimax_m3_vl": (
        TIE,
        {
            "text_config": section("minimax_m3_vl_text", MINIMAX_M3, named=0.7),
            "vision_config": section(
                "minimax_m3_vl_vision",
                (
                    vision.LAYERS,
                    vision.CHANNELS,
                    {"spatial_merge_size": maybe(of(1, 2, 3)), "temporal_patch_size": maybe(of(1, 2))},
                ),
                named=0.7,
            ),
            "projector_hidden_size": of(24, 48),
        },
    ),
    "qwen4_exp": (
        TIE,
        {
            "text_config": section("qwen4_exp_text", QWEN4, named=0.7),
            "vision_config": section("qwen4_exp_vision", vision.RECIPES["qwen3_5_vision"], named=0.7),
        },
    ),
}
