"""Recipes of the earlier decoders, each with field names of its own, and of RWKV."""

from random import Random

from .choices import FLAG, Fields, Recipe, between, either, maybe, of, or_null, times
from .dense import BASE

SHORT_NAMES = {
    ("n_head", "num_attention_heads"): of(4, 6, 8),
    ("n_embd", "hidden_size"): times("n_head", 8, 12, 16),
    ("n_layer", "num_hidden_layers"): between(1, 6),
    "vocab_size": between(50, 1000),
    "tie_word_embeddings": maybe(FLAG),
    "n_inner": maybe(or_null(between(5, 300))),
}
POSITIONS = {("n_positions", "max_position_embeddings"): maybe(between(8, 700))}


def attention_types(random: Random, fields: Fields) -> list[list[object]]:
    """[[kinds], times] pairs that make up the layers exactly."""
    layers: int = fields["num_layers"]
    whole = layers // 2
    alternating = [[["global", "local"], whole]] if whole else []
    rest = [[[random.choice(("global", "local"))], 1]] if layers % 2 else []
    uniform = [[[random.choice(("global", "local"))], layers]]
    return random.choice((alternating + rest, uniform))


RECIPES: dict[str, Recipe] = {
    "gpt2": (SHORT_NAMES, POSITIONS),
    "gpt-sw3": (SHORT_NAMES, POSITIONS),
    "gpt_bigcode": (SHORT_NAMES, POSITIONS, {"multi_query": maybe(FLAG)}),
    "gptj": (SHORT_NAMES, POSITIONS, {"rotary_dim": maybe(of(2, 4, 8)), "tie_word_embeddings": of(False)}),
    "codegen": (
        {**SHORT_NAMES, ("n_head", "num_attention_heads"): of(4, 8)},
        POSITIONS,
        {"rotary_dim": maybe(of(2, 4, 8)), "tie_word_embeddings": of(False)},
    ),
    "gpt_neo": (
        {
            ("num_heads", "num_attention_heads"): of(4, 6, 8),
            "hidden_size": times("num_heads", 8, 12, 16),
            ("num_layers", "num_hidden_layers"): between(1, 6),
            "attention_types": attention_types,
            "window_size": maybe(of(2, 7, 64)),
            "intermediate_size": maybe(or_null(between(5, 300))),
            "max_position_embeddings": maybe(between(8, 700)),
            "vocab_size": between(50, 1000),
            "tie_word_embeddings": maybe(FLAG),
        },
    ),
    "gpt_neox": (BASE, {"attention_bias": maybe(FLAG), "use_parallel_residual": maybe(FLAG)}),
    "bloom": (
        {
            ("n_head", "num_attention_heads"): of(4, 6, 8),
            ("hidden_size", "n_embed"): times("n_head", 8, 12, 16),
            ("n_layer", "num_hidden_layers"): between(1, 6),
            "vocab_size": between(50, 1000),
            "tie_word_embeddings": maybe(FLAG),
        },
    ),
    "mpt": (
        {
            ("n_heads", "num_attention_heads"): of(4, 6, 8),
            ("d_model", "hidden_size"): times("n_heads", 8, 12, 16),
            ("n_layers", "num_hidden_layers"): between(1, 6),
            "max_seq_len": maybe(between(8, 700)),
            "expansion_ratio": maybe(of(2, 4)),
            "no_bias": maybe(of(True)),
            "vocab_size": between(50, 1000),
            "tie_word_embeddings": maybe(FLAG),
        },
    ),
    "falcon": (
        BASE,
        {
            "ffn_hidden_size": maybe(or_null(between(5, 300))),
            "bias": maybe(FLAG),
            "parallel_attn": maybe(FLAG),
            "alibi": maybe(FLAG),
        },
        either(
            {},
            {"multi_query": FLAG},
            {
                "new_decoder_architecture": of(True),
                "num_kv_heads": maybe(or_null(of(1, 2))),
                "num_ln_in_parallel_attn": maybe(of(None, 1, 2)),
            },
        ),
    ),
    "opt": (
        BASE,
        {
            "ffn_dim": between(5, 300),
            "word_embed_proj_dim": maybe(or_null(of(16, 24, 32))),
            "max_position_embeddings": maybe(between(8, 700)),
            "do_layer_norm_before": maybe(FLAG),
            "_remove_final_layer_norm": maybe(FLAG),
            "enable_bias": maybe(FLAG),
            "layer_norm_elementwise_affine": maybe(FLAG),
        },
    ),
    "rwkv": (
        {
            "hidden_size": of(48, 64, 70, 96),
            "num_hidden_layers": between(2, 7),
            "vocab_size": between(50, 1000),
            "attention_hidden_size": maybe(or_null(of(40, 64))),
            "intermediate_size": maybe(or_null(between(5, 300))),
            "context_length": maybe(of(50)),
            "tie_word_embeddings": maybe(FLAG),
        },
    ),
}
