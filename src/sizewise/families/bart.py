"""BART: an encoder and a decoder with learned positions, biases everywhere and LayerNorms.

One table serves encoder, decoder and head unless ``tie_word_embeddings`` is false. The decoder alone
is a causal model (BartForCausalLM); a file without ``architectures`` means it when ``is_decoder`` is
true and ``is_encoder_decoder`` false, as that class writes it.
Source: Lewis et al. 2019, arXiv:1910.13461; the modelling file of transformers 5.23.
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
from sizewise.plans.fields import Heads, Outputs, chosen_class, equal_heads, task_matrices

SPARE_POSITIONS = 2
DEFAULT_LABELS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a class consists of; ``matrices`` are biased and stand after the decoder."""

    prefix: str = "model."
    encoder: bool = True
    language_model: bool = False
    matrices: Mapping[str, Outputs] = field(default_factory=dict)


TASKS = {
    "BartForConditionalGeneration": Task(language_model=True),
    "BartModel": Task(prefix=""),
    "BartForCausalLM": Task(encoder=False, language_model=True),
    "BartForSequenceClassification": Task(
        matrices={"classification_head.dense": "hidden", "classification_head.out_proj": "labels"}
    ),
    "BartForQuestionAnswering": Task(matrices={"qa_outputs": 2}),
}

MODEL_TYPES: dict[str, Mapping[str, Task]] = {"bart": TASKS}

ATTENTION_NAMES = AttentionNames(output="out_proj")
FEED_FORWARD_NAMES = FeedForwardNames(up="fc1", down="fc2")


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names, BartForConditionalGeneration if none.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    tasks = MODEL_TYPES[config.model_type]
    alone = config.flag("is_decoder") and not config.flag("is_encoder_decoder", default=True)
    default = "BartForCausalLM" if alone else "BartForConditionalGeneration"
    model_class = chosen_class(config, tasks, default)
    task = tasks[model_class]
    hidden, vocabulary = config.size("d_model"), config.size("vocab_size")
    tied = config.flag("tie_word_embeddings")
    head = Head(hidden=hidden, vocabulary=vocabulary, tied=tied)
    return Architecture(
        model_class=model_class,
        body=(
            *_tables(config, task, tied),
            *(_half(config, f"{task.prefix}encoder", "encoder") if task.encoder else ()),
            *_half(config, f"{task.prefix}decoder", "decoder"),
            *([Part(name="lm_head", component=head)] if task.language_model else []),
            *task_matrices(config, task.matrices, hidden, labels=DEFAULT_LABELS),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=config.context(),
        tied=tied and task.language_model,
    )


def _tables(config: Config, task: Task, tied: bool) -> Iterator[Part]:
    """Yield the shared token table, and one for each half where nothing is tied."""
    table = Embedding(rows=config.size("vocab_size"), width=config.size("d_model"))
    if task.encoder:
        yield Part(name=f"{task.prefix}shared", component=table)
    if task.encoder and not tied:
        yield Part(name=f"{task.prefix}encoder.embed_tokens", component=table)
    if not (task.encoder and tied):
        yield Part(name=f"{task.prefix}decoder.embed_tokens", component=table)


def _half(config: Config, name: str, half: str) -> Iterator[Part | Stack]:
    """Yield positions, their LayerNorm and the layers of encoder or decoder."""
    hidden = config.size("d_model")
    rows = config.size("max_position_embeddings") + SPARE_POSITIONS
    positions = Embedding(rows=rows, width=hidden, role="position")
    yield Part(name=f"{name}.embed_positions", component=positions)
    yield Part(name=f"{name}.layernorm_embedding", component=Norm(width=hidden, kind="layer"))
    kinds = [half] * config.layers(f"{half}_layers")
    yield stack(f"{name}.layers", kinds, lambda _: tuple(_layer(config, half)))


def _layer(config: Config, half: str) -> Iterator[Part]:
    """Yield self-attention, in the decoder cross-attention, and the feed-forward layer, with norms."""
    hidden = config.size("d_model")
    decodes = half == "decoder"
    counts = equal_heads(config, query=config.size(f"{half}_attention_heads"), hidden=hidden)
    norm = Norm(width=hidden, kind="layer")
    feed_forward = FeedForward(
        hidden=hidden,
        width=config.size(f"{half}_ffn_dim"),
        gated=False,
        bias=True,
        names=FEED_FORWARD_NAMES,
    )
    yield Part(name="self_attn", component=_attention(counts, hidden, cached=decodes, cross=False))
    yield Part(name="self_attn_layer_norm", component=norm)
    if decodes:
        yield Part(name="encoder_attn", component=_attention(counts, hidden, cached=True, cross=True))
        yield Part(name="encoder_attn_layer_norm", component=norm)
    yield Part(name="", component=feed_forward)
    yield Part(name="final_layer_norm", component=norm)


def _attention(counts: Heads, hidden: int, *, cached: bool, cross: bool) -> GroupedQueryAttention:
    return GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=True,
        out_bias=True,
        cached=cached,
        cross=cross,
        names=ATTENTION_NAMES,
    )
