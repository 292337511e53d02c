"""Encoders with rotary positions in BERT's shape: Nomic BERT (gated, no biases) and Jina Embeddings v3.

Source: Nussbaum et al. 2024, arXiv:2402.01613; Sturua et al. 2024, arXiv:2409.10173; the modelling files
of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.encoder import (
    ANSWERS,
    BERT_HEAD,
    DENSE_LABELS,
    LANGUAGE_MODEL,
    POOLED_LABELS,
    ROBERTA_HEAD,
    TOKEN_LABELS,
    EncoderPlan,
    Tables,
    Task,
    encoder,
)
from sizewise.plans.encoder_layers import LayerPlan
from sizewise.plans.fields import Heads, checked_heads


def sized_heads(config: Config) -> Heads:
    """Read the heads, each with its own keys and values, and their size."""
    query = config.size("num_attention_heads")
    return checked_heads(config, query, query, config.optional_size("head_dim"))


LAYER = LayerPlan(
    stack="layers",
    part="self_attn",
    attention=AttentionNames(),
    attention_norm="post_attention_layernorm",
    feed_forward="mlp",
    feed_forward_names=FeedForwardNames(up="fc1", down="fc2"),
    output_norm="post_mlp_layernorm",
    heads=sized_heads,
    decodes=False,
)

MODEL_TYPES: dict[str, EncoderPlan] = {
    "nomic_bert": EncoderPlan(
        prefix="nomic_bert",
        tables=Tables(positions=False),
        layer=replace(LAYER, qkv_bias=False, bias=False, gated=True, feed_forward_names=FeedForwardNames()),
        language_head=replace(BERT_HEAD, norm="cls.predictions.transform.layer_norm"),
        default="NomicBertForMaskedLM",
        tasks={
            "NomicBertModel": Task(bare=True),
            "NomicBertForMaskedLM": LANGUAGE_MODEL,
            "NomicBertForSequenceClassification": POOLED_LABELS,
            "NomicBertForTokenClassification": TOKEN_LABELS,
        },
    ),
    "jina_embeddings_v3": EncoderPlan(
        prefix="roberta",
        tables=Tables(positions=False),
        layer=LAYER,
        language_head=replace(ROBERTA_HEAD, holds_table=True),
        default="JinaEmbeddingsV3ForMaskedLM",
        tasks={
            "JinaEmbeddingsV3Model": Task(pooler=True, bare=True),
            "JinaEmbeddingsV3ForMaskedLM": LANGUAGE_MODEL,
            "JinaEmbeddingsV3ForSequenceClassification": DENSE_LABELS,
            "JinaEmbeddingsV3ForTokenClassification": TOKEN_LABELS,
            "JinaEmbeddingsV3ForQuestionAnswering": ANSWERS,
        },
    ),
}

OLDER_NAMES = {
    "n_embd": "hidden_size",
    "n_layer": "num_hidden_layers",
    "n_head": "num_attention_heads",
    "n_inner": "intermediate_size",
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class that is not known, and for files of the
    custom code that came before the class where they mean something else than the class reads.
    """
    other = [old for old, new in OLDER_NAMES.items() if config.raw(old) not in (None, config.raw(new))]
    other += [name for name in ("num_experts", "moe_every_n_layers") if config.given(name)]
    if other:
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: {other[0]} belongs to custom code and is not read by the class; "
            "give the shapes (--layers, --hidden, --heads, --vocab)",
        )
    return encoder(config, MODEL_TYPES[config.model_type])
