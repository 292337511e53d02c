"""An architecture: named parts and stacks of layers, each a component that knows its arithmetic.

Layers that are alike are stored once with the list of their indices, so that counting 61 layers of
DeepSeek-V3 costs as much as counting its two kinds of layer.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from sizewise.formats.quantization import Quantization
from sizewise.notices import Notice
from sizewise.operations import Kept, Operation
from sizewise.tensors import Weight


class Component(Protocol):
    """A mechanism: what it stores, does and keeps. Names are relative to the part that holds it."""

    def weights(self) -> Iterator[Weight]:
        """Yield the stored tensors."""
        ...

    def operations(self) -> Iterator[Operation]:
        """Yield the work done for one token."""
        ...

    def kept(self) -> Iterator[Kept]:
        """Yield what is kept for the next token."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component under its module name (empty when its tensors stand in the parent itself)."""

    name: str
    component: Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One layer: its parts in the order of the class."""

    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Layers that are alike: one block and the indices where it stands."""

    block: Block
    layers: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A list of layers under one module name, e.g. ``model.layers``."""

    name: str
    groups: tuple[Group, ...]

    @property
    def depth(self) -> int:
        """Count the layers."""
        return sum(len(group.layers) for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A component with its full module prefix (``{}`` where the layer index goes) and its layers."""

    prefix: str
    component: Component
    layers: tuple[int, ...]
    in_stack: bool

    def full_name(self, weight: Weight, layer: int | str) -> str:
        """Return the tensor's full name in one layer."""
        joined = f"{self.prefix}.{weight.name}" if self.prefix else weight.name
        return joined.replace("{}", str(layer), 1) if self.in_stack else joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture:
    """What a model consists of.

    ``model_class`` is the transformers class whose total is meant. ``tied`` says that the head uses
    the embedding's table.
    """

    model_class: str
    body: tuple[Part | Stack, ...]
    hidden: int
    vocabulary: int
    context: int | None
    tied: bool

    def placed(self) -> Iterator[Placed]:
        """Yield every component with where it stands."""
        for item in self.body:
            if isinstance(item, Part):
                yield Placed(prefix=item.name, component=item.component, layers=(0,), in_stack=False)
                continue
            for group in item.groups:
                for part in group.block.parts:
                    prefix = f"{item.name}.{{}}.{part.name}" if part.name else f"{item.name}.{{}}"
                    yield Placed(prefix=prefix, component=part.component, layers=group.layers, in_stack=True)

    def weights(self) -> Iterator[tuple[Weight, int]]:
        """Yield each distinct stored tensor with the number of layers that have one."""
        for place in self.placed():
            copies = len(place.layers)
            for weight in place.component.weights():
                yield weight, copies

    def operations(self) -> Iterator[tuple[Operation, int]]:
        """Yield each distinct operation with the number of layers that do it."""
        for place in self.placed():
            copies = len(place.layers)
            for operation in place.component.operations():
                yield operation, copies

    def kept(self) -> Iterator[tuple[Kept, int]]:
        """Yield what is kept for the next token with the number of layers that keep it."""
        for place in self.placed():
            copies = len(place.layers)
            for entry in place.component.kept():
                yield entry, copies

    def tensors(self) -> Iterator[tuple[str, Weight]]:
        """Yield (full name, tensor) for every stored tensor of every layer."""
        for place in self.placed():
            for weight in place.component.weights():
                for layer in place.layers:
                    yield place.full_name(weight, layer), weight

    @property
    def depth(self) -> int:
        """Count the layers of all stacks."""
        return sum(item.depth for item in self.body if isinstance(item, Stack))


def stack(name: str, kinds: Sequence[Hashable], build: Callable[[int], tuple[Part, ...]]) -> Stack:
    """Return a stack whose layers of equal kind are described once.

    ``build(i)`` describes layer i and is called for the first layer of each kind.
    """
    where: dict[Hashable, list[int]] = {}
    for index, kind in enumerate(kinds):
        where.setdefault(kind, []).append(index)
    groups = (Group(block=Block(parts=build(layers[0])), layers=tuple(layers)) for layers in where.values())
    return Stack(name=name, groups=tuple(groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A named architecture with what its source says about it.

    ``assumed`` tells why the architecture itself is a guess (a nominal size); empty when it is known.
    ``dtype`` is the stored number format, None when the source names none; ``quantization`` the
    source's own ``quantization_config``; ``default_format`` what a catalogue tag ships; ``context`` the
    longest trained context; ``published`` the element count of the published checkpoint.
    """

    name: str
    model_type: str
    architecture: Architecture
    origin: str
    assumed: str = ""
    dtype: str | None = None
    quantization: Quantization | None = None
    default_format: str | None = None
    context: int | None = None
    published: int | None = None
    notices: tuple[Notice, ...] = ()
