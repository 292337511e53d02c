"""A part of an architecture: some of its layers, and some of what stands around them.

Layers keep their numbers. What stands outside of the layers is an embedding, belongs to the start (norms
and projections of embeddings) or to the end (final norm, head).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Literal

from sizewise.architecture import Architecture, Block, Group, Part, Stack
from sizewise.components.embeddings import Bias, Embedding, Head
from sizewise.components.hyper_connections import HyperHead
from sizewise.errors import UsageError

Place = int | Literal["embedding", "start", "end"]
"""A layer, or where a part outside of the layers belongs."""

Holds = Callable[[Part, Place], bool]

FINAL_WORDS = ("final", "unembed")
"""Words in the names of parts that belong to the end although classes register them first."""


def selected(
    architecture: Architecture, holds: Holds, *, layers: range | None = None, towers: bool = False
) -> Architecture:
    """Return the parts for which ``holds`` is true, and the towers if wanted.

    ``layers`` are held whole and no others, where layers are not asked about one by one.
    """
    return replace(
        architecture,
        body=tuple(_kept(architecture.body, holds, layers)),
        towers=architecture.towers if towers else (),
        beside=(),
    )


def check_one_stack(architecture: Architecture, *, shared_blocks: bool = False) -> None:
    """Refuse a model whose layers cannot be told apart by one number, or share weights with each other.

    Raises UsageError (bad_option).
    """
    stacks = [item for item in architecture.body if isinstance(item, Stack)]
    if len(stacks) != 1:
        text = f"{architecture.model_class} has {len(stacks):,} stacks of layers, which have no common order"
        raise UsageError("bad_option", f"{text} to share them by; share its tensors instead")
    parts = (part for group in stacks[0].groups for part in group.block.parts)
    if not shared_blocks and any(part.uses > 1 for part in parts):
        text = f"layers of {architecture.model_class} share weights, so they cannot be on different devices"
        raise UsageError("bad_option", f"{text}; share its tensors instead")


def token_table(architecture: Architecture) -> Part | None:
    """Return the table that a tied head uses; None where no head is tied."""
    parts = [item for item in architecture.body if isinstance(item, Part)]
    if not any(isinstance(part.component, Head) and part.component.tied for part in parts):
        return None
    return next((part for part in parts if _is_token_table(part)), None)


def _is_token_table(part: Part) -> bool:
    return isinstance(part.component, Embedding) and part.component.role == "embedding"


def _kept(body: Iterable[Part | Stack], holds: Holds, layers: range | None) -> Iterator[Part | Stack]:
    after = False
    for item in body:
        if isinstance(item, Stack):
            after = True
            groups = _groups(item, holds) if layers is None else _whole(item, layers)
            yield replace(item, groups=tuple(groups))
        elif holds(item, _outside(item, after=after)):
            yield item


def _groups(stack: Stack, holds: Holds) -> Iterator[Group]:
    """Yield the groups, taken apart where not all of their layers hold the same parts."""
    for group in stack.groups:
        alike: dict[tuple[bool, ...], list[int]] = {}
        for layer in group.layers:
            alike.setdefault(tuple(holds(part, layer) for part in group.block.parts), []).append(layer)
        for flags, layers in alike.items():
            parts = tuple(part for part, held in zip(group.block.parts, flags, strict=True) if held)
            if parts:
                yield Group(block=Block(parts=parts), layers=tuple(layers))


def _whole(stack: Stack, layers: range) -> Iterator[Group]:
    for group in stack.groups:
        held = tuple(layer for layer in group.layers if layer in layers)
        if held and group.block.parts:
            yield replace(group, layers=held)


def _outside(part: Part, *, after: bool) -> Place:
    if isinstance(part.component, Embedding):
        return "embedding"
    final = any(word in part.name for word in FINAL_WORDS)
    if after or final or isinstance(part.component, Head | Bias | HyperHead):
        return "end"
    return "start"
