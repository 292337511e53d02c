"""Recipes of the state-space models and of the hybrids with attention or convolutions."""

from random import Random

from .choices import (
    ABSENT,
    FLAG,
    Draw,
    Fields,
    Recipe,
    between,
    either,
    maybe,
    of,
    or_null,
    per_layer,
    some_layers,
    times,
)
from .dense import BASE, BIAS, HEAD, HEAD_NEEDED, KV, MLP_BIAS
from .experts import ACTIVE, STEPS

MIXER_ONLY = {
    "hidden_size": of(48, 64, 96, 128),
    "num_hidden_layers": between(1, 8),
    "vocab_size": between(50, 400),
    "tie_word_embeddings": maybe(FLAG),
}
MAMBA: Recipe = (
    MIXER_ONLY,
    {
        "hidden_size": of(48, 50, 64, 70, 128),
        "state_size": maybe(of(4, 8, 16)),
        "expand": maybe(of(1, 2, 3)),
        "conv_kernel": maybe(of(2, 4)),
        "use_bias": maybe(FLAG),
        "use_conv_bias": maybe(FLAG),
        "time_step_rank": maybe(of("auto", 3, 10)),
        "intermediate_size": maybe(of(50, 120), 0.2),
    },
)


def head_size(inner: str, heads: str) -> Draw:
    """The size of heads that fill the inner width, a number or "auto"."""
    return lambda random, fields: random.choice(("auto", fields[inner] // fields[heads]))


def inner_share(random: Random, fields: Fields) -> int | str:
    """The size of heads that fill expand * hidden."""
    inner: int = fields["mamba_expand"] * fields["hidden_size"]
    return random.choice(("auto", inner // fields["mamba_n_heads"]))


HYBRID = {**BASE, "num_attention_heads": of(4, 8), "hidden_size": of(48, 64, 96, 128)}
MAMBA2_MIXER = {
    "mamba_expand": of(1, 2),
    "mamba_n_heads": of(4, 8),
    "mamba_d_head": inner_share,
    "mamba_d_state": of(4, 16, 20),
    "mamba_n_groups": of(1, 2, 4),
    "mamba_d_conv": maybe(of(2, 3, 4)),
    "mamba_conv_bias": maybe(FLAG),
    "mamba_proj_bias": maybe(FLAG),
}
BLOCKS = {"M": "mamba", "*": "attention", "-": "mlp", "E": "moe"}
NEW_NAMES = {"mamba": "linear_attention", "attention": "full_attention", "mlp": "mlp", "moe": "moe"}


def letters(random: Random, fields: Fields) -> str:
    return "".join(random.choices("M*-E", k=random.randint(1, 9)))


def blocks(*, renamed: bool) -> Draw:
    """A list of blocks under the old or the new names."""

    def choice(random: Random, fields: Fields) -> list[str]:
        chosen = [BLOCKS[letter] for letter in letters(random, fields)]
        return [NEW_NAMES[block] for block in chosen] if renamed else chosen

    return choice


DELTA_NET = {
    "linear_num_key_heads": of(1, 2),
    "linear_num_value_heads": of(2, 4),
    "linear_key_head_dim": of(8, 12),
    "linear_value_head_dim": of(8, 10),
    "linear_conv_kernel_dim": maybe(of(2, 3)),
}
DELTA_OR_FULL = either(
    {},
    {"layer_types": per_layer("linear_attention", "full_attention")},
    {"full_attention_interval": of(1, 2, 3)},
)
SHARED_EXPERT = {
    **ACTIVE,
    "num_experts": of(2, 6),
    "moe_intermediate_size": between(8, 40),
    "shared_expert_intermediate_size": between(8, 40),
}

RECIPES: dict[str, Recipe] = {
    "mamba": MAMBA,
    "falcon_mamba": MAMBA,
    "mamba2": (
        MIXER_ONLY,
        {
            "num_heads": of(4, 8),
            "head_dim": of(8, 10, 16),
            "expand": of(1, 2),
            "hidden_size": lambda random, fields: (
                fields["num_heads"] * fields["head_dim"] // fields["expand"]
            ),
            "n_groups": of(1, 2),
            "state_size": maybe(of(8, 16)),
            "conv_kernel": maybe(of(2, 3)),
            "use_bias": maybe(FLAG),
            "use_conv_bias": maybe(FLAG),
        },
    ),
    "bamba": (
        HYBRID,
        KV,
        MAMBA2_MIXER,
        BIAS,
        MLP_BIAS,
        {"attn_layer_indices": maybe(or_null(some_layers()), 0.8), "pad_token_id": maybe(of(0))},
    ),
    "granitemoehybrid": (
        HYBRID,
        KV,
        MAMBA2_MIXER,
        BIAS,
        {**ACTIVE, "num_local_experts": of(0, 2, 5), "shared_intermediate_size": between(20, 100)},
        either(
            {},
            {"layer_types": or_null(per_layer("linear_attention", "full_attention"))},
            {("layer_types", "layers_block_type"): per_layer("mamba", "attention")},
        ),
    ),
    "falcon_h1": (
        BASE,
        KV,
        HEAD,
        BIAS,
        MLP_BIAS,
        {
            "mamba_n_heads": of(4, 8),
            "mamba_d_ssm": times("mamba_n_heads", 4, 8, 10),
            "mamba_d_head": maybe(head_size("mamba_d_ssm", "mamba_n_heads"), 0.3),
            "mamba_d_state": of(4, 16),
            "mamba_n_groups": of(1, 2),
            "mamba_d_conv": maybe(of(2, 4)),
            "mamba_rms_norm": maybe(FLAG),
            "mamba_conv_bias": maybe(FLAG),
            "mamba_proj_bias": maybe(FLAG),
            "projectors_bias": maybe(FLAG),
        },
        either({}, {}, {"mamba_d_ssm": of(None), "mamba_d_head": ABSENT}),
    ),
    "jamba": (
        BASE,
        KV,
        {
            **ACTIVE,
            ("num_experts", "num_local_experts"): of(0, 1, 2, 6),
            "attn_layer_period": between(1, 4),
            "attn_layer_offset": lambda random, fields: random.randrange(fields["attn_layer_period"]),
            "expert_layer_period": between(1, 3),
            "expert_layer_offset": lambda random, fields: random.randrange(fields["expert_layer_period"]),
            "mamba_d_state": maybe(of(4, 8)),
            "mamba_d_conv": maybe(of(2, 3)),
            "mamba_expand": maybe(of(1, 3)),
            "mamba_dt_rank": maybe(of("auto", 5)),
            "mamba_conv_bias": maybe(FLAG),
            "mamba_proj_bias": maybe(FLAG),
        },
    ),
    "nemotron_h": (
        BASE,
        KV,
        HEAD,
        BIAS,
        MLP_BIAS,
        {
            **ACTIVE,
            "num_hidden_layers": maybe(between(1, 9), 0.3),
            "mamba_num_heads": of(4, 8),
            "mamba_head_dim": of(8, 10),
            "ssm_state_size": of(4, 16),
            ("n_groups", "mamba_n_groups"): of(1, 2),
            ("conv_kernel", "mamba_d_conv"): maybe(of(2, 3)),
            ("use_conv_bias", "mamba_conv_bias"): maybe(FLAG),
            "use_bias": maybe(FLAG),
            "n_routed_experts": of(2, 5),
            "moe_intermediate_size": between(8, 50),
            "moe_shared_expert_intermediate_size": of(0, 30, 44),
            "moe_latent_size": maybe(or_null(of(20))),
            "n_shared_experts": maybe(of(1, 2)),
        },
        either(
            {},
            {"hybrid_override_pattern": letters},
            {"layers_block_type": blocks(renamed=False)},
            {("layers_block_type", "layer_types"): blocks(renamed=True)},
            {"layers_block_type": blocks(renamed=False), "hybrid_override_pattern": letters},
        ),
    ),
    "qwen3_next": (
        BASE,
        KV,
        HEAD,
        BIAS,
        DELTA_NET,
        DELTA_OR_FULL,
        SHARED_EXPERT,
        {"num_experts": of(0, 2, 6)},
        STEPS,
    ),
    "qwen3_5_text": (BASE, KV, HEAD, BIAS, DELTA_NET, DELTA_OR_FULL),
    "qwen3_5_moe_text": (BASE, KV, HEAD_NEEDED, BIAS, DELTA_NET, DELTA_OR_FULL, SHARED_EXPERT),
    "lfm2": (
        {
            **BASE,
            **KV,
            ("intermediate_size", "block_ff_dim"): between(50, 400),
            "block_multiple_of": maybe(of(1, 16, 100)),
            "block_ffn_dim_multiplier": maybe(of(1, 1.3, 0.77)),
            "block_auto_adjust_ff_dim": maybe(FLAG),
            "conv_bias": maybe(FLAG),
            "conv_L_cache": maybe(of(2, 4)),
            ("tie_word_embeddings", "tie_embedding"): maybe(FLAG),
        },
        either(
            {},
            {"layer_types": per_layer("conv", "full_attention")},
            {"full_attn_idxs": or_null(some_layers())},
            {"layer_types": per_layer("conv", "full_attention"), "full_attn_idxs": some_layers()},
        ),
    ),
}
