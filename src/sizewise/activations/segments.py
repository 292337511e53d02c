"""Pieces of a model as segments of a policy of recomputation: what each keeps, what is done again.

Selective recomputation keeps attention and every second product (torchtitan, activation_checkpoint.py, read
2026-11-22); recomputed attention keeps all but what the scores of eager attention leave.
"""

from collections.abc import Callable, Iterator

from sizewise.activations.passes import Load, Segment
from sizewise.activations.pieces import Pieces
from sizewise.recipe import Recipe
from sizewise.tape.replay import Costs, Piece, costs, saved_storages
from sizewise.tape.tensors import Storage

Loads = Callable[[Piece, Costs], Load]
"""From a piece and its costs to what sharding adds while it runs."""


def gradients_stay(_piece: Piece, one: Costs) -> Load:
    """Return the load of an unsharded piece: its weights' gradients stay."""
    return Load(stays=one.gradients)


def _segment(measured: list[tuple[Costs, Load]], **policy: bool | int) -> Segment:
    """Return the segment of pieces that are measured, with its policy of recomputation."""
    return Segment(
        pieces=tuple(one for one, _ in measured),
        loads=tuple(load for _, load in measured),
        again=bool(policy.get("again", False)),
        kept=int(policy.get("kept", 0)),
        away=bool(policy.get("away", False)),
    )


def segments(
    found: Pieces, recipe: Recipe, loads: Loads = gradients_stay, *, fresh: bool = False
) -> tuple[Segment, ...]:
    """Return the segments of one device's forward pass, the layers by the policy of the recipe.

    ``fresh``: every micro-batch makes new gradients, which are exchanged, not added to those that are there.
    """
    known: dict[int, tuple[Costs, Load]] = {}
    accumulated = not fresh and (recipe.accumulate > 1 or recipe.precision.sums)

    def measured(piece: Piece) -> tuple[Costs, Load]:
        if id(piece) not in known:
            one = costs(piece, accumulated=accumulated)
            known[id(piece)] = (one, loads(piece, one))
        return known[id(piece)]

    made: dict[tuple[object, ...], Segment] = {}

    def segment(pieces: tuple[Piece, ...], **policy: bool | int) -> Segment:
        alike = (*map(id, pieces), *policy.items())
        if alike not in made:
            made[alike] = _segment([measured(piece) for piece in pieces], **policy)
        return made[alike]

    whole = recipe.recompute in ("full", "offload")
    partly = recipe.recompute == "selective" or (
        recipe.recompute == "attention" and recipe.attention == "eager"
    )
    layers = []
    for number, run in enumerate(runs(found.layers, recipe.recompute_group if whole else 1), start=1):
        if number % recipe.recompute_every or not (whole or partly):
            layers += [segment((piece,)) for piece in run]
        elif whole:
            layers.append(segment(run, again=True, away=recipe.recompute == "offload"))
        else:
            layers += [segment((piece,), again=True, kept=partly_kept(piece, recipe)) for piece in run]
    before = () if found.before is None else (segment((found.before,)),)
    after = () if found.after is None else (segment((found.after,)),)
    return (*before, *layers, *after)


def runs(layers: tuple[Piece, ...], length: int) -> Iterator[tuple[Piece, ...]]:
    """Yield neighbouring layers, ``length`` at a time."""
    for start in range(0, len(layers), length):
        yield layers[start : start + length]


def partly_kept(piece: Piece, recipe: Recipe) -> int:
    """Count the bytes that a layer keeps beside its input where it is done again in part."""
    entry = piece.entry.storage if piece.entry is not None else None
    kept = _selected(piece) if recipe.recompute == "selective" else _without_core(piece)
    spared = 0 if recipe.recompute == "selective" or entry in kept or entry is None else entry.bytes
    own = (
        storage.bytes
        for storage in kept
        if storage is not entry and not storage.permanent and not storage.shared
    )
    return sum(own) - spared


def _selected(piece: Piece) -> set[Storage]:
    """Return the outputs of attention and of every second product."""
    products = [step for step in piece.steps if step.name == "product"]
    kept = {step.output.storage for step in products[::2]}
    for step in piece.steps:
        if step.name == "attention":
            kept.update((step.output.storage, *step.extra))
    return kept


def _without_core(piece: Piece) -> set[Storage]:
    """Return what is saved but what the scores of eager attention make."""
    made = {storage for step in piece.steps if step.core for storage in (step.output.storage, *step.extra)}
    outside = saved_storages(step for step in piece.steps if not step.core)
    return outside | (saved_storages(piece.steps) - made)
