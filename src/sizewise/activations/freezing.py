"""Which parts of a model a recipe leaves frozen as a whole: backward ends where nothing below is trained."""

from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Placed
from sizewise.states.tensors import begins, trained_layers
from sizewise.tape.replay import Piece


@dataclass(frozen=True, slots=True, kw_only=True)
class Frozen:
    """What is frozen whole: what stands before the layers, some layers, norms or head behind them.

    ``tracked``: a gradient flows into the first layer although nothing before it is trained.
    """

    before: bool = False
    layers: frozenset[int] = frozenset()
    norms: bool = False
    head: bool = False
    tracked: bool = True


NOTHING = Frozen()


def frozen_parts(architecture: Architecture, names: tuple[str, ...], *, adapted: bool = False) -> Frozen:
    """Return what the names freeze whole; a layer of which some is trained counts as trained.

    Beside adapters (``adapted``) all weights are frozen, and the names say where there are none.
    """
    if not names:
        return NOTHING
    places = list(architecture.language())
    first = next((index for index, place in enumerate(places) if place.in_stack), len(places))
    inside = [place for place in places if place.in_stack]
    every = {layer for place in inside for layer in place.layers}
    behind = [place for place in places[first:] if not place.in_stack]
    before = adapted or all(_is_frozen(place, names) for place in places[:first])
    return Frozen(
        before=before,
        layers=frozenset(layer for layer in every if not _trained(inside, names, layer)),
        norms=all(_is_frozen(place, names) for place in behind if _is_norm(place)),
        head=all(_is_frozen(place, names) for place in behind if not _is_norm(place)),
        tracked=not before,
    )


def _trained(places: list[Placed], names: tuple[str, ...], layer: int) -> bool:
    return any(
        layer in trained_layers(place, place.full_name(weight, "{}"), names)
        for place in places
        if layer in place.layers
        for weight in place.weights()
    )


def _is_frozen(place: Placed, names: tuple[str, ...]) -> bool:
    own = [place.full_name(weight, 0) for weight in place.weights()] or [place.prefix]
    return all(any(begins(name, part) for part in names) for name in own)


def _is_norm(place: Placed) -> bool:
    return all(weight.role == "norm" for weight in place.weights())


def silent(piece: Piece) -> Piece:
    """Return a piece through which no gradient flows: it saves nothing and has no backward pass."""
    steps = tuple(replace(step, saved=(), weight_gradients=()) for step in piece.steps)
    return replace(piece, steps=steps, silent=True)
