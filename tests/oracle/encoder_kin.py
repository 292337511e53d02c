"""Recipes of the encoders that follow BERT and RoBERTa; ``architectures`` says which class a file means."""

from .choices import FLAG, Recipe, Table, between, either, maybe, of, or_null, per_layer
from .encoders import DECODES, LABELS, SIZES, classes

TYPES = {"type_vocab_size": maybe(between(1, 4))}
ALL = ("Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification", "ForQuestionAnswering")

MODERN = {
    "vocab_size": between(50_400, 50_500),
    "norm_bias": maybe(FLAG),
    "attention_bias": maybe(FLAG),
    "mlp_bias": maybe(FLAG),
    "classifier_bias": maybe(FLAG),
    "layer_types": maybe(or_null(per_layer("full_attention", "sliding_attention"))),
    "global_attn_every_n_layers": maybe(of(1, 2, 3)),
    "local_attention": maybe(of(8, 128)),
}


def kin(name: str, *further: str, fields: Table | None = None) -> Recipe:
    """A relative of BERT that decodes: its usual classes, further ones, and its own fields."""
    return SIZES, TYPES, LABELS, DECODES, fields or {}, classes(name, *ALL, *further)


RECIPES: dict[str, Recipe] = {
    "ernie": kin(
        "Ernie",
        "ForCausalLM",
        "ForMultipleChoice",
        "ForPreTraining",
        "ForNextSentencePrediction",
        fields={"use_task_id": maybe(FLAG), "task_type_vocab_size": maybe(between(1, 5))},
    ),
    "megatron-bert": kin(
        "MegatronBert", "ForCausalLM", "ForMultipleChoice", "ForPreTraining", "ForNextSentencePrediction"
    ),
    "electra": kin(
        "Electra", "ForCausalLM", "ForPreTraining", fields={"embedding_size": maybe(of(16, 24, 32, 48))}
    ),
    "rembert": kin(
        "RemBert",
        "ForCausalLM",
        "ForMultipleChoice",
        fields={
            "vocab_size": between(350, 1000),
            "input_embedding_size": maybe(of(16, 24, 48)),
            "output_embedding_size": maybe(of(16, 24, 48)),
        },
    ),
    "roc_bert": kin(
        "RoCBert",
        "ForCausalLM",
        "ForMultipleChoice",
        "ForPreTraining",
        fields={
            "concat_input": maybe(FLAG),
            "enable_pronunciation": maybe(FLAG),
            "enable_shape": maybe(FLAG),
            "pronunciation_embed_dim": maybe(between(1, 40)),
            "shape_embed_dim": maybe(between(1, 40)),
            "pronunciation_vocab_size": between(2, 40),
            "shape_vocab_size": between(2, 40),
        },
    ),
    "roformer": kin(
        "RoFormer",
        "ForCausalLM",
        fields={"embedding_size": maybe(or_null(of(16, 24, 48))), "rotary_value": maybe(FLAG)},
    ),
    "big_bird": (
        SIZES,
        TYPES,
        LABELS,
        either(
            {},
            {"is_decoder": of(True), "attention_type": of("original_full")},
            {
                "is_decoder": of(True),
                "add_cross_attention": of(True),
                "attention_type": of("original_full"),
            },
        ),
        {"use_bias": maybe(FLAG), "block_size": maybe(of(16, 32)), "num_random_blocks": maybe(of(1, 2, 3))},
        classes(
            "BigBird",
            "Model",
            "ForMaskedLM",
            "ForCausalLM",
            "ForPreTraining",
            "ForSequenceClassification",
            "ForMultipleChoice",
            "ForTokenClassification",
        ),
    ),
    "bert-generation": (SIZES, DECODES, classes("BertGeneration", "Decoder", "Encoder")),
    "camembert": kin("Camembert", "ForCausalLM", "ForMultipleChoice"),
    "xlm-roberta": kin("XLMRoberta", "ForCausalLM", "ForMultipleChoice"),
    "xlm-roberta-xl": kin("XLMRobertaXL", "ForCausalLM", "ForMultipleChoice"),
    "data2vec-text": kin("Data2VecText", "ForCausalLM", "ForMultipleChoice"),
    "roberta-prelayernorm": kin("RobertaPreLayerNorm", "ForCausalLM", "ForMultipleChoice"),
    "xmod": kin(
        "Xmod",
        "ForCausalLM",
        "ForMultipleChoice",
        fields={
            "languages": maybe(of(["en_XX"], ["en_XX", "de_DE", "fr_XX"])),
            "adapter_reduction_factor": maybe(of(1, 2, 3)),
            "adapter_layer_norm": maybe(FLAG),
            "pre_norm": maybe(FLAG),
        },
    ),
    "mpnet": (
        SIZES,
        LABELS,
        {"relative_attention_num_buckets": maybe(of(8, 16))},
        classes("MPNet", *ALL, "ForMultipleChoice"),
    ),
    "deberta-v2": (
        SIZES,
        LABELS,
        {
            "type_vocab_size": maybe(between(0, 3)),
            "relative_attention": maybe(FLAG),
            "position_biased_input": maybe(FLAG),
            "pos_att_type": maybe(of("p2c|c2p", ["p2c", "c2p"], ["c2p"], None)),
            "share_att_key": maybe(FLAG),
            "norm_rel_ebd": maybe(of("layer_norm", "none")),
            "position_buckets": maybe(of(-1, 16)),
            "max_relative_positions": maybe(of(-1, 20)),
            "conv_kernel_size": maybe(of(0, 3), 0.3),
            "embedding_size": maybe(of(16, 24, 48), 0.3),
        },
        classes("DebertaV2", *ALL, "ForMultipleChoice"),
    ),
    "albert": (
        SIZES,
        TYPES,
        LABELS,
        {
            "embedding_size": maybe(of(16, 24, 48)),
            "num_hidden_layers": of(2, 4, 6),
            "num_hidden_groups": maybe(of(1, 2, 3)),
            "inner_group_num": maybe(of(1, 2)),
        },
        classes("Albert", *ALL, "ForMultipleChoice", "ForPreTraining"),
    ),
    "nomic_bert": (
        SIZES,
        TYPES,
        LABELS,
        {"head_dim": maybe(or_null(of(4, 8)))},
        classes("NomicBert", "Model", "ForMaskedLM", "ForSequenceClassification", "ForTokenClassification"),
    ),
    "jina_embeddings_v3": (SIZES, TYPES, LABELS, classes("JinaEmbeddingsV3", *ALL)),
    "modernbert": (
        SIZES,
        MODERN,
        {"decoder_bias": maybe(FLAG)},
        LABELS,
        classes("ModernBert", *ALL, "ForMultipleChoice"),
    ),
    "modernbert-decoder": (
        SIZES,
        MODERN,
        {"decoder_bias": maybe(FLAG)},
        LABELS,
        classes("ModernBertDecoder", "Model", "ForCausalLM", "ForSequenceClassification"),
    ),
}
