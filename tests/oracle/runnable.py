"""What a configuration needs beyond its recipe for the class to run, not only to be built."""

from random import Random
from typing import Any

from .choices import ABSENT, Draw, Fields, Missing, Table, any_of, between, divisor_of, of, same_as, times
from .latent import first_full
from .special import both_kinds
from .state_space import letters

LONGEST = 24
"""Tokens that every model has positions for."""


def given(field: str, choice: Draw) -> Draw:
    """Draw a value where the recipe left the field out: the class's default fits only large models."""

    def filled(random: Random, fields: Fields) -> Any:
        absent = field in fields and fields[field] is Missing.ABSENT
        return choice(random, fields) if absent else fields.get(field, Missing.ABSENT)

    return filled


def first(kind: str, *others: str) -> Draw:
    """A kind per layer: the class asks an attention layer for the length of its cache."""

    def kinds(random: Random, fields: Fields) -> list[str]:
        return [kind, *random.choices((kind, *others), k=fields["num_hidden_layers"] - 1)]

    return kinds


def attention_letter_first(random: Random, fields: Fields) -> str:
    return "*" + letters(random, fields)


KEY_VALUE_HEADS = {"num_key_value_heads": given("num_key_value_heads", divisor_of("num_attention_heads"))}
POSITIONS = {"n_positions": ABSENT}
LONG_POSITIONS = {"max_position_embeddings": between(LONGEST, 99)}
ONE_GROUP = {"n_group": of(1), "topk_group": of(1)}
ROTATED = {"rotary_dim": of(2, 4, 8)}
EVERY_FEW = {
    "num_hidden_layers": between(2, 6),
    "layer_types": ABSENT,
    "full_attention_interval": of(1, 2),
    "num_experts_per_tok": of(1, 2),
}

LENDERS = {
    "num_hidden_layers": between(10, 14),
    "num_kv_shared_layers": of(0, 1, 3),
    "layer_types": ABSENT,
    "per_layer_config": ABSENT,
    "intermediate_size": between(5, 60),
}
"""Both kinds of attention stand below the layers that borrow keys and values."""

CHANGES: dict[str, Table] = {
    "qwen4_exp_text": {"full_attention_interval": of(1)},
    "diffllama": {"num_key_value_heads": any_of(of(2), same_as("num_attention_heads"))},
    "iquestcoder": {"clip_qkv": ABSENT, "use_sliding_window": ABSENT},
    "lfm3": {"layer_types": first("full_attention", "conv", "sliding_attention")},
    "gpt2": POSITIONS,
    "gpt-sw3": POSITIONS,
    "gpt_bigcode": POSITIONS,
    "gptj": {**POSITIONS, **ROTATED},
    "codegen": {**POSITIONS, **ROTATED},
    "gpt_neo": LONG_POSITIONS,
    "opt": LONG_POSITIONS,
    "bart": {
        **LONG_POSITIONS,
        "architectures": of(["BartForConditionalGeneration"]),
        "is_decoder": ABSENT,
        "is_encoder_decoder": ABSENT,
    },
    "t5": {"num_layers": between(1, 4), "architectures": of(["T5ForConditionalGeneration"])},
    "stablelm": {"hidden_size": times("num_attention_heads", 8, 16)},
    "rwkv": {"attention_hidden_size": ABSENT},
    "deepseek_v2": {
        "num_experts_per_tok": of(1, 2, 3),
        "kv_lora_rank": of(4, 10, 16),
        "qk_nope_head_dim": of(4, 10),
    },
    "falcon": {"alibi": of(False), "parallel_attn": of(True), "num_ln_in_parallel_attn": ABSENT},
    "axk1": ONE_GROUP,
    "axk2": ONE_GROUP,
    "bailing_hybrid": {
        **ONE_GROUP,
        "layer_types": first("full_attention", "linear_attention"),
        "layer_group_size": ABSENT,
    },
    "hy_v4": {"indexer_types": first_full},
    "zaya": {"layer_types": first("hybrid", "hybrid_sliding"), "sliding_window": of(2, 7, 16, 512)},
    "deepseek_v3": ONE_GROUP,
    "deepseek_v32": ONE_GROUP,
    "bamba": {"attn_layer_indices": of([0])},
    "granitemoehybrid": {"layer_types": first("attention", "mamba"), "num_experts_per_tok": of(1, 2)},
    "jamba": {"attn_layer_offset": of(0), "num_experts_per_tok": of(1, 2)},
    "nemotron_h": {
        "layers_block_type": ABSENT,
        "hybrid_override_pattern": attention_letter_first,
        "num_experts_per_tok": of(1, 2),
    },
    "lfm2": {"layer_types": first("full_attention", "conv"), "full_attn_idxs": ABSENT},
    "lfm2_moe": {"layer_types": first("full_attention", "conv")},
    "kimi_linear": {
        "layer_types": first("full_attention", "linear_attention"),
        "linear_attn_config": ABSENT,
    },
    "zamba": {"attention_head_dim": ABSENT},
    "zamba2": {
        "num_hidden_layers": between(1, 5),
        "layers_block_type": first("hybrid", "mamba"),
        "use_shared_attention_adapter": of(False),
    },
    "jetmoe": {"num_experts_per_tok": of(1, 2)},
    "olmo_hybrid": {
        "layer_types": both_kinds,
        "linear_num_key_heads": of(2),
        "linear_num_value_heads": of(2, 4),
    },
    "gemma3n_text": LENDERS,
    "gemma4_text": {**LENDERS, "hidden_size_per_layer_input": of(4, 7)},
    "gemma4_unified_text": LENDERS,
    "inkling_text": {"sliding_window_size": between(LONGEST + 10, 60)},
    "glm_moe_dsa": {
        "indexer_types": first_full,
        "index_topk_pattern": ABSENT,
        "index_topk_freq": ABSENT,
        "index_skip_topk_offset": ABSENT,
    },
    "xlstm": {
        "hidden_size": of(128, 256),
        "num_heads": of(1, 2),
        "weight_mode": of("single"),
        "qk_dim_factor": ABSENT,
        "v_dim_factor": ABSENT,
    },
    "qwen3_next": EVERY_FEW,
    "qwen3_5_text": EVERY_FEW,
    "qwen3_5_moe_text": EVERY_FEW,
}


def changes(model_type: str) -> tuple[Table, ...]:
    return KEY_VALUE_HEADS, CHANGES.get(model_type, {})
