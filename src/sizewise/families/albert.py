"""ALBERT: the layers of a group share their weights, and the token table is narrow.

A group is stored once and passed as often as its share of ``num_hidden_layers``.
Source: Lan et al. 2019, arXiv:1909.11942; the modelling file of transformers 5.23.
"""

from collections import Counter
from dataclasses import replace

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import LAYER_LIMIT, Config
from sizewise.families import Resolve
from sizewise.plans.encoder import (
    ANSWERS,
    LANGUAGE_MODEL,
    POOLED_CHOICE,
    POOLED_LABELS,
    TOKEN_LABELS,
    EncoderPlan,
    LanguageHead,
    Tables,
    Task,
    encoder,
    size_field,
)
from sizewise.plans.encoder_layers import LayerPlan, layer_parts


def groups(config: Config, plan: LayerPlan, prefix: str) -> Stack:
    """Return the groups of layers that share their weights."""
    layers, count = config.layers(), config.layers("num_hidden_groups")
    inner = config.size("inner_group_num", high=LAYER_LIMIT // count)
    passes = Counter(int(layer / (layers / count)) for layer in range(layers))
    parts = layer_parts(config, plan)

    def group(index: int) -> tuple[Part, ...]:
        return tuple(
            replace(part, name=f"albert_layers.{layer}.{part.name}".rstrip("."), uses=passes[index])
            for layer in range(inner)
            for part in parts
        )

    return stack(f"{prefix}{plan.stack}", [passes[index] for index in range(count)], group)


ALBERT = EncoderPlan(
    prefix="albert",
    tables=Tables(
        width=size_field("embedding_size"),
        projection="encoder.embedding_hidden_mapping_in",
        projects_always=True,
    ),
    layer=LayerPlan(
        stack="encoder.albert_layer_groups",
        attention=AttentionNames(query="query", key="key", value="value", output="dense"),
        attention_norm="attention.LayerNorm",
        feed_forward_names=FeedForwardNames(up="ffn", down="ffn_output"),
        output_norm="full_layer_layer_norm",
        decodes=False,
    ),
    layers=groups,
    pooler="pooler",
    language_head=LanguageHead(
        transform="predictions.dense",
        norm="predictions.LayerNorm",
        projection="predictions.decoder",
        bias="predictions",
        width=size_field("embedding_size"),
    ),
    default="AlbertForMaskedLM",
    tasks={
        "AlbertModel": Task(pooler=True, bare=True),
        "AlbertForMaskedLM": LANGUAGE_MODEL,
        "AlbertForPreTraining": Task(
            pooler=True, language_model=True, matrices={"sop_classifier.classifier": "labels"}
        ),
        "AlbertForSequenceClassification": POOLED_LABELS,
        "AlbertForMultipleChoice": POOLED_CHOICE,
        "AlbertForTokenClassification": TOKEN_LABELS,
        "AlbertForQuestionAnswering": ANSWERS,
    },
)

MODEL_TYPES: dict[str, EncoderPlan] = {"albert": ALBERT}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    return encoder(config, MODEL_TYPES[config.model_type])
