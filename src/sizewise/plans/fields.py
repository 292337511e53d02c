"""What most causal language models share: the usual field names and the usual skeleton.

A family says only where it differs. `heads` and `equal_heads` read head counts and sizes,
`causal_model` puts embedding, layers, final norm and head together, `chosen_class` reads which class
of a type is meant.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sizewise.architecture import Architecture, Part, Stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.escaping import shorten


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Query heads, key/value heads and head size of a layer."""

    query: int
    key_value: int
    size: int


def heads(config: Config, *, kv_required: bool = False, size_required: bool = False) -> Heads:
    """Read the head counts by the usual rules.

    A null ``num_key_value_heads`` means all heads, a null ``head_dim`` hidden / heads; where the
    class itself fails on a null the family asks for it with ``kv_required`` or ``size_required``.
    """
    query = config.size("num_attention_heads")
    key_value = (
        config.size("num_key_value_heads") if kv_required else config.optional_size("num_key_value_heads")
    )
    size = config.size("head_dim") if size_required else config.optional_size("head_dim")
    return checked_heads(config, query, key_value or query, size)


def checked_heads(config: Config, query: int, key_value: int, size: int | None) -> Heads:
    """Return the heads after checking that they divide as attention needs it.

    More key/value heads than heads are an error, except the class default that a file with fewer heads
    forgot to lower: the class builds that, so it is counted and noted.
    """
    if key_value > query and key_value != config.declared("num_key_value_heads"):
        raise config.bad("num_key_value_heads", f"is {key_value}, more than the {query} heads")
    if key_value > query:
        text = f"{key_value} key/value heads (the class default) are more than the {query} heads"
        config.notice("inconsistent", text)
    elif query % key_value:
        config.notice("inconsistent", f"{key_value} key/value heads do not divide {query} heads")
    if size is None:
        hidden = config.size("hidden_size")
        if hidden % query:
            config.notice("inconsistent", f"{query} heads do not divide hidden size {hidden}")
        size = max(hidden // query, 1)
    return Heads(query=query, key_value=key_value, size=size)


def equal_heads(
    config: Config, *, query: int | None = None, hidden: int | None = None, key_value: int | None = None
) -> Heads:
    """Return heads of size hidden / heads, each with its own keys and values unless ``key_value`` is given.

    Raises InputError (inconsistent) where the heads do not divide the hidden size: the classes that
    have no ``head_dim`` refuse that.
    """
    query = query or config.size("num_attention_heads")
    hidden = hidden or config.size("hidden_size")
    if hidden % query:
        raise InputError(
            "inconsistent", f"{config.model_type} config: {query} heads do not divide hidden size {hidden}"
        )
    return Heads(query=query, key_value=key_value or query, size=hidden // query)


def flag(config: Config, setting: str | bool) -> bool:
    """Return a fixed choice, or the field of that name."""
    return setting if isinstance(setting, bool) else config.flag(setting)


def window(config: Config, kind: str) -> int | None:
    """Return the sliding window of a layer of that kind, None for full attention; zero means none."""
    return (config.optional_count("sliding_window") or None) if kind == "sliding_attention" else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """Module names around the layers, and how the head is tied and biased.

    Without a name there is no final norm.
    """

    embedding: str = "model.embed_tokens"
    layers: str = "model.layers"
    final_norm: str = "model.norm"
    head: str = "lm_head"
    norm: NormKind = "rms"
    head_bias: bool = False
    tied: bool | None = None


def causal_model(
    config: Config,
    model_class: str,
    layers: Stack,
    *,
    skeleton: Skeleton | None = None,
    context: int | None = None,
    extra: Sequence[Part] = (),
    hidden: int | None = None,
) -> Architecture:
    """Return embedding, extra parts, layers, final norm and head as one architecture.

    The head is stored only when ``tie_word_embeddings`` is false; its bias always, where it has one.
    ``hidden`` replaces ``hidden_size`` where a file spells it in another way.
    """
    names = skeleton or Skeleton()
    hidden, vocabulary = hidden or config.size("hidden_size"), config.size("vocab_size")
    tied = config.flag("tie_word_embeddings", default=True) if names.tied is None else names.tied
    head = Head(hidden=hidden, vocabulary=vocabulary, tied=tied, bias=names.head_bias)
    final = Norm(width=hidden, kind=names.norm)
    body: list[Part | Stack] = [
        Part(name=names.embedding, component=Embedding(rows=vocabulary, width=hidden)),
        *extra,
        layers,
        *([Part(name=names.final_norm, component=final)] if names.final_norm else []),
        Part(name=names.head, component=head),
    ]
    return Architecture(
        model_class=model_class,
        body=tuple(body),
        hidden=hidden,
        vocabulary=vocabulary,
        context=context or config.context(),
        tied=tied,
    )


def chosen_class(config: Config, known: Iterable[str], default: str) -> str:
    """Return the first name of ``architectures``, or the default where the file names none.

    Raises InputError (unsupported_architecture) for a class that is not among the known ones.
    """
    named = config.entries("architectures")
    if not named:
        return default
    if not isinstance(named[0], str) or named[0] not in set(known):
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: class {shorten(str(named[0]), 60)} is not modelled; "
            f"known are {', '.join(sorted(known))}",
        )
    name: str = named[0]
    return name


Outputs = int | Literal["hidden", "labels"]
"""Output features of a task's matrix: a number, the hidden size, or the number of labels."""


def task_matrices(
    config: Config, matrices: Mapping[str, Outputs], hidden: int, *, labels: int = 2
) -> Iterator[Part]:
    """Yield the biased matrices of a task's head; ``labels`` is the class's default number of labels."""
    for name, outputs in matrices.items():
        width = hidden if outputs == "hidden" else outputs
        if width == "labels":
            width = label_count(config, labels)
        yield Part(name=name, component=Linear(inputs=hidden, outputs=width, role="head", bias=True))


def label_count(config: Config, default: int = 2) -> int:
    """Return the number of classes of a classification head: ``num_labels``, else those of ``id2label``."""
    if config.given("num_labels"):
        return config.size("num_labels")
    names = config.raw("id2label")
    if isinstance(names, Mapping) and names:
        return len(names)
    return default
