"""BERT, RoBERTa and DistilBERT: encoders with learned positions, and the heads of their task classes.

``architectures`` in the file names the class; without it the masked language model is meant. Layers
norm after attention and after the feed-forward layer. With ``is_decoder`` BERT and RoBERTa keep keys
and values, with ``add_cross_attention`` they look at another encoder too.
Source: Devlin et al. 2018, arXiv:1810.04805; Liu et al. 2019, arXiv:1907.11692; Sanh et al. 2019,
arXiv:1910.01108; the modelling files of transformers 5.23.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.embeddings import Bias, Embedding, Head
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import Outputs, chosen_class, equal_heads, task_matrices


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a class adds to the encoder: a pooler, a language-model head, further biased matrices."""

    pooler: bool = False
    language_model: bool = False
    matrices: Mapping[str, Outputs] = field(default_factory=dict)
    bare: bool = False
    """The encoder itself: its tensors have no prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerNames:
    """Module names of a layer; ``width`` is the field with the feed-forward size."""

    stack: str
    attention: AttentionNames
    attention_norm: str
    feed_forward: str
    feed_forward_names: FeedForwardNames
    output_norm: str
    width: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageHead:
    """Module names of transform, norm and projection; ``bias`` where a bias stands beside the last."""

    transform: str
    norm: str
    projection: str
    bias: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Module names of a type, whether it has token types, and the classes that are known of it."""

    prefix: str
    layer: LayerNames
    language_head: LanguageHead
    token_types: bool = True
    padded_positions: bool = False
    """Positions start after the padding index, so the table has more rows than the context tokens."""
    default: str
    tasks: Mapping[str, Task]


LANGUAGE_MODEL = Task(language_model=True)
ANSWERS = Task(matrices={"qa_outputs": "labels"})
TOKEN_LABELS = Task(matrices={"classifier": "labels"})

BERT_LAYER = LayerNames(
    stack="encoder.layer",
    attention=AttentionNames(query="self.query", key="self.key", value="self.value", output="output.dense"),
    attention_norm="attention.output.LayerNorm",
    feed_forward="",
    feed_forward_names=FeedForwardNames(up="intermediate.dense", down="output.dense"),
    output_norm="output.LayerNorm",
    width="intermediate_size",
)

MODEL_TYPES: dict[str, Layout] = {
    "bert": Layout(
        prefix="bert",
        layer=BERT_LAYER,
        language_head=LanguageHead(
            transform="cls.predictions.transform.dense",
            norm="cls.predictions.transform.LayerNorm",
            projection="cls.predictions.decoder",
            bias="cls.predictions",
        ),
        default="BertForMaskedLM",
        tasks={
            "BertModel": Task(pooler=True, bare=True),
            "BertForMaskedLM": LANGUAGE_MODEL,
            "BertLMHeadModel": LANGUAGE_MODEL,
            "BertForPreTraining": Task(
                pooler=True, language_model=True, matrices={"cls.seq_relationship": 2}
            ),
            "BertForNextSentencePrediction": Task(pooler=True, matrices={"cls.seq_relationship": 2}),
            "BertForSequenceClassification": Task(pooler=True, matrices={"classifier": "labels"}),
            "BertForMultipleChoice": Task(pooler=True, matrices={"classifier": 1}),
            "BertForTokenClassification": TOKEN_LABELS,
            "BertForQuestionAnswering": ANSWERS,
        },
    ),
    "roberta": Layout(
        prefix="roberta",
        layer=BERT_LAYER,
        language_head=LanguageHead(
            transform="lm_head.dense",
            norm="lm_head.layer_norm",
            projection="lm_head.decoder",
            bias="lm_head",
        ),
        padded_positions=True,
        default="RobertaForMaskedLM",
        tasks={
            "RobertaModel": Task(pooler=True, bare=True),
            "RobertaForMaskedLM": LANGUAGE_MODEL,
            "RobertaForCausalLM": LANGUAGE_MODEL,
            "RobertaForSequenceClassification": Task(
                matrices={"classifier.dense": "hidden", "classifier.out_proj": "labels"}
            ),
            "RobertaForMultipleChoice": Task(pooler=True, matrices={"classifier": 1}),
            "RobertaForTokenClassification": TOKEN_LABELS,
            "RobertaForQuestionAnswering": ANSWERS,
        },
    ),
    "distilbert": Layout(
        prefix="distilbert",
        layer=LayerNames(
            stack="transformer.layer",
            attention=AttentionNames(query="q_lin", key="k_lin", value="v_lin", output="out_lin"),
            attention_norm="sa_layer_norm",
            feed_forward="ffn",
            feed_forward_names=FeedForwardNames(up="lin1", down="lin2"),
            output_norm="output_layer_norm",
            width="hidden_dim",
        ),
        language_head=LanguageHead(
            transform="vocab_transform", norm="vocab_layer_norm", projection="vocab_projector"
        ),
        token_types=False,
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
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class of these types that is not known.
    """
    layout = MODEL_TYPES[config.model_type]
    model_class = chosen_class(config, layout.tasks, layout.default)
    task = layout.tasks[model_class]
    prefix = "" if task.bare else f"{layout.prefix}."
    hidden, vocabulary = config.size("hidden_size"), config.size("vocab_size")
    tied = task.language_model and config.flag("tie_word_embeddings", default=True)
    pooler = Linear(inputs=hidden, outputs=hidden, role="head", bias=True)
    return Architecture(
        model_class=model_class,
        body=(
            *_embeddings(config, layout, f"{prefix}embeddings"),
            _layers(config, layout.layer, f"{prefix}{layout.layer.stack}"),
            *([Part(name=f"{prefix}pooler.dense", component=pooler)] if task.pooler else []),
            *(_language_head(layout.language_head, hidden, vocabulary, tied) if task.language_model else ()),
            *task_matrices(config, task.matrices, hidden),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=_context(config, layout),
        tied=tied,
    )


def _context(config: Config, layout: Layout) -> int | None:
    positions = config.context()
    if positions is None or not layout.padded_positions:
        return positions
    padding = config.count("pad_token_id") if config.given("pad_token_id") else 1
    return max(positions - padding - 1, 1)


def _embeddings(config: Config, layout: Layout, name: str) -> Iterator[Part]:
    """Yield the tables of tokens [V, D], positions [P, D] and token types, and their LayerNorm."""
    hidden = config.size("hidden_size")
    tokens = Embedding(rows=config.size("vocab_size"), width=hidden)
    positions = Embedding(
        rows=config.size("max_position_embeddings"),
        width=hidden,
        role="position",
    )
    yield Part(name=f"{name}.word_embeddings", component=tokens)
    yield Part(name=f"{name}.position_embeddings", component=positions)
    if layout.token_types:
        types = Embedding(rows=config.size("type_vocab_size"), width=hidden)
        yield Part(name=f"{name}.token_type_embeddings", component=types)
    yield Part(name=f"{name}.LayerNorm", component=Norm(width=hidden, kind="layer"))


def _layers(config: Config, names: LayerNames, name: str) -> Stack:
    hidden = config.size("hidden_size")
    decodes = config.flag("is_decoder")
    norm = Norm(width=hidden, kind="layer")
    feed_forward = FeedForward(
        hidden=hidden,
        width=config.size(names.width),
        gated=False,
        bias=True,
        names=names.feed_forward_names,
    )
    layer = [
        Part(name="attention", component=_attention(config, names, cached=decodes, cross=False)),
        Part(name=names.attention_norm, component=norm),
        Part(name=names.feed_forward, component=feed_forward),
        Part(name=names.output_norm, component=norm),
    ]
    if config.flag("add_cross_attention"):
        cross = _attention(config, names, cached=decodes, cross=True)
        layer.append(Part(name="crossattention", component=cross))
        layer.append(Part(name=f"cross{names.attention_norm}", component=norm))
    return stack(name, ["layer"] * config.layers(), lambda _: tuple(layer))


def _attention(config: Config, names: LayerNames, *, cached: bool, cross: bool) -> GroupedQueryAttention:
    counts = equal_heads(config)
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=True,
        out_bias=True,
        cached=cached,
        cross=cross,
        names=names.attention,
    )


def _language_head(names: LanguageHead, hidden: int, vocabulary: int, tied: bool) -> Iterator[Part]:
    """Yield transform, norm and projection; an untied projection has a bias of its own as well."""
    transform = Linear(inputs=hidden, outputs=hidden, role="head", bias=True)
    projection = Head(hidden=hidden, vocabulary=vocabulary, tied=tied, bias=not (tied and names.bias))
    yield Part(name=names.transform, component=transform)
    yield Part(name=names.norm, component=Norm(width=hidden, kind="layer"))
    yield Part(name=names.projection, component=projection)
    if names.bias:
        yield Part(name=names.bias, component=Bias(width=vocabulary))
