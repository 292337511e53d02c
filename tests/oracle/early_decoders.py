"""Recipes of early decoders, and of decoders in their shape."""

from .choices import FLAG, Recipe, between, maybe, of, times

SIZES = {
    "num_attention_heads": of(2, 4, 6),
    "hidden_size": times("num_attention_heads", 8, 12),
    "num_hidden_layers": between(1, 5),
    "vocab_size": between(50, 1000),
    "max_position_embeddings": between(8, 600),
    "tie_word_embeddings": maybe(FLAG),
}
WIDTH = {"intermediate_size": between(5, 200)}
GPT = {
    ("n_head", "num_attention_heads"): of(2, 4, 6),
    ("n_embd", "hidden_size"): times("n_head", 8, 12),
    ("n_layer", "num_hidden_layers"): between(1, 5),
    ("n_positions", "max_position_embeddings"): between(8, 600),
    "vocab_size": between(50, 1000),
    "tie_word_embeddings": maybe(FLAG),
}

RECIPES: dict[str, Recipe] = {
    "openai-gpt": (GPT,),
    "ctrl": (GPT, {"dff": maybe(between(5, 200))}),
    "xglm": (
        {
            ("attention_heads", "num_attention_heads"): of(2, 4, 6),
            ("d_model", "hidden_size"): times("attention_heads", 8, 12),
            ("num_layers", "num_hidden_layers"): between(1, 5),
            "ffn_dim": between(5, 200),
            "vocab_size": between(50, 1000),
            "max_position_embeddings": maybe(between(8, 600)),
            "tie_word_embeddings": maybe(FLAG),
        },
    ),
    "biogpt": (SIZES, WIDTH),
    "gpt_neox_japanese": (
        SIZES,
        {"vocab_size": between(32_000, 32_100), "intermediate_multiple_size": maybe(of(2, 4))},
    ),
}
