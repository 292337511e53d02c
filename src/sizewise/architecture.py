"""An architecture: named parts and stacks of layers, each a component that knows its arithmetic.

Layers that are alike are stored once with the list of their indices, so that counting 61 layers of
DeepSeek-V3 costs as much as counting its two kinds of layer.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal, Protocol

from sizewise.formats.quantization import Quantization
from sizewise.hashed_once import HashedOnce
from sizewise.ledger import Line
from sizewise.listing import NOWHERE, Listing, Place
from sizewise.notices import Notice
from sizewise.operations import Kept, Operation
from sizewise.tape.style import NO_TRAITS, Traits
from sizewise.tensors import Weight

REMEMBERED = 64
"""Architectures whose operations and caches are kept: a question goes through them for each context tried."""


class Component(Protocol):
    """A mechanism: what it stores, does and keeps. Names are relative to the part that holds it."""

    def __hash__(self) -> int:
        """Return a hash: what follows from a mechanism is looked up by it."""

    def weights(self) -> Iterator[Weight]:
        """Yield the stored tensors."""

    def operations(self) -> Iterator[Operation]:
        """Yield the work done for one token."""

    def kept(self) -> Iterator[Kept]:
        """Yield what is kept for the next token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A component under its module name (empty when its tensors stand in the parent itself).

    ``uses`` counts how often a token passes through a part that is stored once (shared blocks).
    """

    name: str
    component: Component
    uses: int = 1


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


class MediaTokens(Protocol):
    """How many tokens of the language model a picture becomes."""

    def tokens(self, width: int, height: int) -> int:
        """Count the tokens of a picture of ``width`` × ``height`` pixels."""


class SoundTokens(Protocol):
    """How many tokens of the language model a piece of sound becomes."""

    @property
    def longest(self) -> int | None:
        """Seconds of a sound that are heard; None: all of them."""

    def line(self, seconds: float) -> Line:
        """Return the tokens of a sound of that many seconds, with their formula."""


TowerRole = Literal["vision", "audio", "projector"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tower:
    """An encoder of pictures or sound beside the language model, or what joins the two.

    Its weights count under ``role``; its operations are done per picture, not per token of text.
    """

    role: TowerRole
    body: tuple[Part | Stack, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """A component with its full module prefix (``{}`` where the layer index goes) and its layers.

    ``role`` replaces that of its weights in a tower.
    """

    prefix: str
    component: Component
    layers: tuple[int, ...]
    in_stack: bool
    uses: int = 1
    role: TowerRole | None = None

    def weights(self) -> Iterator[Weight]:
        """Yield the stored tensors of one layer."""
        weights = self.component.weights()
        return weights if self.role is None else (replace(weight, role=self.role) for weight in weights)

    def full_name(self, weight: Weight, layer: int | str) -> str:
        """Return the tensor's full name in one layer."""
        joined = f"{self.prefix}.{weight.name}" if self.prefix else weight.name
        return joined.replace("{}", str(layer), 1) if self.in_stack else joined


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What published files of a type may hold that is no parameter of its class, and its elements.

    ``body`` has those of its matrices that a number format packs as it packs the model's.
    """

    name: str
    elements: int
    body: tuple[Part | Stack, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Architecture(HashedOnce):
    """What a model consists of.

    ``model_class`` is the transformers class whose total is meant. ``tied`` says that the head uses
    the embedding's table. ``towers`` stand beside the language model in ``body``; ``images`` says how
    many tokens a picture becomes, ``audio`` how many a sound, and ``crossed`` how many keys of a picture
    cross-attention keeps (None where its keys are those of an encoder of text). ``beside`` is counted
    nowhere but in a reconciliation.
    """

    __hash__ = HashedOnce.__hash__

    model_class: str
    body: tuple[Part | Stack, ...]
    hidden: int
    vocabulary: int
    context: int | None
    tied: bool
    towers: tuple[Tower, ...] = ()
    images: MediaTokens | None = None
    audio: SoundTokens | None = None
    crossed: MediaTokens | None = None
    beside: tuple[Beside, ...] = ()
    parallel: bool | None = None
    """Whether attention and feed-forward layers read the same input, where the configuration chooses."""
    text_type: str = ""
    """Model type of the text model inside a wrapper; empty: there is no wrapper."""

    def language(self) -> Iterator[Placed]:
        """Yield every component that a token of text passes through."""
        return _placed(self.body, None)

    def placed(self) -> Iterator[Placed]:
        """Yield every component with where it stands: the language model, then the towers."""
        yield from self.language()
        for tower in self.towers:
            yield from _placed(tower.body, tower.role)

    def weights(self) -> Iterator[tuple[Weight, int]]:
        """Yield each distinct stored tensor with the number of layers that have one."""
        for place in self.placed():
            copies = len(place.layers)
            for weight in place.weights():
                yield weight, copies

    def operations(self) -> Iterator[tuple[Operation, int]]:
        """Yield each distinct operation on a token of text with how often it is done."""
        return iter(_operations(self))

    def kept(self) -> Iterator[tuple[Kept, int]]:
        """Yield what is kept for the next token with how often it is kept."""
        return iter(_kept(self))

    def tensors(self) -> Iterator[tuple[str, Weight]]:
        """Yield (full name, tensor) for every stored tensor of every layer."""
        for place in self.placed():
            for weight in place.weights():
                for layer in place.layers:
                    yield place.full_name(weight, layer), weight

    @property
    def depth(self) -> int:
        """Count the layers of the language model."""
        return sum(item.depth for item in self.body if isinstance(item, Stack))


@lru_cache(maxsize=REMEMBERED)
def _operations(architecture: Architecture) -> tuple[tuple[Operation, int], ...]:
    return tuple(
        (operation, len(place.layers) * place.uses)
        for place in architecture.language()
        for operation in place.component.operations()
    )


@lru_cache(maxsize=REMEMBERED)
def _kept(architecture: Architecture) -> tuple[tuple[Kept, int], ...]:
    return tuple(
        (entry, len(place.layers) * place.uses)
        for place in architecture.language()
        for entry in place.component.kept()
    )


def _placed(body: tuple[Part | Stack, ...], role: TowerRole | None) -> Iterator[Placed]:
    for item in body:
        if isinstance(item, Part):
            yield Placed(
                prefix=item.name,
                component=item.component,
                layers=(0,),
                in_stack=False,
                uses=item.uses,
                role=role,
            )
            continue
        for group in item.groups:
            for part in group.block.parts:
                prefix = f"{item.name}.{{}}.{part.name}" if part.name else f"{item.name}.{{}}"
                yield Placed(
                    prefix=prefix,
                    component=part.component,
                    layers=group.layers,
                    in_stack=True,
                    uses=part.uses,
                    role=role,
                )


def stack(name: str, kinds: Sequence[Hashable], build: Callable[[int], tuple[Part, ...]]) -> Stack:
    """Return a stack whose layers of equal kind are described once.

    ``build(i)`` describes layer i and is called for the first layer of each kind.
    """
    where: dict[Hashable, list[int]] = {}
    for index, kind in enumerate(kinds):
        where.setdefault(kind, []).append(index)
    groups = (Group(block=Block(parts=build(layers[0])), layers=tuple(layers)) for layers in where.values())
    return Stack(name=name, groups=tuple(groups))


HEADER = "header"
"""The model type of a model of which only the checkpoint's header is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RopeScaling:
    """How rotary positions are stretched beyond the trained length: its kind, over ``features`` of a head.

    ``listed`` counts the factors for long texts that the source lists, one per pair of features.
    """

    kind: str
    features: int
    listed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Model(HashedOnce):
    """A named architecture with what its source says about it.

    ``assumed`` tells why the architecture itself is a guess (a nominal size); empty when it is known.
    ``dtype`` is the stored number format, None when the source names none; ``quantization`` the
    source's own ``quantization_config``; ``default_format`` what a catalogue tag ships; ``context`` the
    longest trained context; ``published`` the element count of the published checkpoint. ``listing`` is
    the checkpoint's own header, where it was read, and ``counted`` its parameters where they differ from
    the architecture's; ``trainable`` is what a live module says. ``declared_experts`` are those that the
    source names, even where no layer has any. ``place`` is where its files are, unless it was changed.
    """

    __hash__ = HashedOnce.__hash__

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
    listing: Listing | None = None
    counted: Architecture | None = None
    trainable: int | None = None
    rope: RopeScaling | None = None
    traits: Traits = NO_TRAITS
    declared_experts: int = 0
    place: Place = NOWHERE
    notices: tuple[Notice, ...] = ()
