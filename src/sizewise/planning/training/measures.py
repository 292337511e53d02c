"""What recipes of one model need, remembered, and a quick bound below it."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache
from itertools import accumulate, pairwise

from sizewise.activations.passes import kept_bytes
from sizewise.activations.pieces import Pieces
from sizewise.activations.saved import recorded
from sizewise.activations.segments import segments
from sizewise.architecture import Architecture, Model
from sizewise.counting import total_parameters
from sizewise.formats.scheme import Scheme
from sizewise.ledger import Line
from sizewise.parallel.pipeline import stage_sizes
from sizewise.parallel.training import micro_batches_in_flight, training_stages
from sizewise.parallel.zero import States, device_states, sharers
from sizewise.planning.training.memory import Recorder, StatesCounter, fixed_overhead, stage_memories
from sizewise.planning.training.search import Measures
from sizewise.recipe import Recipe, Sharding
from sizewise.states.weights import TensorBytes, tensor_bytes

FEW = 8
"""Stages of a pipeline that are all looked at."""

Shares = Callable[[int, int, int], tuple[Architecture, ...]]
"""From ranks, stages and ranks of experts to what a rank of each stage holds."""
_Kinds = tuple[int, int, int]
"""Bytes by the stage of ZeRO that shares them: optimizer and master copies, gradients, weights."""


def measures_of(model: Model, packed: Callable[[], Scheme]) -> Measures:
    """Return how recipes of a model are measured; ``packed`` says how frozen weights are packed for qlora."""
    shares = cache(lambda tensor, pipeline, experts: _shares(model.architecture, tensor, pipeline, experts))

    known: dict[Recipe, tuple[int, int]] = {}
    record, states_of = _recorder(), _states_counter()

    def needed(recipe: Recipe, limit: int | None = None) -> tuple[int, int]:
        if recipe in known:
            return known[recipe]
        sharding = recipe.sharding
        ranks = shares(sharding.tensor, sharding.pipeline, sharding.experts)
        frozen = packed() if recipe.method == "qlora" else None
        value = high = 0
        for stage in sorted(_telling(ranks)):
            (one,) = stage_memories(model, recipe, frozen, ranks, {stage}, record=record, states_of=states_of)
            value, high = max(value, int(one.line.value)), max(high, int(one.line.interval[1]))
            if limit is not None and value > limit:
                return value, high
        known[recipe] = value, high
        return value, high

    states, kept = _states_floor(shares), _kept_floor(model, shares, record)

    fixed = {alone: fixed_overhead(alone=alone) for alone in (True, False)}

    def floor(recipe: Recipe, limit: int | None = None) -> int:
        constant, gradients = states(recipe)
        overhead = fixed[recipe.sharding.devices == 1]
        least = constant + gradients + overhead
        if limit is not None and least > limit:
            return least
        born = gradients if recipe.accumulate > 1 else 0
        return max(least, constant + born + kept(recipe) + overhead)

    return Measures(needed=needed, floor=floor)


def _recorder() -> Recorder:
    """Return what records the pieces of a share once for all layouts in which they are the same."""
    known: dict[tuple[int, Recipe], tuple[Model, Pieces]] = {}

    def record(model: Model, recipe: Recipe) -> Pieces:
        sharding = recipe.sharding
        same = Sharding(tensor=sharding.tensor, context=sharding.context, sequence=sharding.sequence)
        alike = replace(recipe, sharding=same, accumulate=1, tokens=None, recompute="none", recompute_every=1)
        key = id(model.architecture), alike
        if key not in known:
            known[key] = model, recorded(model, recipe)
        return known[key][1]

    return record


def _states_counter() -> StatesCounter:
    """Return what counts the states of a share once for all recipes in which they are the same."""
    known: dict[tuple[int, int, Recipe], tuple[Architecture, States]] = {}

    def states(share: Architecture, recipe: Recipe, base: Line | None) -> States:
        alike = replace(recipe, recompute="none", recompute_every=1, recompute_group=1, loss="full")
        alike = replace(alike, sequence=1, micro_batch=1, accumulate=1, tokens=None)
        key = id(share), 0 if base is None else int(base.value), alike
        if key not in known:
            known[key] = share, device_states(share, recipe, base)
        return known[key][1]

    return states


def _shares(architecture: Architecture, tensor: int, pipeline: int, experts: int) -> tuple[Architecture, ...]:
    return training_stages(architecture, Sharding(tensor=tensor, pipeline=pipeline, experts=experts))


def _telling(ranks: tuple[Architecture, ...]) -> frozenset[int]:
    """Return the stages of which one is the fullest: all of few; of many the ends and the largest.

    The largest are, of those with most layers, the first of each weight.
    """
    if len(ranks) <= FEW:
        return frozenset(range(len(ranks)))
    depth = max(rank.depth for rank in ranks)
    weights = [total_parameters(rank) if rank.depth == depth else 0 for rank in ranks]
    largest = (weights.index(weight) for weight in set(weights) if weight)
    return frozenset((0, 1, len(ranks) - 1, *largest))


def _kept_floor(model: Model, shares: Shares, record: Recorder) -> Callable[[Recipe], int]:
    """Return a bound below the activations that the fullest stage keeps: the average over stages."""

    @cache
    def by_layer(recipe: Recipe) -> tuple[int, ...]:
        (share,) = shares(recipe.sharding.tensor, 1, 1)
        found = segments(record(replace(model, architecture=share), recipe), recipe)
        kept = {id(layer): kept_bytes((layer,)) for layer in {id(one): one for one in found}.values()}
        return tuple(kept[id(layer)] for layer in found[1:-1])

    def floor(recipe: Recipe) -> int:
        sharding = recipe.sharding
        one = Sharding(tensor=sharding.tensor, context=sharding.context, sequence=sharding.sequence)
        kept = by_layer(replace(recipe, sharding=one, tokens=None, accumulate=1))
        if sharding.pipeline == 1:
            return sum(kept)
        ends = list(accumulate(stage_sizes(model.architecture.depth, sharding.pipeline)))
        return (
            sum(
                sum(kept[start:end]) * micro_batches_in_flight(stage, recipe)
                for stage, (start, end) in enumerate(pairwise([0, *ends]))
            )
            // sharding.pipeline
        )

    return floor


def _states_floor(shares: Shares) -> Callable[[Recipe], tuple[int, int]]:
    """Return a bound below the fullest device's states, the average: weights and optimizer, and gradients."""
    known: dict[tuple[int, int, str, str], tuple[_Kinds, _Kinds]] = {}

    def by_role(recipe: Recipe) -> tuple[_Kinds, _Kinds]:
        tensor, experts = recipe.sharding.tensor, recipe.sharding.experts
        key = (tensor, experts, recipe.precision.name, recipe.optimizer)
        if key not in known:
            entries = tuple(tensor_bytes(shares(tensor, 1, experts)[0], recipe))
            known[key] = (
                _kinds(entry for entry in entries if entry.tensor.role != "expert"),
                _kinds(entry for entry in entries if entry.tensor.role == "expert"),
            )
        return known[key]

    def floor(recipe: Recipe) -> tuple[int, int]:
        if recipe.method != "full" or recipe.frozen or recipe.offload_optimizer or recipe.offload_weights:
            return 0, 0
        sharding = recipe.sharding
        dense, routed = by_role(recipe)
        kinds = []
        for cut in (1, 2, 3):
            devices, sharing = sharers(sharding), sharers(sharding, expert=True)
            if cut > sharding.zero:
                devices = sharing = 1
            kinds.append((dense[cut - 1] / devices + routed[cut - 1] / sharing) / sharding.pipeline)
        return int(kinds[0] + kinds[2]), int(kinds[1])

    return floor


def _kinds(entries: Iterable[TensorBytes]) -> _Kinds:
    """Return the bytes of optimizer with master copies, of gradients and of weights."""
    found = [
        (
            (entry.master + entry.state) * entry.tensor.copies,
            entry.gradient * entry.tensor.copies,
            entry.weight * entry.tensor.copies,
        )
        for entry in entries
    ]
    return (sum(one[0] for one in found), sum(one[1] for one in found), sum(one[2] for one in found))
