"""Offload of whole layers to the host and to disk, as transformers does with ``device_map="auto"``.

Layers are never taken apart. They go to the devices in the order of the model; the first device and the
host keep room for the largest layer still to come, as an offloaded one is brought back to be computed.
Source: transformers 5.23, integrations/accelerate.py (infer_auto_device_map, get_balanced_memory).
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal

from sizewise.architecture import Architecture, Group, Part, Stack
from sizewise.components.embeddings import Head
from sizewise.parallel.selection import token_table

Storage = int | Literal["host", "disk"]
"""A device by its number, the host's memory or its disk."""

BUFFER_FOR_LAYERS = (5, 4)
"""What balancing leaves on each device beside its part of the model: so many of the largest layer."""

Unit = tuple[int, int | None]
"""A part of the body by its position, or a layer of the stack that stands there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offload:
    """Where each unit of a model lies, and its bytes."""

    units: tuple[Unit, ...]
    places: tuple[Storage, ...]
    sizes: tuple[int, ...]

    def resident(self, place: Storage) -> int:
        """Count the bytes that stay at a place."""
        return sum(size for size, where in zip(self.sizes, self.places, strict=True) if where == place)

    @property
    def working(self) -> int:
        """Count the bytes of the largest offloaded unit, which the first device needs room for."""
        away = (
            size for size, where in zip(self.sizes, self.places, strict=True) if not isinstance(where, int)
        )
        return max(away, default=0)


def offload(
    architecture: Architecture, bytes_of: Callable[[Architecture], int], memories: Sequence[int], host: int
) -> Offload:
    """Return where the units of a language model go: ``memories`` bytes of devices, ``host`` bytes of RAM.

    A tied head goes where the table is. Towers are not looked at. Where its user names no limits, the
    engine takes 90 % of a single device's memory and of the host's.
    """
    units = tuple(_units(architecture))
    sizes = _sizes(architecture, bytes_of)
    places = list(placed(sizes, memories, host))
    table, head = _tied(architecture)
    if table is not None and head is not None:
        places[units.index(head)] = places[units.index(table)]
    return Offload(units=units, places=tuple(places), sizes=tuple(sizes))


def placed(sizes: Sequence[int], memories: Sequence[int], host: int) -> Iterator[Storage]:
    """Yield where each unit of so many bytes goes.

    >>> list(placed([4, 2, 2, 2, 4], [10], 100))
    [0, 0, 'host', 'host', 'host']
    """
    stores: list[tuple[Storage, int | None]] = list(enumerate(balanced(sizes, memories)))
    stores += [("host", host), ("disk", None)]
    kept_free = {0, "host"} if memories else {"host"}
    current, used = 0, 0
    later = [0, *accumulate(reversed(sizes), max)][-2::-1]
    for size, largest in zip(sizes, later, strict=True):
        while True:
            store, limit = stores[current]
            reserve = largest if store in kept_free else 0
            if limit is None or used + size + reserve <= limit:
                break
            current, used = current + 1, 0
        used += size
        yield store


def balanced(sizes: Sequence[int], memories: Sequence[int]) -> tuple[int, ...]:
    """Return the bytes that may be used of each device: all but the last are held to an even share.

    >>> balanced([10] * 10, [100, 100])
    (62, 100)
    """
    if len(memories) < 2:
        return tuple(memories)
    numerator, denominator = BUFFER_FOR_LAYERS
    each = sum(sizes) // len(memories) + max(sizes, default=0) * numerator // denominator
    return (*(min(each, memory) for memory in memories[:-1]), memories[-1])


def stored_share(architecture: Architecture, result: Offload, place: Storage) -> Architecture:
    """Return the part of the language model that lies at a place."""
    pairs = zip(result.units, result.places, strict=True)
    chosen = {unit for unit, where in pairs if where == place}
    return replace(architecture, body=_body(architecture, chosen), towers=(), beside=())


def _units(architecture: Architecture) -> Iterator[Unit]:
    for position, item in enumerate(architecture.body):
        if isinstance(item, Part):
            yield position, None
        else:
            yield from ((position, layer) for layer in sorted(_layers(item)))


def _sizes(architecture: Architecture, bytes_of: Callable[[Architecture], int]) -> list[int]:
    """Return the bytes of every unit; those that are alike are measured once."""
    measured: dict[Part | Stack, int] = {}

    def size(item: Part | Stack) -> int:
        if item not in measured:
            measured[item] = bytes_of(replace(architecture, body=(item,), towers=(), beside=()))
        return measured[item]

    found: list[int] = []
    for item in architecture.body:
        if isinstance(item, Part):
            found.append(size(item))
            continue
        groups: dict[int, tuple[int, ...]] = {}
        for number, group in enumerate(item.groups):
            for layer in group.layers:
                groups[layer] = (*groups.get(layer, ()), number)
        kinds = {kind: size(_one_layer(item, kind)) for kind in dict.fromkeys(groups.values())}
        found += (kinds[groups[layer]] for layer in sorted(_layers(item)))
    return found


def _one_layer(stack: Stack, numbers: Iterable[int]) -> Stack:
    """Return one layer that is in groups of these numbers; those of layers that are alike are equal."""
    groups = (stack.groups[number] for number in numbers)
    return replace(stack, groups=tuple(replace(group, layers=group.layers[:1]) for group in groups))


def _layers(stack: Stack) -> Iterator[int]:
    return (layer for group in stack.groups for layer in group.layers)


def _body(architecture: Architecture, chosen: set[Unit]) -> tuple[Part | Stack, ...]:
    """Return the chosen units."""
    body: list[Part | Stack] = []
    for position, item in enumerate(architecture.body):
        if isinstance(item, Part):
            if (position, None) in chosen:
                body.append(item)
            continue
        groups = tuple(_groups(item, {layer for where, layer in chosen if where == position}))
        if groups:
            body.append(replace(item, groups=groups))
    return tuple(body)


def _groups(stack: Stack, layers: set[int | None]) -> Iterator[Group]:
    for group in stack.groups:
        held = tuple(layer for layer in group.layers if layer in layers)
        if held:
            yield replace(group, layers=held)


def _tied(architecture: Architecture) -> tuple[Unit | None, Unit | None]:
    """Return the units of the token table and of the head that uses it."""
    table = token_table(architecture)
    found: list[Unit | None] = [None, None]
    for position, item in enumerate(architecture.body):
        if isinstance(item, Part) and item is table:
            found[0] = (position, None)
        elif isinstance(item, Part) and isinstance(item.component, Head) and item.component.tied:
            found[1] = (position, None)
    return found[0], found[1]
