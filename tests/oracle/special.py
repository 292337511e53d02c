"""Recipes of the architectures with mechanisms of their own: streams, shared blocks, recurrences."""

from collections.abc import Callable
from random import Random

from .choices import (
    ABSENT,
    FLAG,
    Draw,
    Fields,
    Recipe,
    between,
    divisor_of,
    either,
    maybe,
    of,
    or_null,
    per_layer,
    times,
)
from .dense import BASE, BIAS, HEAD, HEAD_NEEDED, KV, KV_OR_NULL, SLIDING_OR_FULL, WINDOW
from .experts import ACTIVE, EXPERTS, WIDTH
from .latent import LATENT

PADDING = {"pad_token_id": of(0)}
"""The class's default lies beyond a small vocabulary."""
SMALL_TABLES = {
    "vocab_size_per_layer_input": between(50, 400),
    "hidden_size_per_layer_input": between(3, 12),
}
LINEAR_OR_FULL = per_layer("linear_attention", "full_attention")
HYBRIDS = {"layers_block_type": per_layer("mamba", "linear_attention", "hybrid")}


def borrowers(random: Random, fields: Fields) -> int:
    """Often none; some may leave a kind of attention without a lender, which is refused."""
    return random.choice((0, random.randrange((fields["num_hidden_layers"] + 1) // 2)))


def repeated(choice: Callable[[Random, Fields], int]) -> Draw:
    """One number for each layer."""
    return lambda random, fields: [choice(random, fields) for _ in range(fields["num_hidden_layers"])]


def numbered_layers(random: Random, fields: Fields) -> dict[str, object]:
    """The section of published files: layers are counted from 1."""
    full = {number for number in range(1, fields["num_hidden_layers"] + 1) if random.random() < 0.4}
    others = set(range(1, fields["num_hidden_layers"] + 1)) - full
    return {
        "full_attn_layers": sorted(full),
        "kda_layers": sorted(others),
        "head_dim": random.choice((4, 8)),
        "num_heads": random.choice((2, 3)),
        "short_conv_kernel_size": random.choice((2, 4)),
    }


def several_hybrids(random: Random, fields: Fields) -> list[str]:
    """At least two, where the class can tie them."""
    rest = random.choices(("mamba", "linear_attention", "hybrid"), k=max(fields["num_hidden_layers"] - 2, 0))
    kinds = ["hybrid", "hybrid", *rest]
    random.shuffle(kinds)
    return kinds


def both_kinds(random: Random, fields: Fields) -> list[str]:
    """At least one layer of each kind."""
    rest = random.choices(("linear_attention", "full_attention"), k=fields["num_hidden_layers"] - 2)
    kinds = ["linear_attention", "full_attention", *rest]
    random.shuffle(kinds)
    return kinds


def ratios(random: Random, fields: Fields) -> list[int]:
    """A ratio of compression for each layer, and some for prediction layers."""
    return random.choices((0, 4, 128), k=fields["num_hidden_layers"] + random.randint(0, 1))


def overridden(random: Random, fields: Fields) -> dict[str, dict[str, int]]:
    """Head sizes of the layers of one kind; the last layer always attends to everything."""
    listed, last = fields["layer_types"], fields["num_hidden_layers"] - 1
    if not isinstance(listed, list):
        listed = ["sliding_attention" if (i + 1) % 6 else "full_attention" for i in range(last + 1)]
    kinds = [*listed[:-1], "full_attention"]
    changed, size = random.choice(("sliding_attention", "full_attention")), random.choice((8, 16))
    changes = {"head_dim": size, "num_key_value_heads": fields["num_attention_heads"]}
    return {str(index): changes for index, kind in enumerate(kinds) if kind == changed}


RECIPES: dict[str, Recipe] = {
    "gemma3n_text": (
        BASE,
        KV,
        HEAD_NEEDED,
        BIAS,
        SMALL_TABLES,
        {
            "num_hidden_layers": between(1, 14),
            "num_kv_shared_layers": borrowers,
            "altup_num_inputs": maybe(between(1, 5)),
            "laurel_rank": between(2, 9),
            "sliding_window": maybe(WINDOW),
        },
        either({}, {"intermediate_size": repeated(lambda random, fields: random.randint(5, 60))}),
        either({}, {"layer_types": or_null(SLIDING_OR_FULL)}),
    ),
    "gemma4_text": (
        BASE,
        KV,
        HEAD_NEEDED,
        BIAS,
        {**SMALL_TABLES, "hidden_size_per_layer_input": of(0, 4, 7)},
        {
            "num_hidden_layers": between(1, 14),
            "num_kv_shared_layers": borrowers,
            "attention_k_eq_v": maybe(FLAG),
            "use_double_wide_mlp": maybe(FLAG),
            "sliding_window": maybe(WINDOW),
        },
        either({}, {"global_head_dim": of(8, 16, 32)}, {"num_global_key_value_heads": of(None, 1, 2)}),
        {"layer_types": maybe(or_null(SLIDING_OR_FULL))},
        either({}, {}, {"per_layer_config": overridden}),
        either(
            {"enable_moe_block": of(False)},
            {
                **WIDTH,
                "enable_moe_block": of(True),
                "num_experts": EXPERTS,
                "top_k_experts": of(1, 2),
            },
        ),
    ),
    "zamba": (
        BASE,
        KV,
        PADDING,
        {
            ("attention_head_dim", "head_dim"): maybe(of(8, 12)),
            "attention_hidden_size": maybe(of(None), 0.3),
            "n_mamba_heads": of(1, 2, 4),
            "mamba_d_state": of(4, 8),
            "mamba_d_conv": maybe(of(2, 3)),
            "mamba_expand": maybe(of(1, 2)),
            "mamba_dt_rank": maybe(of("auto", 5)),
            "mamba_conv_bias": maybe(FLAG),
            "mamba_proj_bias": maybe(FLAG),
        },
        either(
            {
                "num_hidden_layers": between(9, 14),
                "attn_layer_period": maybe(between(5, 6)),
                "attn_layer_offset": maybe(between(0, 4)),
            },
            {"num_hidden_layers": between(2, 9), "layers_block_type": several_hybrids},
        ),
    ),
    "zamba2": (
        BASE,
        KV_OR_NULL,
        PADDING,
        {
            "n_mamba_heads": of(2, 4),
            "mamba_d_state": of(4, 8),
            "mamba_d_conv": maybe(of(2, 3)),
            "mamba_expand": maybe(of(1, 2)),
            "mamba_ngroups": of(1, 2),
            "intermediate_size": or_null(between(5, 99)),
            "use_conv_bias": maybe(FLAG),
            "add_bias_linear": maybe(FLAG),
            "num_mem_blocks": maybe(between(1, 3)),
            "adapter_rank": between(2, 9),
            "use_shared_attention_adapter": maybe(FLAG),
            "use_mem_rope": maybe(FLAG),
            "num_hidden_layers": between(1, 12),
        },
        either(HYBRIDS, HYBRIDS, {"num_hidden_layers": of(54)}),
    ),
    "jetmoe": (
        {
            "hidden_size": of(32, 48, 50),
            "num_hidden_layers": between(1, 5),
            "vocab_size": between(50, 400),
            "intermediate_size": between(5, 60),
            "tie_word_embeddings": maybe(FLAG),
            "num_key_value_heads": of(1, 2, 4),
            ("kv_channels", "head_dim"): of(4, 8),
            "num_local_experts": EXPERTS,
            "num_experts_per_tok": maybe(of(1, 2, 5)),
        },
    ),
    "recurrent_gemma": (
        BASE,
        KV_OR_NULL,
        BIAS,
        {
            "lru_width": or_null(times("num_attention_heads", 4, 10)),
            "conv1d_width": maybe(of(2, 3)),
            ("attention_window_size", "sliding_window"): maybe(WINDOW),
            "block_types": maybe(of(["recurrent"], ["attention", "recurrent"], ["recurrent", "attention"])),
        },
    ),
    "xlstm": (
        {
            "hidden_size": of(64, 96, 128),
            "num_hidden_layers": between(1, 5),
            "num_heads": of(2, 4),
            "vocab_size": between(50, 400),
            "use_bias": maybe(FLAG),
            "qk_dim_factor": maybe(of(0.25, 0.5, 1.0)),
            "v_dim_factor": maybe(of(0.5, 1.0)),
            "ffn_proj_factor": maybe(of(1.3, 2.0, 2.667, 3.003)),
            "ffn_round_up_to_multiple_of": maybe(of(1, 16, 64)),
            "weight_mode": maybe(of("single", "fused")),
            "tie_word_embeddings": maybe(FLAG),
        },
    ),
    "kimi_linear": (
        BASE,
        LATENT,
        BIAS,
        PADDING,
        ACTIVE,
        WIDTH,
        {
            ("num_local_experts", "num_experts"): EXPERTS,
            ("n_shared_experts", "num_shared_experts"): of(0, 1, 2),
            "linear_num_heads": of(1, 2),
            "linear_head_dim": of(4, 10),
            "linear_conv_kernel_dim": maybe(of(2, 3)),
        },
        either({}, {"layer_types": or_null(LINEAR_OR_FULL)}, {"linear_attn_config": numbered_layers}),
        either(
            {},
            {"mlp_layer_types": or_null(per_layer("dense", "sparse"))},
            {"first_k_dense_replace": between(0, 5)},
        ),
    ),
    "minimax": (
        BASE,
        KV,
        HEAD,
        {
            **ACTIVE,
            ("num_local_experts", "num_experts"): EXPERTS,
            "block_size": of(4, 16),
            "num_hidden_layers": between(2, 6),
        },
        either({}, {"layer_types": or_null(LINEAR_OR_FULL)}),
        {"sliding_window": maybe(or_null(WINDOW), 0.3)},
    ),
    "olmo_hybrid": (
        BASE,
        KV_OR_NULL,
        BIAS,
        PADDING,
        {
            "num_hidden_layers": between(2, 9),
            "linear_num_key_heads": maybe(or_null(of(2, 4))),
            "linear_num_value_heads": maybe(or_null(of(2, 4))),
            "linear_key_head_dim": maybe(or_null(of(4, 10))),
            "linear_value_head_dim": maybe(or_null(of(4, 10))),
            "linear_conv_kernel_dim": maybe(of(2, 3)),
        },
        either({}, {"layer_types": or_null(both_kinds)}, {"layer_types": LINEAR_OR_FULL}),
        either({}, {}, {"head_dim": of(4, 8, 10)}),
    ),
    "lfm2_moe": (
        BASE,
        KV,
        {
            **ACTIVE,
            **WIDTH,
            "num_experts": EXPERTS,
            "num_dense_layers": maybe(between(0, 4)),
            "conv_L_cache": maybe(of(2, 4)),
            "conv_bias": maybe(FLAG),
            "use_expert_bias": maybe(FLAG),
            "layer_types": per_layer("conv", "full_attention"),
        },
        either({}, {}, {"tie_embedding": FLAG}),
        either({}, {}, {"head_dim": of(4, 8, 10)}),
    ),
    "deepseek_v4": (
        {**BASE, "intermediate_size": ABSENT},
        ACTIVE,
        {
            ("moe_intermediate_size", "intermediate_size"): between(3, 40),
            ("n_routed_experts", "num_local_experts"): EXPERTS,
            "n_shared_experts": maybe(of(1, 2)),
            "mlp_bias": maybe(FLAG),
            "head_dim": of(16, 32),
            "q_lora_rank": between(4, 24),
            "o_groups": divisor_of("num_attention_heads"),
            "o_lora_rank": of(4, 6),
            "index_n_heads": between(1, 3),
            "index_head_dim": of(8, 16),
            "index_topk": maybe(between(1, 9)),
            "hc_mult": maybe(between(1, 5)),
            "sliding_window": maybe(of(4, 8, 100)),
        },
        either(
            {},
            {"compress_ratios": ratios},
            {
                "layer_types": or_null(
                    per_layer(
                        "sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"
                    )
                )
            },
        ),
        either(
            {},
            {
                "compress_rates": of(
                    {"compressed_sparse_attention": 2, "heavily_compressed_attention": 8}, None
                )
            },
            {"compress_rate_csa": of(2, 8), "compress_rate_hca": of(16)},
        ),
        either({}, {"num_hash_layers": of(0, 1)}, {"mlp_layer_types": per_layer("moe", "hash_moe")}),
    ),
}
