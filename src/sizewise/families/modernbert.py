"""ModernBERT: gated layers with rotary positions that look near or far in turn, as encoder or decoder.

Every third layer looks at all tokens, the others at ``local_attention`` around a token (the decoder at
half as many before it). The first layer has no norm before its attention, as the tables have one.
Source: Warner et al. 2024, arXiv:2412.13663; Weller et al. 2025, arXiv:2507.11412 (decoder); the
modelling files of transformers 5.23.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import Outputs, chosen_class, equal_heads, label_count

FULL_EVERY = 3
KINDS = {"full_attention": "full", "sliding_attention": "sliding"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a class adds: a head of that name, then the rows of the vocabulary or of a classifier."""

    head: str = "head"
    language_model: bool = False
    classifier: Outputs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """How a type stores queries, keys and values, whether it is causal, and its classes."""

    attention: AttentionNames
    causal: bool
    default: str
    tasks: Mapping[str, Task]


LABELS = Task(classifier="labels")

MODEL_TYPES: dict[str, Layout] = {
    "modernbert": Layout(
        attention=AttentionNames(fused="Wqkv", output="Wo"),
        causal=False,
        default="ModernBertForMaskedLM",
        tasks={
            "ModernBertModel": Task(head=""),
            "ModernBertForMaskedLM": Task(language_model=True),
            "ModernBertForSequenceClassification": LABELS,
            "ModernBertForTokenClassification": LABELS,
            "ModernBertForQuestionAnswering": LABELS,
            "ModernBertForMultipleChoice": Task(classifier=1),
        },
    ),
    "modernbert-decoder": Layout(
        attention=AttentionNames(output="Wo"),
        causal=True,
        default="ModernBertDecoderForCausalLM",
        tasks={
            "ModernBertDecoderModel": Task(head=""),
            "ModernBertDecoderForCausalLM": Task(head="lm_head", language_model=True),
            "ModernBertDecoderForSequenceClassification": LABELS,
        },
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    layout = MODEL_TYPES[config.model_type]
    model_class = chosen_class(config, layout.tasks, layout.default)
    task = layout.tasks[model_class]
    prefix = "model." if task.head else ""
    hidden, vocabulary = config.size("hidden_size"), config.size("vocab_size")
    tied = task.language_model and config.flag("tie_word_embeddings", default=True)
    tokens = Embedding(rows=vocabulary, width=hidden)
    return Architecture(
        model_class=model_class,
        body=(
            Part(name=f"{prefix}embeddings.tok_embeddings", component=tokens),
            Part(name=f"{prefix}embeddings.norm", component=_norm(config)),
            _layers(config, layout, f"{prefix}layers"),
            Part(name=f"{prefix}final_norm", component=_norm(config)),
            *(_head(config, layout, task, tied) if task.head else ()),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=config.context(),
        tied=tied,
    )


def _norm(config: Config) -> Norm:
    return Norm(
        width=config.size("hidden_size"), kind="layer" if config.flag("norm_bias") else "layer_no_bias"
    )


def _head(config: Config, layout: Layout, task: Task, tied: bool) -> Iterator[Part]:
    """Yield the dense layer and norm that all tasks have, then the rows of the task."""
    hidden, bias = config.size("hidden_size"), config.flag("classifier_bias")
    dense = Linear(inputs=hidden, outputs=hidden, role="head", bias=bias)
    yield Part(name=f"{task.head}.dense", component=dense)
    yield Part(name=f"{task.head}.norm", component=_norm(config))
    if task.language_model:
        vocabulary = config.size("vocab_size")
        rows = Head(hidden=hidden, vocabulary=vocabulary, tied=tied, bias=config.flag("decoder_bias"))
        yield Part(name="decoder", component=rows)
        return
    outputs = task.classifier if isinstance(task.classifier, int) else label_count(config)
    biased = bias if layout.causal else True
    classifier = Linear(inputs=hidden, outputs=outputs, role="head", bias=biased)
    yield Part(name="classifier", component=classifier)


def _layers(config: Config, layout: Layout, name: str) -> Stack:
    """Return the layers; the first has no attention norm."""
    layers = config.layers()
    kinds = config.per_layer("layer_types", layers, KINDS)
    if kinds is None:
        every = (
            config.size("global_attn_every_n_layers") if config.given("global_attn_every_n_layers") else None
        )
        kinds = ["sliding" if index % (every or FULL_EVERY) else "full" for index in range(layers)]
    return stack(
        name,
        [(kind, index == 0) for index, kind in enumerate(kinds)],
        lambda index: tuple(_layer(config, layout, sliding=kinds[index] == "sliding", first=index == 0)),
    )


def _layer(config: Config, layout: Layout, *, sliding: bool, first: bool) -> Iterator[Part]:
    hidden = config.size("hidden_size")
    if not first:
        yield Part(name="attn_norm", component=_norm(config))
    yield Part(name="attn", component=_attention(config, layout, sliding))
    yield Part(name="mlp_norm", component=_norm(config))
    feed_forward = FeedForward(
        hidden=hidden,
        width=config.size("intermediate_size"),
        bias=config.flag("mlp_bias"),
        names=FeedForwardNames(fused="Wi", down="Wo"),
    )
    yield Part(name="mlp", component=feed_forward)


def _attention(config: Config, layout: Layout, sliding: bool) -> GroupedQueryAttention:
    counts, bias = equal_heads(config), config.flag("attention_bias")
    side = _side(config) if sliding else None
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
        window=side if layout.causal else None,
        reach=2 * side + 1 if side and not layout.causal else None,
        cached=layout.causal,
        names=layout.attention,
    )


def _side(config: Config) -> int:
    """Return the tokens that a sliding layer sees to each side, half of ``local_attention``."""
    return (
        config.size("sliding_window")
        if config.given("sliding_window")
        else config.size("local_attention") // 2
    )
