"""T5 and its relatives: an encoder and a decoder with relative positions, RMS norms and no biases.

One table serves encoder, decoder and head: transformers 5 ties it whatever the file says, but for Switch
Transformers. mT5 is T5 1.1 with more languages; UMT5 has relative positions in every layer; LongT5's
encoder looks near; Switch has layers of experts, of which a token uses one.
Source: Raffel et al. 2019, arXiv:1910.10683; Xue et al. 2020, arXiv:2010.11934 (mT5); Guo et al. 2021,
arXiv:2112.07916 (LongT5); Fedus et al. 2021, arXiv:2101.03961 (Switch); the modelling files of
transformers 5.23.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.listed_experts import ListedExperts
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import Outputs, chosen_class, task_matrices


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a class consists of; ``matrices`` are biased and stand after the decoder (or encoder)."""

    prefix: str = ""
    decoder: bool = True
    language_model: bool = False
    matrices: Mapping[str, Outputs] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What sets a type apart, and the classes that are known of it."""

    name: str
    tasks: Mapping[str, Task]
    may_be_untied: bool = False
    relative_everywhere: bool = False
    """Every layer has biases of relative positions, not only the first."""
    sparse: bool = False
    """Some layers have experts in place of the feed-forward layer."""
    gates: bool = True
    """``feed_forward_proj`` may name a gated layer; otherwise it names an activation only."""
    feed_forward: str = "DenseReluDense"


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Encoder or decoder: its attention module and how many tokens it looks at, and its sparse layers."""

    decodes: bool
    attention: str = "SelfAttention"
    reach: int | None = None
    global_inputs: bool = False
    sparse_step: int = 0


BASIC = {
    "ForConditionalGeneration": Task(language_model=True),
    "Model": Task(),
    "EncoderModel": Task(decoder=False),
}
FURTHER = {
    "ForSequenceClassification": Task(
        prefix="transformer.",
        matrices={"classification_head.dense": "hidden", "classification_head.out_proj": "labels"},
    ),
    "ForTokenClassification": Task(prefix="transformer.", decoder=False, matrices={"classifier": "labels"}),
    "ForQuestionAnswering": Task(matrices={"qa_outputs": "labels"}),
}

MODEL_TYPES: dict[str, Layout] = {
    "t5": Layout(name="T5", tasks=BASIC | FURTHER),
    "mt5": Layout(name="MT5", tasks=BASIC | FURTHER),
    "umt5": Layout(name="UMT5", tasks=BASIC | FURTHER, relative_everywhere=True),
    "longt5": Layout(name="LongT5", tasks=BASIC),
    "switch_transformers": Layout(
        name="SwitchTransformers",
        tasks=BASIC,
        may_be_untied=True,
        sparse=True,
        gates=False,
        feed_forward="mlp",
    ),
}

ATTENTION_NAMES = AttentionNames(query="q", key="k", value="v", output="o")
ENCODER_ATTENTION = {"local": "LocalSelfAttention", "transient-global": "TransientGlobalSelfAttention"}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names, the one that generates if none.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    layout = MODEL_TYPES[config.model_type]
    tasks = {f"{layout.name}{ending}": task for ending, task in layout.tasks.items()}
    model_class = chosen_class(config, tasks, f"{layout.name}ForConditionalGeneration")
    task = tasks[model_class]
    if not task.decoder and config.flag("is_decoder", default=False):
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: is_decoder makes the encoder of {model_class} a decoder, which is "
            "not modelled; set is_decoder to false",
        )
    hidden, vocabulary = config.size("d_model"), config.size("vocab_size")
    tied = not layout.may_be_untied or config.flag("tie_word_embeddings", default=True)
    if tied and task.language_model and not config.flag("tie_word_embeddings", default=True):
        config.notice(
            "inconsistent",
            "tie_word_embeddings is false, yet the class ties the head; a checkpoint that stores one of its "
            f"own (T5 1.1, mT5) has {vocabulary * hidden:,} parameters more",
        )
    head = Head(hidden=hidden, vocabulary=vocabulary, tied=tied)
    encoder = _half(
        config, layout, f"{task.prefix}encoder", config.layers("num_layers"), _encoder(config, layout)
    )
    return Architecture(
        model_class=model_class,
        body=(
            *_tables(config, task, tied),
            *encoder,
            *(_decoder(config, layout, task.prefix) if task.decoder else ()),
            *([Part(name="lm_head", component=head)] if task.language_model else []),
            *task_matrices(config, task.matrices, hidden),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=config.context("n_positions", "max_position_embeddings"),
        tied=tied and task.language_model,
    )


def _tables(config: Config, task: Task, tied: bool) -> Iterator[Part]:
    """Yield the shared token table, and one for each half where nothing is tied."""
    table = Embedding(rows=config.size("vocab_size"), width=config.size("d_model"))
    yield Part(name=f"{task.prefix}shared", component=table)
    if not tied:
        yield Part(name=f"{task.prefix}encoder.embed_tokens", component=table)
        if task.decoder:
            yield Part(name=f"{task.prefix}decoder.embed_tokens", component=table)


def _encoder(config: Config, layout: Layout) -> Half:
    """Return the encoder; that of LongT5 looks at three blocks of ``local_radius`` and one tokens.

    What its summaries of further blocks cost is not counted.
    """
    if layout.name != "LongT5":
        return Half(decodes=False, sparse_step=_sparse_step(config, layout, "encoder", _early_depth(config)))
    kind = config.text("encoder_attention_type") or ""
    if kind not in ENCODER_ATTENTION:
        raise config.bad("encoder_attention_type", f"is none of {', '.join(ENCODER_ATTENTION)}")
    return Half(
        decodes=False,
        attention=ENCODER_ATTENTION[kind],
        reach=3 * (config.size("local_radius") + 1),
        global_inputs=kind == "transient-global",
    )


def _decoder(config: Config, layout: Layout, prefix: str) -> Iterator[Part | Stack]:
    """Yield the decoder; a null depth means that of the encoder."""
    given = config.raw("num_decoder_layers") is not None
    layers = config.layers("num_decoder_layers") if given else _early_depth(config)
    half = Half(decodes=True, sparse_step=_sparse_step(config, layout, "decoder", layers))
    yield from _half(config, layout, f"{prefix}decoder", layers, half)


def _early_depth(config: Config) -> int:
    """Return the depth of the encoder as the class knows it before it reads ``num_hidden_layers``.

    What the class derives from the depth, it derives from its default where only that alias is given.
    """
    declared = config.declared("num_layers")
    if isinstance(declared, int) and not config.spelled("num_layers"):
        return declared
    return config.layers_as_spelled("num_layers")


def _sparse_step(config: Config, layout: Layout, half: str, layers: int) -> int:
    """Return every how many layers one has experts; zero or as many as there are layers means none."""
    if not layout.sparse:
        return 0
    step = f"{half}_sparse_step"
    if config.given(step):
        return config.count(step)
    sparse = config.count(f"num_sparse_{half}_layers")
    return layers // sparse if sparse else layers


def _half(config: Config, layout: Layout, name: str, layers: int, half: Half) -> Iterator[Part | Stack]:
    """Yield the layers of encoder or decoder and their final norm."""
    step = half.sparse_step
    kinds = [
        (index == 0 or layout.relative_everywhere, step == 1 or (step > 0 and index % step == 1))
        for index in range(layers)
    ]
    yield stack(f"{name}.block", kinds, lambda index: tuple(_layer(config, layout, half, *kinds[index])))
    yield Part(name=f"{name}.final_layer_norm", component=Norm(width=config.size("d_model")))


def _layer(config: Config, layout: Layout, half: Half, relative: bool, sparse: bool) -> Iterator[Part]:
    """Yield self-attention, in a decoder cross-attention, and the feed-forward layer, each with a norm.

    The biases of relative positions are one per bucket and head.
    """
    norm, name = Norm(width=config.size("d_model")), f"layer.0.{half.attention}"
    yield Part(name=name, component=_attention(config, half, cross=False))
    if relative:
        yield Part(name=f"{name}.relative_attention_bias", component=_relative(config))
    if half.global_inputs:
        yield Part(name=f"{name}.global_input_layer_norm", component=norm)
        if relative:
            yield Part(name=f"{name}.global_relative_attention_bias", component=_relative(config))
    yield Part(name="layer.0.layer_norm", component=norm)
    if half.decodes:
        yield Part(name="layer.1.EncDecAttention", component=_attention(config, half, cross=True))
        yield Part(name="layer.1.layer_norm", component=norm)
    last = f"layer.{2 if half.decodes else 1}"
    if sparse:
        yield from _experts(config, f"{last}.{layout.feed_forward}")
    else:
        yield Part(name=f"{last}.{layout.feed_forward}", component=_feed_forward(config, layout))
    yield Part(name=f"{last}.layer_norm", component=norm)


def _attention(config: Config, half: Half, *, cross: bool) -> GroupedQueryAttention:
    heads = config.size("num_heads")
    return GroupedQueryAttention(
        hidden=config.size("d_model"),
        query_heads=heads,
        kv_heads=heads,
        head_size=config.size("d_kv"),
        reach=half.reach,
        cached=half.decodes,
        cross=cross,
        names=ATTENTION_NAMES,
    )


def _relative(config: Config) -> Embedding:
    buckets, heads = config.size("relative_attention_num_buckets"), config.size("num_heads")
    return Embedding(rows=buckets, width=heads, role="position")


def _experts(config: Config, name: str) -> Iterator[Part]:
    """Yield the router and the experts, of which a token uses one."""
    hidden, experts = config.size("d_model"), config.size("num_experts")
    router = Linear(inputs=hidden, outputs=experts, role="router", bias=config.flag("router_bias"))
    yield Part(name=f"{name}.router.classifier", component=router)
    routed = ListedExperts(hidden=hidden, width=config.size("d_ff"), experts=experts, active=1)
    yield Part(name=f"{name}.experts", component=routed)


def _feed_forward(config: Config, layout: Layout) -> FeedForward:
    """Return the feed-forward layer that ``feed_forward_proj`` names: ACTIVATION or gated-ACTIVATION.

    Whether it is gated the class derives from that name, and then sets ``is_gated_act`` where a file has it.
    """
    gated = False
    if layout.gates:
        activation = config.text("feed_forward_proj") or ""
        *before, last = activation.split("-")
        if before not in ([], ["gated"]) or not last:
            raise config.bad("feed_forward_proj", "is neither an activation nor gated-ACTIVATION")
        gated = config.flag("is_gated_act") if config.present("is_gated_act") else bool(before)
    return FeedForward(
        hidden=config.size("d_model"),
        width=config.size("d_ff"),
        gated=gated,
        names=FeedForwardNames(gate="wi_0", up="wi_1" if gated else "wi", down="wo"),
    )
