"""BERT and DistilBERT, and the encoders that keep BERT's layer: ELECTRA, RemBERT, BigBird and others.

``architectures`` in the file names the class; without it the masked language model is meant. Layers
norm after attention and after the feed-forward layer, Megatron-BERT's before them. With ``is_decoder``
they keep keys and values, with ``add_cross_attention`` they look at another encoder too.
Source: Devlin et al. 2018, arXiv:1810.04805; Sanh et al. 2019, arXiv:1910.01108 (DistilBERT);
Clark et al. 2020, arXiv:2003.10555 (ELECTRA); Zaheer et al. 2020, arXiv:2007.14062 (BigBird);
the modelling files of transformers 5.23.
"""

from collections.abc import Mapping, Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.embeddings import Embedding
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.encoder import (
    ANSWERS,
    DENSE_LABELS,
    LANGUAGE_MODEL,
    NEXT_SENTENCE,
    POOLED_CHOICE,
    POOLED_LABELS,
    PRE_TRAINING,
    TOKEN_LABELS,
    EncoderPlan,
    LanguageHead,
    Tables,
    Task,
    encoder,
    size_field,
    size_or_hidden,
)
from sizewise.plans.encoder_layers import LayerPlan
from sizewise.plans.fields import equal_heads


def tasks(name: str, causal: str, *further: str) -> Mapping[str, Task]:
    """Return BERT's classes under another name; ``further`` are those that not every type has."""
    known = {
        "Model": Task(pooler=True, bare=True),
        "ForMaskedLM": LANGUAGE_MODEL,
        causal: LANGUAGE_MODEL,
        "ForSequenceClassification": POOLED_LABELS,
        "ForMultipleChoice": POOLED_CHOICE,
        "ForTokenClassification": TOKEN_LABELS,
        "ForQuestionAnswering": ANSWERS,
    }
    both = {"ForPreTraining": PRE_TRAINING, "ForNextSentencePrediction": NEXT_SENTENCE}
    return {f"{name}{ending}": task for ending, task in (known | {it: both[it] for it in further}).items()}


def task_types(config: Config) -> Sequence[Part]:
    """Return ERNIE's table of task types, where ``use_task_id`` asks for it."""
    if not config.flag("use_task_id"):
        return ()
    table = Embedding(rows=config.size("task_type_vocab_size"), width=config.size("hidden_size"))
    return (Part(name="embeddings.task_type_embeddings", component=table),)


def sound_and_shape(config: Config) -> Sequence[Part]:
    """Return RoCBert's tables of pronunciations and shapes, and the matrix that mixes them in."""
    hidden = config.size("hidden_size")
    sound, shape = config.size("pronunciation_embed_dim"), config.size("shape_embed_dim")
    tables = [
        Part(
            name="embeddings.pronunciation_embed",
            component=Embedding(rows=config.size("pronunciation_vocab_size"), width=sound),
        ),
        Part(
            name="embeddings.shape_embed",
            component=Embedding(rows=config.size("shape_vocab_size"), width=shape),
        ),
    ]
    if not config.flag("concat_input"):
        return tables
    inputs = hidden
    inputs += sound if config.flag("enable_pronunciation") else 0
    inputs += shape if config.flag("enable_shape") else 0
    mixing = Linear(inputs=inputs, outputs=hidden, role="embedding", bias=True)
    return [*tables, Part(name="embeddings.map_inputs_layer", component=mixing)]


def rotary_table(config: Config) -> Sequence[Part]:
    """Return RoFormer's table of sines, a parameter of the class: [P, H]."""
    rows = config.size("max_position_embeddings")
    table = Embedding(rows=rows, width=equal_heads(config).size, role="position", frozen=True)
    return (Part(name="encoder.embed_positions", component=table),)


def last_norm(config: Config) -> Sequence[Part]:
    """Return Megatron-BERT's norm after the last layer."""
    return (Part(name="encoder.ln", component=Norm(width=config.size("hidden_size"), kind="layer")),)


def sparse_blocks(config: Config) -> int | None:
    """Return the tokens that BigBird's sparse attention looks at: 3 near, 2 global and random blocks."""
    if config.text("attention_type") != "block_sparse" or config.flag("is_decoder"):
        return None
    return (5 + config.count("num_random_blocks")) * config.size("block_size")


DISTILBERT = EncoderPlan(
    prefix="distilbert",
    tables=Tables(token_types=False),
    layer=LayerPlan(
        stack="transformer.layer",
        attention=AttentionNames(query="q_lin", key="k_lin", value="v_lin", output="out_lin"),
        attention_norm="sa_layer_norm",
        feed_forward="ffn",
        feed_forward_names=FeedForwardNames(up="lin1", down="lin2"),
        output_norm="output_layer_norm",
        width="hidden_dim",
        decodes=False,
    ),
    language_head=LanguageHead(
        transform="vocab_transform", norm="vocab_layer_norm", projection="vocab_projector"
    ),
    default="DistilBertForMaskedLM",
    tasks={
        "DistilBertModel": Task(bare=True),
        "DistilBertForMaskedLM": LANGUAGE_MODEL,
        "DistilBertForSequenceClassification": Task(
            matrices={"pre_classifier": "hidden", "classifier": "labels"}
        ),
        "DistilBertForMultipleChoice": Task(matrices={"pre_classifier": "hidden", "classifier": 1}),
        "DistilBertForTokenClassification": TOKEN_LABELS,
        "DistilBertForQuestionAnswering": ANSWERS,
    },
)

ELECTRA = EncoderPlan(
    prefix="electra",
    tables=Tables(width=size_field("embedding_size"), projection="embeddings_project"),
    language_head=LanguageHead(
        transform="generator_predictions.dense",
        norm="generator_predictions.LayerNorm",
        projection="generator_lm_head",
        width=size_field("embedding_size"),
    ),
    default="ElectraForMaskedLM",
    tasks={
        "ElectraModel": Task(bare=True),
        "ElectraForMaskedLM": LANGUAGE_MODEL,
        "ElectraForCausalLM": LANGUAGE_MODEL,
        "ElectraForPreTraining": Task(
            matrices={
                "discriminator_predictions.dense": "hidden",
                "discriminator_predictions.dense_prediction": 1,
            }
        ),
        "ElectraForSequenceClassification": DENSE_LABELS,
        "ElectraForTokenClassification": TOKEN_LABELS,
        "ElectraForQuestionAnswering": ANSWERS,
    },
)

REMBERT = EncoderPlan(
    prefix="rembert",
    tables=Tables(
        width=size_field("input_embedding_size"),
        projection="encoder.embedding_hidden_mapping_in",
        projects_always=True,
    ),
    language_head=LanguageHead(
        transform="cls.predictions.dense",
        norm="cls.predictions.LayerNorm",
        projection="cls.predictions.decoder",
        width=size_field("output_embedding_size"),
        tied=False,
    ),
    default="RemBertForMaskedLM",
    tasks=tasks("RemBert", "ForCausalLM"),
)

ROFORMER = EncoderPlan(
    prefix="roformer",
    tables=Tables(width=size_or_hidden("embedding_size"), projection="embeddings_project", positions=False),
    beside=rotary_table,
    language_head=LanguageHead(
        transform="cls.predictions.transform.dense",
        norm="cls.predictions.transform.LayerNorm",
        projection="cls.predictions.decoder",
        bias="cls.predictions",
        width=size_or_hidden("embedding_size"),
    ),
    default="RoFormerForMaskedLM",
    tasks={
        "RoFormerModel": Task(bare=True),
        "RoFormerForMaskedLM": LANGUAGE_MODEL,
        "RoFormerForCausalLM": LANGUAGE_MODEL,
        "RoFormerForSequenceClassification": DENSE_LABELS,
        "RoFormerForTokenClassification": TOKEN_LABELS,
        "RoFormerForQuestionAnswering": Task(matrices={"qa_outputs": 2}),
    },
)

BIG_BIRD = EncoderPlan(
    prefix="bert",
    layer=LayerPlan(qkv_bias="use_bias", reach=sparse_blocks),
    pooler="pooler",
    default="BigBirdForMaskedLM",
    tasks={
        "BigBirdModel": Task(pooler=True, bare=True),
        "BigBirdForMaskedLM": Task(pooler=True, language_model=True),
        "BigBirdForCausalLM": Task(pooler=True, language_model=True),
        "BigBirdForPreTraining": PRE_TRAINING,
        "BigBirdForSequenceClassification": Task(pooler=True, matrices=DENSE_LABELS.matrices),
        "BigBirdForMultipleChoice": POOLED_CHOICE,
        "BigBirdForTokenClassification": POOLED_LABELS,
    },
)

BOTH = ("ForPreTraining", "ForNextSentencePrediction")

MODEL_TYPES: dict[str, EncoderPlan] = {
    "bert": EncoderPlan(prefix="bert", default="BertForMaskedLM", tasks=tasks("Bert", "LMHeadModel", *BOTH)),
    "distilbert": DISTILBERT,
    "electra": ELECTRA,
    "ernie": EncoderPlan(
        prefix="ernie",
        beside=task_types,
        default="ErnieForMaskedLM",
        tasks=tasks("Ernie", "ForCausalLM", *BOTH),
    ),
    "megatron-bert": EncoderPlan(
        prefix="bert",
        tables=Tables(norm=False),
        layer=LayerPlan(attention_norm="attention.ln", output_norm="ln"),
        beside=last_norm,
        default="MegatronBertForMaskedLM",
        tasks=tasks("MegatronBert", "ForCausalLM", *BOTH),
    ),
    "rembert": REMBERT,
    "roc_bert": EncoderPlan(
        prefix="roc_bert",
        beside=sound_and_shape,
        default="RoCBertForMaskedLM",
        tasks={
            **tasks("RoCBert", "ForCausalLM"),
            "RoCBertForPreTraining": Task(pooler=True, language_model=True),
        },
    ),
    "roformer": ROFORMER,
    "big_bird": BIG_BIRD,
    "bert-generation": EncoderPlan(
        prefix="bert",
        tables=Tables(token_types=False),
        language_head=LanguageHead(projection="lm_head.decoder", bias="lm_head"),
        default="BertGenerationDecoder",
        tasks={"BertGenerationDecoder": LANGUAGE_MODEL, "BertGenerationEncoder": Task(bare=True)},
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class of these types that is not known.
    """
    return encoder(config, MODEL_TYPES[config.model_type])
