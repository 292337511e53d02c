"""The plan of encoder-decoders of the BART kind: one token table, positions, biased layers with LayerNorms.

One table serves encoder, decoder and head unless ``tie_word_embeddings`` is false. The decoder alone is
a causal model; a file without ``architectures`` means it when ``is_decoder`` is true and
``is_encoder_decoder`` false, as that class writes it. Source: the modelling files of transformers 5.23.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.listed_experts import ListedExperts
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.plans.fields import Heads, Outputs, chosen_class, equal_heads, flag, task_matrices

EXPERTS_USED = 2
Half = Literal["encoder", "decoder"]

Parts = Callable[[Config], Sequence[Part]]
"""From a configuration to further parts, named relative to where they stand."""

Rows = Callable[[Config, Half], int | None]
"""From a configuration and a half to the rows of its table of positions; None where it has no table."""


def nothing(config: Config) -> Sequence[Part]:
    """Return no parts."""
    return ()


def no_limit(config: Config) -> int | None:
    """Return None: a token looks at all others."""
    return None


def no_table(config: Config, half: Half) -> int | None:
    """Return None: positions are computed."""
    return None


def positions(config: Config, half: Half) -> int | None:
    """Read the longest context."""
    return config.size("max_position_embeddings")


def positions_and(spare: int) -> Rows:
    """Return a reader of the longest context and ``spare`` rows more."""

    def rows(config: Config, half: Half) -> int | None:
        return config.size("max_position_embeddings") + spare

    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a class consists of; ``matrices`` are biased and stand after the decoder."""

    bare: bool = False
    """The two halves themselves: their tensors have no prefix."""
    encoder: bool = True
    language_model: bool = False
    tied: bool | None = None
    matrices: Mapping[str, Outputs] = field(default_factory=dict)


GENERATION = Task(language_model=True)
BARE = Task(bare=True)
CAUSAL = Task(encoder=False, language_model=True)
LABELS = Task(matrices={"classification_head.dense": "hidden", "classification_head.out_proj": "labels"})
ANSWERS = Task(matrices={"qa_outputs": 2})


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionStyle:
    """Names and biases of attention; ``reach`` tokens are looked at, ``beside`` stands beside it."""

    names: AttentionNames = AttentionNames(output="out_proj")
    bias: str | bool = True
    key_bias: bool = True
    reach: Callable[[Config], int | None] = no_limit
    beside: Parts = nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderDecoderPlan:
    """Module names and habits of a type, and the classes that are known of it."""

    tasks: Mapping[str, Task]
    default: str
    causal: str = ""
    prefix: str = "model"
    shared: bool = True
    """The token table stands beside the halves; otherwise in the decoder alone."""
    front: Parts = nothing
    """What the encoder has in place of a token table."""
    rows: Rows = positions
    sines: tuple[Half, ...] = ()
    """The halves whose positions are sines: stored, never trained."""
    embedding_norm: str | bool = False
    final_norm: bool = False
    encoder_attention: AttentionStyle = AttentionStyle()
    attention: AttentionStyle = AttentionStyle()
    cross: str = "encoder_attn"
    feed_forward: str = ""
    feed_forward_norm: str = "final_layer_norm"
    sparse: bool = False
    """Every so many layers has experts, as the fields with ``sparse_step`` say; a token uses two."""
    head: str = "lm_head"
    labels: int = 2
    """Of a classification head in a file that names none."""
    context: tuple[str, ...] = ("max_position_embeddings",)
    bounded: bool = True
    """Neither half reads more tokens than the context: its table of positions, if any, ends there."""


def encoder_decoder(config: Config, plan: EncoderDecoderPlan) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    alone = config.flag("is_decoder") and not config.flag("is_encoder_decoder", default=True)
    model_class = chosen_class(config, plan.tasks, plan.causal if alone and plan.causal else plan.default)
    task = plan.tasks[model_class]
    prefix = "" if task.bare else f"{plan.prefix}."
    hidden, vocabulary = config.size("d_model"), config.size("vocab_size")
    tied = config.flag("tie_word_embeddings", default=True) if task.tied is None else task.tied
    head = Head(hidden=hidden, vocabulary=vocabulary, tied=tied)
    return Architecture(
        model_class=model_class,
        body=(
            *_tables(config, plan, task, prefix, tied),
            *(_half(config, plan, f"{prefix}encoder", "encoder") if task.encoder else ()),
            *_half(config, plan, f"{prefix}decoder", "decoder"),
            *([Part(name=plan.head, component=head)] if task.language_model else []),
            *task_matrices(config, task.matrices, hidden, labels=plan.labels),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=config.context(*plan.context),
        tied=tied and task.language_model,
    )


def _tables(config: Config, plan: EncoderDecoderPlan, task: Task, prefix: str, tied: bool) -> Iterator[Part]:
    """Yield the shared token table, and one for each half where nothing is tied."""
    table = Embedding(rows=config.size("vocab_size"), width=config.size("d_model"))
    shared = plan.shared and task.encoder
    if shared:
        yield Part(name=f"{prefix}shared", component=table)
    if shared and not tied:
        yield Part(name=f"{prefix}encoder.embed_tokens", component=table)
    if not (shared and tied):
        yield Part(name=f"{prefix}decoder.embed_tokens", component=table)


def _half(config: Config, plan: EncoderDecoderPlan, name: str, half: Half) -> Iterator[Part | Stack]:
    """Yield positions, norms and the layers of encoder or decoder."""
    hidden = config.size("d_model")
    norm = Norm(width=hidden, kind="layer")
    if half == "encoder":
        yield from (replace(part, name=f"{name}.{part.name}") for part in plan.front(config))
    rows = plan.rows(config, half)
    if rows is not None:
        table = Embedding(
            rows=rows, width=hidden, role="position", frozen=half in plan.sines, absolute=plan.bounded
        )
        yield Part(name=f"{name}.embed_positions", component=table)
    if flag(config, plan.embedding_norm):
        yield Part(name=f"{name}.layernorm_embedding", component=norm)
    kinds = _sparse_layers(config, plan, half)
    yield stack(f"{name}.layers", kinds, lambda index: tuple(_layer(config, plan, half, kinds[index])))
    if plan.final_norm:
        yield Part(name=f"{name}.layer_norm", component=norm)


def _sparse_layers(config: Config, plan: EncoderDecoderPlan, half: Half) -> list[bool]:
    """Return for every layer whether it has experts."""
    step = config.count(f"{half}_sparse_step") if plan.sparse else 0
    return [step > 0 and (index + 1) % step == 0 for index in range(config.layers(f"{half}_layers"))]


def _layer(config: Config, plan: EncoderDecoderPlan, half: Half, sparse: bool) -> Iterator[Part]:
    """Yield self-attention, in the decoder cross-attention, and the feed-forward layer, with norms."""
    hidden = config.size("d_model")
    decodes = half == "decoder"
    counts = equal_heads(config, query=config.size(f"{half}_attention_heads"), hidden=hidden)
    norm = Norm(width=hidden, kind="layer")
    style = plan.attention if decodes else plan.encoder_attention
    yield Part(name="self_attn", component=_attention(config, style, counts, cached=decodes, cross=False))
    yield from style.beside(config)
    yield Part(name="self_attn_layer_norm", component=norm)
    if decodes:
        cross = _attention(config, style, counts, cached=True, cross=True)
        yield Part(name=plan.cross, component=cross)
        yield Part(name=f"{plan.cross}_layer_norm", component=norm)
    yield from _experts(config, plan, half) if sparse else _dense(config, plan, half)
    yield Part(name=plan.feed_forward_norm, component=norm)


def _dense(config: Config, plan: EncoderDecoderPlan, half: Half) -> Iterator[Part]:
    feed_forward = FeedForward(
        hidden=config.size("d_model"),
        width=config.size(f"{half}_ffn_dim"),
        gated=False,
        bias=True,
        names=FeedForwardNames(up="fc1", down="fc2"),
    )
    yield Part(name=plan.feed_forward, component=feed_forward)


def _experts(config: Config, plan: EncoderDecoderPlan, half: Half) -> Iterator[Part]:
    """Yield the router and the experts."""
    hidden, experts = config.size("d_model"), config.size("num_experts")
    router = Linear(inputs=hidden, outputs=experts, role="router", bias=config.flag("router_bias"))
    yield Part(name=f"{plan.feed_forward}.router.classifier", component=router)
    routed = ListedExperts(
        hidden=hidden,
        width=config.size(f"{half}_ffn_dim"),
        experts=experts,
        active=min(EXPERTS_USED, experts),
        bias=True,
        up="fc1",
        down="fc2",
    )
    yield Part(name=f"{plan.feed_forward}.experts", component=routed)


def _attention(
    config: Config, style: AttentionStyle, counts: Heads, *, cached: bool, cross: bool
) -> GroupedQueryAttention:
    bias = flag(config, style.bias)
    return GroupedQueryAttention(
        hidden=config.size("d_model"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        key_bias=style.key_bias,
        out_bias=bias,
        reach=style.reach(config),
        cached=cached,
        cross=cross,
        names=style.names,
    )
