"""Recipes of the encoders and encoder-decoders; ``architectures`` says which class a file means."""

from .choices import ABSENT, FLAG, Draw, Recipe, between, either, maybe, of, or_null, times

SIZES = {
    "num_attention_heads": of(2, 4, 6),
    "hidden_size": times("num_attention_heads", 8, 12),
    "num_hidden_layers": between(1, 5),
    "intermediate_size": between(5, 200),
    "vocab_size": between(50, 1000),
    "max_position_embeddings": between(8, 600),
    "tie_word_embeddings": maybe(FLAG),
}
LABELS = either({}, {"num_labels": between(1, 9)}, {"id2label": of({"0": "a", "1": "b", "2": "c", "3": "d"})})
TWO_LABELS = {"num_labels": maybe(of(2)), "id2label": ABSENT}
DECODES = either({}, {}, {"is_decoder": of(True)}, {"is_decoder": of(True), "add_cross_attention": of(True)})


def classes(prefix: str, *names: str) -> dict[str, Draw]:
    """The class that a file names: one of these, or none."""
    return {"architectures": maybe(of(*([prefix + name] for name in names)), 0.9)}


RECIPES: dict[str, Recipe] = {
    "bert": (
        SIZES,
        {"type_vocab_size": maybe(between(1, 4))},
        LABELS,
        DECODES,
        classes(
            "Bert",
            "Model",
            "ForMaskedLM",
            "LMHeadModel",
            "ForPreTraining",
            "ForNextSentencePrediction",
            "ForSequenceClassification",
            "ForMultipleChoice",
            "ForTokenClassification",
            "ForQuestionAnswering",
        ),
    ),
    "roberta": (
        SIZES,
        {"type_vocab_size": maybe(between(1, 4))},
        LABELS,
        DECODES,
        classes(
            "Roberta",
            "Model",
            "ForMaskedLM",
            "ForCausalLM",
            "ForSequenceClassification",
            "ForMultipleChoice",
            "ForTokenClassification",
            "ForQuestionAnswering",
        ),
    ),
    "distilbert": (
        {
            ("n_heads", "num_attention_heads"): of(2, 4, 6),
            ("dim", "hidden_size"): times("n_heads", 8, 12),
            ("n_layers", "num_hidden_layers"): between(1, 5),
            "hidden_dim": between(5, 200),
            "vocab_size": between(50, 1000),
            "max_position_embeddings": between(8, 600),
            "sinusoidal_pos_embds": maybe(FLAG),
            "tie_word_embeddings": maybe(FLAG),
        },
        LABELS,
        classes(
            "DistilBert",
            "Model",
            "ForMaskedLM",
            "ForSequenceClassification",
            "ForMultipleChoice",
            "ForTokenClassification",
        ),
        either({}, {}, {}, {**TWO_LABELS, **classes("DistilBert", "ForQuestionAnswering")}),
    ),
    "t5": (
        {
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
        },
        LABELS,
        classes(
            "T5",
            "Model",
            "ForConditionalGeneration",
            "EncoderModel",
            "ForSequenceClassification",
            "ForTokenClassification",
            "ForQuestionAnswering",
        ),
    ),
    "bart": (
        {
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
        },
        LABELS,
        classes(
            "Bart",
            "Model",
            "ForConditionalGeneration",
            "ForCausalLM",
            "ForSequenceClassification",
            "ForQuestionAnswering",
        ),
        either(
            {}, {}, {}, {"architectures": ABSENT, "is_decoder": of(True), "is_encoder_decoder": of(False)}
        ),
    ),
}
