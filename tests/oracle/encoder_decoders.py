"""Recipes of encoder-decoders in BART's and T5's shape; ``architectures`` says which class a file means."""

from .choices import ABSENT, FLAG, Recipe, Table, between, either, maybe, of, or_null
from .encoders import LABELS, classes

SIZES = {
    "encoder_attention_heads": of(2, 4, 8),
    "decoder_attention_heads": of(2, 4, 8),
    ("d_model", "hidden_size"): of(24, 32, 40),
    ("encoder_layers", "num_hidden_layers"): between(1, 4),
    "decoder_layers": between(1, 4),
    "encoder_ffn_dim": between(5, 200),
    "decoder_ffn_dim": between(5, 200),
    "vocab_size": between(50, 1000),
    "max_position_embeddings": between(8, 600),
    "tie_word_embeddings": maybe(FLAG),
}
ALONE = either({}, {}, {}, {"architectures": ABSENT, "is_decoder": of(True), "is_encoder_decoder": of(False)})
ALL = (
    "Model",
    "ForConditionalGeneration",
    "ForCausalLM",
    "ForSequenceClassification",
    "ForQuestionAnswering",
)

T5_SIZES = {
    ("d_model", "hidden_size"): of(24, 32, 40),
    ("num_heads", "num_attention_heads"): of(2, 4, 5),
    ("d_kv", "head_dim"): of(4, 6, 8),
    ("num_layers", "num_hidden_layers"): between(1, 4),
    "num_decoder_layers": maybe(or_null(between(1, 4))),
    "d_ff": between(5, 200),
    "vocab_size": between(50, 1000),
    "relative_attention_num_buckets": maybe(of(4, 8)),
    "feed_forward_proj": maybe(of("relu", "gated-gelu", "gated-silu")),
    "tie_word_embeddings": maybe(FLAG),
}
T5_ALL = ("Model", "ForConditionalGeneration", "EncoderModel")
T5_FURTHER = ("ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")


def kin(name: str, *endings: str, fields: Table | None = None) -> Recipe:
    """A relative of BART with a causal class: its classes and its own fields."""
    return SIZES, LABELS, fields or {}, classes(name, *endings), ALONE


RECIPES: dict[str, Recipe] = {
    "mbart": kin("MBart", *ALL),
    "plbart": kin("PLBart", *ALL[:4]),
    "mvp": kin("Mvp", *ALL, fields={"use_prompt": maybe(of(False))}),
    "pegasus": kin("Pegasus", *ALL[:3]),
    "marian": kin(
        "Marian", "Model", "MTModel", "ForCausalLM", fields={"vocab_size": between(58_200, 58_300)}
    ),
    "blenderbot": kin("Blenderbot", *ALL[:3]),
    "blenderbot-small": kin("BlenderbotSmall", *ALL[:3]),
    "bigbird_pegasus": kin(
        "BigBirdPegasus",
        *ALL,
        fields={"use_bias": maybe(FLAG), "attention_type": maybe(of("original_full", "block_sparse"))},
    ),
    "m2m_100": (SIZES, classes("M2M100", *ALL[:2])),
    "nllb-moe": (
        SIZES,
        {
            "num_experts": maybe(of(1, 2, 4), 0.9),
            "encoder_sparse_step": maybe(between(0, 3)),
            "decoder_sparse_step": maybe(between(0, 3)),
            "router_bias": maybe(FLAG),
        },
        classes("NllbMoe", *ALL[:2]),
    ),
    "trocr": (
        {
            ("decoder_attention_heads", "num_attention_heads"): of(2, 4, 8),
            ("d_model", "hidden_size"): of(24, 32, 40),
            ("decoder_layers", "num_hidden_layers"): between(1, 4),
            "decoder_ffn_dim": between(5, 200),
            "vocab_size": between(50, 1000),
            "max_position_embeddings": between(8, 600),
            "tie_word_embeddings": maybe(FLAG),
            "use_learned_position_embeddings": maybe(FLAG),
            "layernorm_embedding": maybe(FLAG),
        },
        classes("TrOCR", "ForCausalLM"),
    ),
    "whisper": (
        SIZES,
        {
            "vocab_size": between(50_300, 52_000),
            "num_mel_bins": maybe(of(80, 128)),
            "max_source_positions": maybe(between(20, 100)),
            "max_target_positions": maybe(between(20, 100)),
        },
        classes("Whisper", *ALL[:3]),
    ),
    "led": (
        SIZES,
        {
            "max_encoder_position_embeddings": maybe(between(20, 200)),
            "max_decoder_position_embeddings": maybe(between(20, 200)),
            "attention_window": maybe(of(8, 16)),
        },
        LABELS,
        classes("LED", *ALL[:2], "ForQuestionAnswering"),
    ),
    "mt5": (T5_SIZES, LABELS, classes("MT5", *T5_ALL, *T5_FURTHER)),
    "umt5": (T5_SIZES, LABELS, classes("UMT5", *T5_ALL, *T5_FURTHER)),
    "longt5": (
        T5_SIZES,
        {"encoder_attention_type": maybe(of("local", "transient-global"))},
        classes("LongT5", *T5_ALL),
    ),
    "switch_transformers": (
        T5_SIZES,
        {
            "feed_forward_proj": ABSENT,
            "num_experts": maybe(of(2, 4)),
            "num_sparse_encoder_layers": maybe(between(0, 3)),
            "num_sparse_decoder_layers": maybe(between(0, 3)),
            "router_bias": maybe(FLAG),
        },
        classes("SwitchTransformers", *T5_ALL),
    ),
}
