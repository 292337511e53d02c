"""A language model inside a larger one: renamed modules, towers beside it, one tie flag that counts."""

from collections.abc import Sequence
from dataclasses import replace

from sizewise.architecture import Architecture, MediaTokens, Part, Stack, Tower


def inside(
    text: Architecture,
    model_class: str,
    towers: Sequence[Tower],
    *,
    old: str = "model",
    new: str = "model.language_model",
    images: MediaTokens | None = None,
) -> Architecture:
    """Return the wrapper: the text model's modules under ``new`` instead of ``old``, and the towers.

    Modules outside ``old`` (the head) keep their names.
    """
    return replace(
        text,
        model_class=model_class,
        body=tuple(_renamed(item, old, new) for item in text.body),
        towers=tuple(towers),
        images=images,
    )


def _renamed(item: Part | Stack, old: str, new: str) -> Part | Stack:
    if item.name != old and not item.name.startswith(f"{old}."):
        return item
    return replace(item, name=new + item.name[len(old) :])
