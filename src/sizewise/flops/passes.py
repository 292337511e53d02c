"""What the backward pass does with each product: is its weight trained, does its input need a gradient?

A gradient flows back to the first layer that holds anything trained, and no further. In that layer a
product that reads the layer's own input needs no gradient for it, unless a trained norm stands before it:
where any norm of the layer is trained, one is taken to.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sizewise.architecture import Architecture, Placed
from sizewise.flops.bundles import Bundle, bundles
from sizewise.flops.selection import Adapted, adapted, is_frozen, trains
from sizewise.operations import Operation
from sizewise.recipe import Recipe
from sizewise.tensors import Weight

Stage = Literal["before", "first", "after"]
"""Where a component stands seen from the first layer that holds anything trained."""

MIXERS = ("attention", "state_space")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A bundle of operations in ``times`` layers, and which gradients its backward pass computes.

    ``trained`` multiply-adds per token are those with weights that are trained, or between activations;
    ``adapted`` matrices have low-rank ones beside them; ``input_gradient`` is that of what is read.
    """

    bundle: Bundle
    times: int
    trained: int
    adapted: tuple[Adapted, ...]
    input_gradient: bool
    in_layer: bool
    reached: bool
    """A gradient comes back into this layer."""

    @property
    def alive(self) -> bool:
        """Tell whether the backward pass comes through here."""
        return self.input_gradient or bool(self.trained) or bool(self.adapted)


@dataclass(frozen=True, slots=True)
class _Marks:
    """Names of a component's tensors that are trained, and its matrices that are adapted."""

    trained: frozenset[str]
    adapted: tuple[Adapted, ...]

    @property
    def names(self) -> frozenset[str]:
        return self.trained | {each.weight.name for each in self.adapted}

    @property
    def any(self) -> bool:
        return bool(self.trained or self.adapted)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Visit:
    """A component in ``times`` layers that are alike."""

    place: Placed
    marks: _Marks
    stage: Stage
    times: int

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(self.place.component.operations())

    @property
    def matrices(self) -> tuple[Weight, ...]:
        stored = [weight for weight in self.place.weights() if weight.kind == "matrix"]
        names = {weight.name for weight in self.place.weights()}
        tied = [each.weight for each in self.marks.adapted if each.weight.name not in names]
        return (*stored, *tied)


def passes(architecture: Architecture, recipe: Recipe) -> list[Pass]:
    """Return the work of a training step on the language model, a pass per bundle and kind of layer."""
    visits = _visits(architecture, recipe)
    tables = [visit for visit in visits if any(op.role == "embedding" for op in visit.operations)]
    table_trained = architecture.tied and any(visit.marks.trained for visit in tables)
    found: list[Pass] = []
    for visit in visits:
        if visit.stage != "first":
            reached = visit.stage == "after"
            found += [
                _pass(visit, bundle, reached=reached, table_trained=table_trained)
                for bundle in bundles(visit.operations, visit.matrices)
            ]
    return found + _first_layer(architecture, [visit for visit in visits if visit.stage == "first"])


def _visits(architecture: Architecture, recipe: Recipe) -> list[_Visit]:
    """Return the components of all layers, those of the first trained layer apart."""
    beside = adapted(architecture, recipe)
    marked = [
        (place, number, layers, _marks(place, layers[0], recipe, beside.get(place, ())))
        for place, number in _numbered(architecture.language())
        for layers in _marked_alike(place, recipe)
    ]
    first = min(((number, min(layers)) for _, number, layers, marks in marked if marks.any), default=None)
    alike: Counter[tuple[int, _Marks, Stage]] = Counter()
    places = {id(place): place for place, _, _, _ in marked}
    for place, number, layers, marks in marked:
        for stage, times in Counter(_stage((number, layer), first) for layer in layers).items():
            alike[id(place), marks, stage] += place.uses * times
    return [
        _Visit(place=places[key], marks=marks, stage=stage, times=times)
        for (key, marks, stage), times in alike.items()
    ]


def _numbered(places: Iterator[Placed]) -> Iterator[tuple[Placed, int]]:
    """Yield each component with the number of its stack or part."""
    items: list[str] = []
    for place in places:
        item = place.prefix.partition(".{}")[0] if place.in_stack else place.prefix
        if item not in items:
            items.append(item)
        yield place, items.index(item)


def _marked_alike(place: Placed, recipe: Recipe) -> Iterator[tuple[int, ...]]:
    """Yield the layers of a component in groups that are trained alike: only frozen parts tell them apart."""
    if not recipe.frozen:
        if place.layers:
            yield tuple(place.layers)
        return
    for layer in place.layers:
        yield (layer,)


def _stage(position: tuple[int, int], first: tuple[int, int] | None) -> Stage:
    if first is None or position < first:
        return "before"
    return "first" if position == first else "after"


def _marks(place: Placed, layer: int, recipe: Recipe, beside: tuple[Adapted, ...]) -> _Marks:
    named = [(place.full_name(weight, layer), weight) for weight in place.weights()]
    return _Marks(
        frozenset(weight.name for name, weight in named if trains(recipe, name, weight)),
        tuple(each for each in beside if not is_frozen(recipe, place.full_name(each.weight, layer))),
    )


def _pass(
    visit: _Visit, bundle: Bundle, *, reached: bool, table_trained: bool = False, source: bool | None = None
) -> Pass:
    """Return the pass of a bundle; ``reached`` tells whether a gradient arrives at what it produces.

    ``source`` tells whether what it reads needs one, where that is not the same.
    """
    return Pass(
        bundle=bundle,
        times=visit.times,
        trained=_trained_macs(visit, bundle, table_trained) if reached else 0,
        adapted=tuple(each for each in visit.marks.adapted if each.weight in bundle.matrices),
        input_gradient=reached if source is None else source,
        in_layer=visit.place.in_stack,
        reached=visit.stage != "before",
    )


def _trained_macs(visit: _Visit, bundle: Bundle, table_trained: bool) -> int:
    """Count the multiply-adds per token whose second factor needs a gradient too."""
    if bundle.core:
        kernels = {weight.name for weight in visit.place.weights() if weight.kind == "kernel"}
        fixed = bundle.operations[0].kind == "convolution" and not kernels & visit.marks.trained
        return 0 if fixed else bundle.macs
    if not bundle.matrices and all(operation.role == "head" for operation in bundle.operations):
        return bundle.macs if table_trained else 0
    elements = {weight.name: weight.active_elements for weight in bundle.matrices}
    between_activations = bundle.macs + bundle.selecting - sum(elements.values())
    trained = sum(elements[name] for name in visit.marks.trained & elements.keys())
    return max(0, between_activations + trained - bundle.selecting)


def _first_layer(architecture: Architecture, visits: Sequence[_Visit]) -> list[Pass]:
    """Return the passes of the first trained layer, mixers before what follows them."""
    norm_trained = any(_trains_vectors(visit) for visit in visits)
    working = [visit for visit in visits if visit.operations]
    working.sort(key=lambda visit: not any(op.role in MIXERS for op in visit.operations))
    side_by_side = _side_by_side(architecture, visits)
    flowing = norm_trained
    found: list[Pass] = []
    for visit in working:
        arriving = norm_trained if side_by_side else flowing
        inside = _through(visit, architecture.hidden, arriving=arriving)
        found += inside
        flowing = flowing or any(each.alive for each in inside)
    return found


def _through(visit: _Visit, hidden: int, *, arriving: bool) -> list[Pass]:
    """Return the passes of a component whose input needs a gradient or does not.

    Before scores or scans a bundle reads the component's input or, where the widths differ, what the bundle
    before it produced (low-rank queries and keys); from there on, what all before it produced.
    """
    found: list[Pass] = []
    core_seen = False
    for bundle in bundles(visit.operations, visit.matrices):
        core_seen = core_seen or bundle.core
        if core_seen:
            source = arriving or any(each.alive for each in found)
        elif _reads(bundle, hidden) or not found:
            source = arriving
        else:
            source = found[-1].alive
        marked = any(weight.name in visit.marks.names for weight in bundle.matrices)
        found.append(_pass(visit, bundle, reached=source or marked, source=source))
    return found


def _trains_vectors(visit: _Visit) -> bool:
    matrices = {weight.name for weight in visit.matrices}
    return bool(visit.marks.trained - matrices)


def _side_by_side(architecture: Architecture, visits: Sequence[_Visit]) -> bool:
    """Tell whether attention and feed-forward layers read the same input: then one norm serves both."""
    if architecture.parallel is not None:
        return architecture.parallel
    norms = [visit for visit in visits if {weight.role for weight in visit.place.weights()} == {"norm"}]
    return len(norms) == 1


def _reads(bundle: Bundle, hidden: int) -> bool:
    """Tell whether a bundle's products take vectors of the layer's own width."""
    return all(operation.macs == operation.outputs * hidden for operation in bundle.operations)
