"""T5: an encoder and a decoder with relative positions, RMS norms and no biases.

One table serves encoder, decoder and head: transformers 5 ties it whatever the file says.
Source: Raffel et al. 2019, arXiv:1910.10683; the modelling file of transformers 5.23.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import Outputs, chosen_class, task_matrices


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a class consists of; ``matrices`` are biased and stand after the decoder (or encoder)."""

    prefix: str = ""
    decoder: bool = True
    language_model: bool = False
    matrices: Mapping[str, Outputs] = field(default_factory=dict)


TASKS = {
    "T5ForConditionalGeneration": Task(language_model=True),
    "T5Model": Task(),
    "T5EncoderModel": Task(decoder=False),
    "T5ForSequenceClassification": Task(
        prefix="transformer.",
        matrices={"classification_head.dense": "hidden", "classification_head.out_proj": "labels"},
    ),
    "T5ForTokenClassification": Task(prefix="transformer.", decoder=False, matrices={"classifier": "labels"}),
    "T5ForQuestionAnswering": Task(matrices={"qa_outputs": "labels"}),
}

MODEL_TYPES: dict[str, Mapping[str, Task]] = {"t5": TASKS}

ATTENTION_NAMES = AttentionNames(query="q", key="k", value="v", output="o")


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names, T5ForConditionalGeneration if none.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    tasks = MODEL_TYPES[config.model_type]
    model_class = chosen_class(config, tasks, "T5ForConditionalGeneration")
    task = tasks[model_class]
    hidden, vocabulary = config.size("d_model"), config.size("vocab_size")
    head = Head(hidden=hidden, vocabulary=vocabulary, tied=True)
    return Architecture(
        model_class=model_class,
        body=(
            Part(name=f"{task.prefix}shared", component=Embedding(rows=vocabulary, width=hidden)),
            *_half(config, f"{task.prefix}encoder", config.layers("num_layers"), decodes=False),
            *(_decoder(config, task.prefix) if task.decoder else ()),
            *([Part(name="lm_head", component=head)] if task.language_model else []),
            *task_matrices(config, task.matrices, hidden),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=config.context("n_positions", "max_position_embeddings"),
        tied=task.language_model,
    )


def _decoder(config: Config, prefix: str) -> Iterator[Part | Stack]:
    """Yield the decoder; a null depth means that of the encoder."""
    depth = "num_layers" if config.raw("num_decoder_layers") is None else "num_decoder_layers"
    yield from _half(config, f"{prefix}decoder", config.layers(depth), decodes=True)


def _half(config: Config, name: str, layers: int, *, decodes: bool) -> Iterator[Part | Stack]:
    """Yield the layers of encoder or decoder and their final norm."""
    kinds = ["first"] + ["later"] * (layers - 1)
    yield stack(f"{name}.block", kinds, lambda index: tuple(_layer(config, index == 0, decodes)))
    yield Part(name=f"{name}.final_layer_norm", component=Norm(width=config.size("d_model")))


def _layer(config: Config, first: bool, decodes: bool) -> Iterator[Part]:
    """Yield self-attention, in a decoder cross-attention, and the feed-forward layer, each with a norm.

    Only the first layer stores the biases of relative positions, one per bucket and head.
    """
    norm = Norm(width=config.size("d_model"))
    yield Part(name="layer.0.SelfAttention", component=_attention(config, cached=decodes, cross=False))
    if first:
        yield Part(name="layer.0.SelfAttention.relative_attention_bias", component=_relative(config))
    yield Part(name="layer.0.layer_norm", component=norm)
    if decodes:
        cross = _attention(config, cached=True, cross=True)
        yield Part(name="layer.1.EncDecAttention", component=cross)
        yield Part(name="layer.1.layer_norm", component=norm)
    last = 2 if decodes else 1
    yield Part(name=f"layer.{last}.DenseReluDense", component=_feed_forward(config))
    yield Part(name=f"layer.{last}.layer_norm", component=norm)


def _attention(config: Config, *, cached: bool, cross: bool) -> GroupedQueryAttention:
    heads = config.size("num_heads")
    return GroupedQueryAttention(
        hidden=config.size("d_model"),
        query_heads=heads,
        kv_heads=heads,
        head_size=config.size("d_kv"),
        cached=cached,
        cross=cross,
        names=ATTENTION_NAMES,
    )


def _relative(config: Config) -> Embedding:
    buckets, heads = config.size("relative_attention_num_buckets"), config.size("num_heads")
    return Embedding(rows=buckets, width=heads, role="position")


def _feed_forward(config: Config) -> FeedForward:
    """Return the feed-forward layer that ``feed_forward_proj`` names: ACTIVATION or gated-ACTIVATION."""
    activation = config.text("feed_forward_proj") or ""
    *before, last = activation.split("-")
    if before not in ([], ["gated"]) or not last:
        raise config.bad("feed_forward_proj", "is neither an activation nor gated-ACTIVATION")
    gated = bool(before)
    return FeedForward(
        hidden=config.size("d_model"),
        width=config.size("d_ff"),
        gated=gated,
        names=FeedForwardNames(gate="wi_0", up="wi_1" if gated else "wi", down="wo"),
    )
