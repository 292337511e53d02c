"""A language model inside a larger one: towers beside it, renamed modules, one tie flag that counts.

A plan names the class, the two inner configurations and how the towers are built; `wrapper` puts them
together. Source: configuration and modelling files of transformers 5.23.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sizewise.architecture import Architecture, MediaTokens, Part, SoundTokens, Stack, Tower
from sizewise.components.embeddings import Head
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.plans.fields import chosen_class
from sizewise.plans.ties import as_written

TieRule = Callable[[Config, Config], bool]
"""From the wrapper's configuration and the text model's to whether the head is the embedding's table."""


OLDER_NAME = ("lfm2", "lfm2_moe")


def own_tie(config: Config, text: Config) -> bool:
    """Follow the wrapper's own ``tie_word_embeddings``."""
    return config.flag("tie_word_embeddings", default=True)


def text_tie(config: Config, text: Config) -> bool:
    """Follow the text model's ``tie_word_embeddings``; of LFM2 its older name ``tie_embedding`` wins."""
    older = text.model_type in OLDER_NAME and text.given("tie_embedding")
    return text.flag("tie_embedding" if older else "tie_word_embeddings", default=False)


def either_tie(config: Config, text: Config) -> bool:
    """Tie where one of the two ``tie_word_embeddings`` says so."""
    return own_tie(config, text) or text_tie(config, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    """An inner configuration: its field and its model type.

    ``fixed`` where the wrapper's class builds that type whatever ``model_type`` the file writes there.
    """

    field: str
    model_type: str
    fixed: bool = False
    only: bool = False
    """The class takes other types there too, which are not modelled."""
    optional: bool = False
    """Null means that there is no such part."""
    defaults: Mapping[str, Any] | None = None
    """What the wrapper's class puts into a section that does not say it."""


NO_VISION = Inner(field="vision_config", model_type="")
"""In place of the vision tower of a wrapper that only listens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inside:
    """What a tower builder sees: the wrapper's file, the vision file, and the text model's."""

    config: Config
    vision: Config
    text_config: Config
    text: Architecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a builder of an audio tower sees: the wrapper's file, the audio file, and the text model."""

    config: Config
    sound: Config
    text: Architecture


Towers = Callable[[Inside], tuple[Tower, ...]]
Images = Callable[[Inside], MediaTokens | None]


def unknown_images(inside: Inside) -> MediaTokens | None:
    """Return no rule for the tokens of a picture."""
    return None


def no_towers(inside: Inside) -> tuple[Tower, ...]:
    """Return no towers."""
    return ()


def unknown_sound(heard: Heard) -> SoundTokens | None:
    """Return no rule for the tokens of a sound."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SoundPlan:
    """The audio part of a wrapper: its inner configuration, towers and audio tokens."""

    inner: Inner
    towers: Callable[[Heard], tuple[Tower, ...]]
    tokens: Callable[[Heard], SoundTokens | None] = unknown_sound


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapperPlan:
    """A wrapper class: inner configurations, towers, image tokens, and where the text model stands."""

    model_class: str
    text: Inner
    vision: Inner = NO_VISION
    towers: Towers = no_towers
    images: Images = unknown_images
    sound: SoundPlan | None = None
    tie: TieRule = own_tie
    """Whose ``tie_word_embeddings`` counts."""
    also: tuple[str, ...] = ()
    """Other names of the class in ``architectures``: older files, and heads that add no weights."""
    text_class: str = ""
    """A class that takes the same file and is the text model alone."""
    flat_text: bool = False
    """Older files have the text model's fields at the top instead of in a section."""
    new: str = "model.language_model"
    head: str = "lm_head"


Resolve = Callable[[Config], Architecture]


def wrapper(config: Config, plan: WrapperPlan, resolve: Resolve) -> Architecture:
    """Return the architecture of a wrapper, or that of its text model where the file means that class."""
    known = [plan.model_class, *plan.also, *filter(None, [plan.text_class])]
    named = chosen_class(config, known, plan.model_class)
    text_config = _text(config, plan)
    text = resolve(text_config)
    if named == plan.text_class:
        return replace(text, model_class=named)
    tied = as_written(config, text_config, by_class=plan.tie(config, text_config))
    towers: tuple[Tower, ...] = ()
    images, audio = None, None
    vision = _present(config, plan.vision)
    if vision is not None:
        within = Inside(config=config, vision=vision, text_config=text_config, text=text)
        towers, images = plan.towers(within), plan.images(within)
    sound = _present(config, plan.sound.inner) if plan.sound else None
    if plan.sound and sound:
        heard = Heard(config=config, sound=sound, text=text)
        towers, audio = (*towers, *plan.sound.towers(heard)), plan.sound.tokens(heard)
    whole = inside(text, plan, towers, tied=tied, images=images)
    return replace(whole, audio=audio, text_type=text_config.model_type)


def _present(config: Config, inner: Inner) -> Config | None:
    """Return an inner configuration, None where the class or the file has no such part."""
    if inner == NO_VISION or (inner.optional and config.raw(inner.field) is None):
        return None
    return inner_section(config, inner)


def inner_section(config: Config, inner: Inner, changes: Mapping[str, Any] | None = None) -> Config:
    """Return an inner configuration.

    Where the file has none, a fixed type takes its class's defaults and a notice says so. Raises
    InputError (bad_config) elsewhere: the sizes that such a class puts in are those of its first
    checkpoint.
    """
    if not config.has_section(inner.field):
        if config.raw(inner.field) is not None or not inner.fixed:
            raise config.bad(inner.field, "is missing; without it the sizes are not known")
        config.notice("incomplete", f"{inner.field} is missing; the defaults of {inner.model_type} count")
        return Config({}, inner.model_type)
    forced = {"model_type": inner.model_type} if inner.fixed else {}
    missing = {
        name: value for name, value in (inner.defaults or {}).items() if name not in config.raw(inner.field)
    }
    found = config.section(inner.field, inner.model_type, {**missing, **(changes or {}), **forced})
    if inner.only and found.model_type != inner.model_type:
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: {inner.field} of type {shorten(found.model_type)!r} is not "
            f"modelled; known is {inner.model_type}",
        )
    return found


def _text(config: Config, plan: WrapperPlan) -> Config:
    """Return the text model's configuration; the class that it names itself does not count."""
    if plan.flat_text and not config.has_section(plan.text.field):
        return config.read_as(plan.text.model_type, {"architectures": None})
    return inner_section(config, plan.text, {"architectures": None})


def inside(
    text: Architecture,
    plan: WrapperPlan,
    towers: Sequence[Tower],
    *,
    tied: bool,
    images: MediaTokens | None = None,
) -> Architecture:
    """Return the wrapper: the text model's modules under ``plan.new`` instead of ``model``, and the towers.

    The wrapper has a head of its own, without a bias. Raises InputError (unsupported_architecture) for
    a text model that does not begin with "model.embed_tokens" and end with "lm_head": its names inside a
    wrapper are not known.
    """
    body = tuple(_renamed(item, text, plan.new) for item in text.body[:-1])
    last = Head(hidden=text.hidden, vocabulary=text.vocabulary, tied=tied)
    return replace(
        text,
        model_class=plan.model_class,
        body=(*body, Part(name=plan.head, component=last)),
        tied=tied,
        towers=tuple(towers),
        images=images,
    )


def _renamed(item: Part | Stack, text: Architecture, new: str) -> Part | Stack:
    plain = text.body[0].name == "model.embed_tokens" and text.body[-1].name == "lm_head"
    if not plain or text.towers or not item.name.startswith("model."):
        raise InputError(
            "unsupported_architecture",
            f"{text.model_class} as the text model of a wrapper is not modelled; count it by itself",
        )
    return replace(item, name=new + item.name.removeprefix("model"))
