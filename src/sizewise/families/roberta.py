"""RoBERTa and its relatives: positions that start after the padding index, one head for all languages.

``architectures`` in the file names the class; without it the masked language model is meant. Some
norm before their blocks and once more at the end; X-MOD has an adapter per language in each layer.
Source: Liu et al. 2019, arXiv:1907.11692; Conneau et al. 2019, arXiv:1911.02116 (XLM-R); Pfeiffer et
al. 2022, arXiv:2205.06266 (X-MOD); Song et al. 2020, arXiv:2004.09297 (MPNet); the modelling files of
transformers 5.23.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sizewise.architecture import Architecture, Part
from sizewise.components.embeddings import Embedding
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.encoder import (
    ANSWERS,
    DENSE_LABELS,
    LANGUAGE_MODEL,
    POOLED_CHOICE,
    ROBERTA_HEAD,
    TOKEN_LABELS,
    EncoderPlan,
    Tables,
    Task,
    encoder,
)
from sizewise.plans.encoder_layers import LayerPlan, Parts

TABLE_IN_HEAD = replace(ROBERTA_HEAD, holds_table=True)


def tasks(name: str) -> Mapping[str, Task]:
    """Return RoBERTa's classes under another name."""
    return {
        f"{name}Model": Task(pooler=True, bare=True),
        f"{name}ForMaskedLM": LANGUAGE_MODEL,
        f"{name}ForCausalLM": LANGUAGE_MODEL,
        f"{name}ForSequenceClassification": DENSE_LABELS,
        f"{name}ForMultipleChoice": POOLED_CHOICE,
        f"{name}ForTokenClassification": TOKEN_LABELS,
        f"{name}ForQuestionAnswering": ANSWERS,
    }


def last_norm(name: str) -> Parts:
    """Return a builder of the norm after the last layer."""

    def beside(config: Config) -> Sequence[Part]:
        return (Part(name=name, component=Norm(width=config.size("hidden_size"), kind="layer")),)

    return beside


def last_norm_if_first(config: Config) -> Sequence[Part]:
    """Return X-MOD's norm after the last layer, where its layers norm before their blocks."""
    return last_norm("encoder.LayerNorm")(config) if config.flag("pre_norm") else ()


def adapters(config: Config) -> tuple[Part, ...]:
    """Return one adapter per language; a token passes through that of its own language only."""
    hidden = config.size("hidden_size")
    narrow = hidden // config.size("adapter_reduction_factor")
    languages = dict.fromkeys(str(language) for language in config.entries("languages") or ())
    parts = []
    if config.flag("adapter_layer_norm"):
        parts.append(Part(name="output.adapter_layer_norm", component=Norm(width=hidden, kind="layer")))
    for index, language in enumerate(languages):
        parts += _adapter(f"output.adapter_modules.{language}", hidden, narrow, used=index == 0)
    return tuple(parts)


def _adapter(name: str, hidden: int, narrow: int, *, used: bool) -> Iterator[Part]:
    down = Linear(inputs=hidden, outputs=narrow, role="feed_forward", bias=True)
    up = Linear(inputs=narrow, outputs=hidden, role="feed_forward", bias=True)
    yield Part(name=f"{name}.dense1", component=down, uses=int(used))
    yield Part(name=f"{name}.dense2", component=up, uses=int(used))


def relative_positions(config: Config) -> Sequence[Part]:
    """Return MPNet's biases of relative positions, one per bucket and head, shared by all layers."""
    buckets, heads = config.size("relative_attention_num_buckets"), config.size("num_attention_heads")
    table = Embedding(rows=buckets, width=heads, role="position")
    return (Part(name="encoder.relative_attention_bias", component=table),)


def plan(name: str, prefix: str) -> EncoderPlan:
    """Return RoBERTa's plan under another name."""
    return EncoderPlan(
        prefix=prefix,
        language_head=ROBERTA_HEAD,
        padded_positions=True,
        default=f"{name}ForMaskedLM",
        tasks=tasks(name),
    )


MODEL_TYPES: dict[str, EncoderPlan] = {
    "roberta": plan("Roberta", "roberta"),
    "xlm-roberta": replace(plan("XLMRoberta", "roberta"), language_head=TABLE_IN_HEAD),
    "camembert": replace(plan("Camembert", "roberta"), language_head=TABLE_IN_HEAD),
    "data2vec-text": plan("Data2VecText", "data2vec_text"),
    "xlm-roberta-xl": replace(
        plan("XLMRobertaXL", "roberta"),
        tables=Tables(norm=False),
        layer=LayerPlan(attention_norm="attention.self_attn_layer_norm", output_norm="LayerNorm"),
        beside=last_norm("encoder.LayerNorm"),
    ),
    "roberta-prelayernorm": replace(
        plan("RobertaPreLayerNorm", "roberta_prelayernorm"),
        layer=LayerPlan(attention_norm="attention.LayerNorm", output_norm="intermediate.LayerNorm"),
        beside=last_norm("LayerNorm"),
    ),
    "xmod": replace(plan("Xmod", "roberta"), layer=LayerPlan(beside=adapters), beside=last_norm_if_first),
    "mpnet": EncoderPlan(
        prefix="mpnet",
        tables=Tables(token_types=False),
        layer=LayerPlan(
            attention=AttentionNames(query="attn.q", key="attn.k", value="attn.v", output="attn.o"),
            attention_norm="attention.LayerNorm",
            decodes=False,
        ),
        beside=relative_positions,
        language_head=ROBERTA_HEAD,
        padded_positions=True,
        default="MPNetForMaskedLM",
        tasks={name: task for name, task in tasks("MPNet").items() if not name.endswith("CausalLM")},
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class of these types that is not known.
    """
    return encoder(config, MODEL_TYPES[config.model_type])
