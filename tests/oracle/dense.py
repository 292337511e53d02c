"""Recipes of the dense decoders that follow Llama: norms, grouped-query attention, one feed-forward layer."""

from .choices import (
    FLAG,
    Recipe,
    between,
    divisor_of,
    either,
    maybe,
    of,
    or_null,
    per_layer,
    quotient,
    times,
)

BASE = {
    "num_attention_heads": of(4, 6, 8),
    "hidden_size": times("num_attention_heads", 8, 12, 16),
    "num_hidden_layers": between(1, 7),
    "vocab_size": between(50, 1000),
    "intermediate_size": between(5, 200),
    "tie_word_embeddings": maybe(FLAG),
}
KV = {"num_key_value_heads": divisor_of("num_attention_heads")}
KV_OR_ABSENT = {"num_key_value_heads": maybe(divisor_of("num_attention_heads"), 0.9)}
KV_OR_NULL = {"num_key_value_heads": maybe(or_null(divisor_of("num_attention_heads")), 0.9)}
HEAD_SIZE = of(4, 8, 10, 16)
HEAD = {"head_dim": maybe(HEAD_SIZE)}
HEAD_NEEDED = {"head_dim": HEAD_SIZE}
HEAD_OR_NULL = {"head_dim": maybe(or_null(HEAD_SIZE))}
PADDING = {"pad_token_id": of(0, None)}
"""Where the class's default lies beyond a small vocabulary."""
BIAS = {"attention_bias": maybe(FLAG)}
MLP_BIAS = {"mlp_bias": maybe(FLAG)}

SLIDING_OR_FULL = per_layer("sliding_attention", "full_attention")
WINDOW = of(2, 7, 16, 512)
OPTIONAL_WINDOW = {"sliding_window": maybe(or_null(WINDOW))}
KINDS = either(
    {},
    {"sliding_window": WINDOW},
    {"sliding_window": WINDOW, "layer_types": SLIDING_OR_FULL},
    {"layer_types": or_null(SLIDING_OR_FULL)},
)
PATTERN = either(
    {"sliding_window": WINDOW, "sliding_window_pattern": of(1, 2, 3, 6)},
    {"sliding_window_pattern": of(2, 4)},
    {"sliding_window": WINDOW, "layer_types": SLIDING_OR_FULL},
    {},
)
SWITCHED = either(
    {},
    {"use_sliding_window": FLAG, "sliding_window": WINDOW, "max_window_layers": between(0, 8)},
    {"use_sliding_window": of(True), "sliding_window": WINDOW, "layer_types": SLIDING_OR_FULL},
    {"sliding_window": WINDOW, "max_window_layers": between(0, 8)},
)
WITHOUT_ROTATION = either(
    {},
    {"no_rope_layers": per_layer(0, 1)},
    {"use_sliding_window": FLAG, "sliding_window": WINDOW, "no_rope_layer_interval": between(1, 5)},
    {"use_sliding_window": of(True), "sliding_window": WINDOW, "no_rope_layers": per_layer(0, 1)},
)

LLAMA: Recipe = (BASE, KV_OR_NULL, HEAD_OR_NULL, BIAS, MLP_BIAS)
GEMMA: Recipe = (BASE, KV, HEAD, BIAS)

RECIPES: dict[str, Recipe] = {
    "llama": LLAMA,
    "mistral": (BASE, KV_OR_ABSENT, HEAD_OR_NULL, OPTIONAL_WINDOW),
    "ministral3": (BASE, KV_OR_ABSENT, HEAD, OPTIONAL_WINDOW),
    "ministral": (BASE, KV_OR_ABSENT, HEAD_NEEDED, KINDS),
    "cwm": (BASE, KV, HEAD, MLP_BIAS, KINDS),
    "helium": (BASE, KV, {"head_dim": quotient("hidden_size", "num_attention_heads")}, BIAS, MLP_BIAS),
    "smollm3": (BASE, KV_OR_NULL, HEAD, BIAS, MLP_BIAS, PADDING, WITHOUT_ROTATION),
    "granite": (BASE, KV_OR_NULL, HEAD, BIAS, MLP_BIAS),
    "seed_oss": (BASE, KV_OR_NULL, HEAD, BIAS, MLP_BIAS, {"attention_out_bias": maybe(FLAG)}),
    "ernie4_5": (BASE, KV_OR_NULL, HEAD, {"use_bias": maybe(FLAG)}),
    "qwen2": (BASE, KV_OR_NULL, HEAD, SWITCHED),
    "qwen3": (BASE, KV_OR_NULL, HEAD, BIAS, SWITCHED),
    "hunyuan_v1_dense": (BASE, KV_OR_NULL, HEAD_NEEDED, BIAS),
    "gemma": GEMMA,
    "gemma2": (*GEMMA, KINDS),
    "vaultgemma": (*GEMMA, KINDS),
    "gemma3_text": (*GEMMA, PATTERN, {"use_bidirectional_attention": maybe(FLAG, 0.3)}),
    "cohere": (BASE, KV_OR_NULL, HEAD, BIAS, {"use_qk_norm": maybe(FLAG)}),
    "cohere2": (BASE, KV_OR_NULL, HEAD, BIAS, PATTERN),
    "glm": (BASE, KV, HEAD, BIAS, PADDING),
    "glm4": (BASE, KV, HEAD, BIAS, PADDING),
    "olmo": (BASE, KV_OR_NULL, BIAS, {"clip_qkv": maybe(or_null(of(1.0, 8.0)))}),
    "olmo2": (BASE, KV_OR_NULL, BIAS),
    "olmo3": (BASE, KV_OR_NULL, BIAS, KINDS),
    "exaone4": (
        BASE,
        KV,
        HEAD,
        PATTERN,
        either(
            {},
            {"sliding_window": of(None), "layer_types": per_layer("full_attention")},
            {"sliding_window_pattern": of("LLLG", "LG"), "layer_types": SLIDING_OR_FULL},
        ),
    ),
    "arcee": LLAMA,
    "apertus": (BASE, KV_OR_NULL, HEAD, BIAS),
    "nemotron": (BASE, KV, HEAD_OR_NULL, BIAS, MLP_BIAS),
    "persimmon": (BASE, {"qk_layernorm": maybe(FLAG)}),
    "starcoder2": (BASE, KV, OPTIONAL_WINDOW, {"use_bias": maybe(FLAG)}),
    "stablelm": (
        BASE,
        KV,
        {"use_qkv_bias": maybe(FLAG), "qk_layernorm": maybe(FLAG), "use_parallel_residual": maybe(FLAG)},
    ),
    "phi": (BASE, KV_OR_NULL, {"qk_layernorm": maybe(FLAG)}),
    "phi3": (BASE, KV_OR_NULL, OPTIONAL_WINDOW, PADDING),
}
