"""The plan that encoders of the BERT kind follow: tables, layers, a pooler and the heads of task classes.

``architectures`` in the file names the class; without it the plan's default is meant. A string in
place of true or false names the config field that decides. Source: the modelling files of
transformers 5.23.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from sizewise.architecture import Architecture, Part, Stack
from sizewise.components.embeddings import Bias, Embedding, Head
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.plans.encoder_layers import BERT_LAYER, LayerPlan, Parts, encoder_layers, nothing
from sizewise.plans.fields import Outputs, chosen_class, flag, task_matrices


def hidden_size(config: Config) -> int:
    """Read the hidden size D."""
    return config.size("hidden_size")


def size_field(name: str) -> Callable[[Config], int]:
    """Return a reader of a width that must have a number."""

    def read(config: Config) -> int:
        return config.size(name)

    return read


def size_or_hidden(name: str) -> Callable[[Config], int]:
    """Return a reader of a width whose null means the hidden size D."""

    def read(config: Config) -> int:
        return config.optional_size(name) or config.size("hidden_size")

    return read


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a class adds to the encoder: a pooler, a language-model head, further biased matrices."""

    pooler: bool = False
    language_model: bool = False
    matrices: Mapping[str, Outputs] = field(default_factory=dict)
    bare: bool = False
    """The encoder itself: its tensors have no prefix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The tables of width E before the layers; ``projection`` turns E into the hidden size D."""

    width: Callable[[Config], int] = hidden_size
    projection: str = ""
    projects_always: bool = False
    """There is a projection even where E is D."""
    projection_bias: bool = True
    positions: str | bool = True
    token_types: bool = True
    token_types_may_be_none: bool = False
    norm: bool = True
    norm_after_projection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageHead:
    """Module names of transform, norm and projection; ``bias`` where a bias stands beside the last."""

    projection: str
    transform: str = ""
    norm: str = ""
    bias: str = ""
    width: Callable[[Config], int] = hidden_size
    """Features that the transform makes, and the projection takes."""
    tied: bool | None = None
    holds_table: bool = False
    """A tied table is listed under the projection's name and not among the embeddings."""


BERT_HEAD = LanguageHead(
    transform="cls.predictions.transform.dense",
    norm="cls.predictions.transform.LayerNorm",
    projection="cls.predictions.decoder",
    bias="cls.predictions",
)
ROBERTA_HEAD = LanguageHead(
    transform="lm_head.dense", norm="lm_head.layer_norm", projection="lm_head.decoder", bias="lm_head"
)
LANGUAGE_MODEL = Task(language_model=True)
ANSWERS = Task(matrices={"qa_outputs": "labels"})
TOKEN_LABELS = Task(matrices={"classifier": "labels"})
POOLED_LABELS = Task(pooler=True, matrices={"classifier": "labels"})
POOLED_CHOICE = Task(pooler=True, matrices={"classifier": 1})
NEXT_SENTENCE = Task(pooler=True, matrices={"cls.seq_relationship": 2})
PRE_TRAINING = Task(pooler=True, language_model=True, matrices={"cls.seq_relationship": 2})
DENSE_LABELS = Task(matrices={"classifier.dense": "hidden", "classifier.out_proj": "labels"})


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderPlan:
    """Module names of a type and the classes that are known of it; ``beside`` stands after the layers."""

    prefix: str
    default: str
    tasks: Mapping[str, Task]
    tables: Tables = Tables()
    layer: LayerPlan = BERT_LAYER
    layers: Callable[[Config, LayerPlan, str], Stack] = encoder_layers
    beside: Parts = nothing
    pooler: str = "pooler.dense"
    language_head: LanguageHead = BERT_HEAD
    padded_positions: bool = False
    """Positions start after the padding index, so the table has more rows than the context tokens."""


def encoder(config: Config, plan: EncoderPlan) -> Architecture:
    """Return the architecture of the class that the file names.

    Raises InputError (unsupported_architecture) for a class of the type that is not known, and for
    positions of another kind, which older classes had.
    """
    if config.text("position_embedding_type") not in (None, "absolute"):
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: only absolute positions are modelled, not those of "
            "position_embedding_type",
        )
    model_class = chosen_class(config, plan.tasks, plan.default)
    task = plan.tasks[model_class]
    prefix = "" if task.bare else f"{plan.prefix}."
    hidden, vocabulary = config.size("hidden_size"), config.size("vocab_size")
    tied = task.language_model and _tied(config, plan.language_head)
    pooler = Linear(inputs=hidden, outputs=hidden, role="head", bias=True)
    beside = (replace(part, name=f"{prefix}{part.name}") for part in plan.beside(config))
    return Architecture(
        model_class=model_class,
        body=(
            *_tables(config, plan, prefix, listed_in_head=tied and plan.language_head.holds_table),
            plan.layers(config, plan.layer, prefix),
            *beside,
            *([Part(name=f"{prefix}{plan.pooler}", component=pooler)] if task.pooler else []),
            *(_language_head(config, plan.language_head, tied) if task.language_model else ()),
            *task_matrices(config, task.matrices, hidden),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=_context(config, plan),
        tied=tied,
    )


def _tied(config: Config, head: LanguageHead) -> bool:
    return config.flag("tie_word_embeddings", default=True) if head.tied is None else head.tied


def _context(config: Config, plan: EncoderPlan) -> int | None:
    positions = config.context()
    if positions is None or not plan.padded_positions:
        return positions
    padding = config.count("pad_token_id") if config.given("pad_token_id") else 1
    return max(positions - padding - 1, 1)


def _tables(config: Config, plan: EncoderPlan, prefix: str, *, listed_in_head: bool) -> Iterator[Part]:
    """Yield the tables of tokens [V, E], positions [P, E] and token types, LayerNorm and projection."""
    tables, name = plan.tables, f"{prefix}embeddings"
    hidden, width = config.size("hidden_size"), tables.width(config)
    tokens = Embedding(rows=config.size("vocab_size"), width=width)
    place = plan.language_head.projection if listed_in_head else f"{name}.word_embeddings"
    yield Part(name=place, component=tokens)
    if flag(config, tables.positions):
        rows = config.size("max_position_embeddings")
        positions = Embedding(rows=rows, width=width, role="position", absolute=True)
        yield Part(name=f"{name}.position_embeddings", component=positions)
    yield from _token_types(config, tables, name, width)
    if tables.norm:
        norm = Norm(width=hidden if tables.norm_after_projection else width, kind="layer")
        yield Part(name=f"{name}.LayerNorm", component=norm)
    if tables.projection and (tables.projects_always or width != hidden):
        projection = Linear(inputs=width, outputs=hidden, role="embedding", bias=tables.projection_bias)
        yield Part(name=f"{prefix}{tables.projection}", component=projection)


def _token_types(config: Config, tables: Tables, name: str, width: int) -> Iterator[Part]:
    if not tables.token_types:
        return
    rows = (
        config.count("type_vocab_size") if tables.token_types_may_be_none else config.size("type_vocab_size")
    )
    if rows:
        yield Part(name=f"{name}.token_type_embeddings", component=Embedding(rows=rows, width=width))


def _language_head(config: Config, names: LanguageHead, tied: bool) -> Iterator[Part]:
    """Yield transform, norm and projection; an untied projection has a bias of its own as well."""
    hidden, width, vocabulary = config.size("hidden_size"), names.width(config), config.size("vocab_size")
    projection = Head(hidden=width, vocabulary=vocabulary, tied=tied, bias=not (tied and names.bias))
    if names.transform:
        transform = Linear(inputs=hidden, outputs=width, role="head", bias=True)
        yield Part(name=names.transform, component=transform)
        yield Part(name=names.norm, component=Norm(width=width, kind="layer"))
    yield Part(name=names.projection, component=projection)
    if names.bias:
        yield Part(name=names.bias, component=Bias(width=vocabulary))
