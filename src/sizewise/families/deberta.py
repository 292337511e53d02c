"""DeBERTa v2 and v3: encoders whose attention scores contents and relative positions apart.

The relative positions are one table [2R, D] for all layers; ``share_att_key`` leaves out projections of
their own. Some models have a convolution beside the layers.
Source: He et al. 2020, arXiv:2006.03654; He et al. 2021, arXiv:2111.09543 (v3); the modelling file of
transformers 5.23.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from sizewise.architecture import Architecture, Part
from sizewise.components.convolution import Convolution
from sizewise.components.disentangled_attention import PositionScores
from sizewise.components.embeddings import Embedding
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.encoder import (
    ANSWERS,
    BERT_HEAD,
    LANGUAGE_MODEL,
    TOKEN_LABELS,
    EncoderPlan,
    Tables,
    Task,
    encoder,
    size_or_hidden,
)
from sizewise.plans.encoder_layers import LayerPlan
from sizewise.plans.fields import equal_heads

EITHER = {"c2p", "p2c"}


def kinds(config: Config) -> set[str]:
    """Return which scores positions take part in: ``pos_att_type`` is a list, or names with bars between."""
    given = config.raw("pos_att_type")
    listed = given.lower().split("|") if isinstance(given, str) else config.entries("pos_att_type") or ()
    return {kind.strip() for kind in listed if isinstance(kind, str)} & EITHER


def positive(config: Config, name: str) -> int | None:
    """Return a size, None where it is missing or not positive: -1 means "none" here."""
    value = config.raw(name)
    return None if isinstance(value, int) and value < 1 else config.optional_size(name)


def relative_rows(config: Config) -> int:
    """Return the rows of the table of relative positions: those before and those after a token."""
    longest = positive(config, "max_relative_positions") or config.size("max_position_embeddings")
    return 2 * (positive(config, "position_buckets") or longest)


def position_scores(config: Config) -> Sequence[Part]:
    """Return what relative positions add to each layer."""
    if not config.flag("relative_attention"):
        return ()
    found = kinds(config)
    scores = PositionScores(
        hidden=config.size("hidden_size"),
        features=config.size("hidden_size"),
        positions=relative_rows(config),
        content_to_position="c2p" in found,
        position_to_content="p2c" in found,
        projected=not config.flag("share_att_key"),
    )
    return (Part(name="attention.self", component=scores),)


def beside(config: Config) -> Sequence[Part]:
    """Return the table of relative positions, its norm and the convolution, as the file has them."""
    return tuple(_beside(config))


def _beside(config: Config) -> Iterator[Part]:
    hidden = config.size("hidden_size")
    norm = Norm(width=hidden, kind="layer")
    if config.flag("relative_attention"):
        table = Embedding(rows=relative_rows(config), width=hidden, role="position")
        yield Part(name="encoder.rel_embeddings", component=table)
    if "layer_norm" in [name.strip() for name in (config.text("norm_rel_ebd") or "").lower().split("|")]:
        yield Part(name="encoder.LayerNorm", component=norm)
    kernel = positive(config, "conv_kernel_size")
    if kernel:
        groups = positive(config, "conv_groups") or 1
        if hidden % groups:
            raise config.bad("conv_groups", f"is {groups}, which does not divide hidden size {hidden}")
        convolution = Convolution(
            inputs=hidden // groups, outputs=hidden, kernel=(kernel,), bias=True, role="feed_forward"
        )
        yield Part(name="encoder.conv.conv", component=convolution)
        yield Part(name="encoder.conv.LayerNorm", component=norm)


DEBERTA_V2 = EncoderPlan(
    prefix="deberta",
    tables=Tables(
        width=size_or_hidden("embedding_size"),
        projection="embeddings.embed_proj",
        projection_bias=False,
        positions="position_biased_input",
        token_types_may_be_none=True,
        norm_after_projection=True,
    ),
    layer=LayerPlan(
        attention=AttentionNames(
            query="self.query_proj", key="self.key_proj", value="self.value_proj", output="output.dense"
        ),
        decodes=False,
        beside=position_scores,
    ),
    beside=beside,
    language_head=replace(BERT_HEAD, width=size_or_hidden("embedding_size")),
    default="DebertaV2ForMaskedLM",
    tasks={
        "DebertaV2Model": Task(bare=True),
        "DebertaV2ForMaskedLM": LANGUAGE_MODEL,
        "DebertaV2ForSequenceClassification": Task(
            matrices={"pooler.dense": "hidden", "classifier": "labels"}
        ),
        "DebertaV2ForMultipleChoice": Task(matrices={"pooler.dense": "hidden", "classifier": 1}),
        "DebertaV2ForTokenClassification": TOKEN_LABELS,
        "DebertaV2ForQuestionAnswering": ANSWERS,
    },
)

MODEL_TYPES: dict[str, EncoderPlan] = {"deberta-v2": DEBERTA_V2}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class that is not known, for the newer head and
    for heads or a pooler of another width.
    """
    usual = {
        "attention_head_size": equal_heads(config).size,
        "pooler_hidden_size": config.size("hidden_size"),
    }
    unusual = [name for name, size in usual.items() if config.raw(name) not in (None, size)]
    if not config.flag("legacy", default=True):
        unusual.append("legacy")
    if unusual:
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: {unusual[0]} has a value that is not modelled; only the usual is",
        )
    return encoder(config, MODEL_TYPES[config.model_type])
