"""An architecture with its components replaced, everything else as it was."""

from collections.abc import Callable
from dataclasses import replace

from sizewise.architecture import Architecture, Block, Component, Part, Stack

Change = Callable[[Component], Component]


def changed(architecture: Architecture, language: Change, tower: Change | None = None) -> Architecture:
    """Return the architecture with the components of the language model, and those of towers, replaced."""
    towers = architecture.towers
    if tower is not None:
        towers = tuple(replace(item, body=_body(item.body, tower)) for item in towers)
    return replace(architecture, body=_body(architecture.body, language), towers=towers)


def _body(body: tuple[Part | Stack, ...], change: Change) -> tuple[Part | Stack, ...]:
    return tuple(_stack(item, change) if isinstance(item, Stack) else _part(item, change) for item in body)


def _stack(stack: Stack, change: Change) -> Stack:
    groups = (
        replace(group, block=Block(parts=tuple(_part(part, change) for part in group.block.parts)))
        for group in stack.groups
    )
    return replace(stack, groups=tuple(groups))


def _part(part: Part, change: Change) -> Part:
    return replace(part, component=change(part.component))
