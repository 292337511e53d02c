"""What recipes of one model need, remembered, and a quick bound below it."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from sizewise.activations.passes import kept_bytes
from sizewise.activations.saved import recorded
from sizewise.activations.segments import segments
from sizewise.architecture import Architecture, Model
from sizewise.counting import total_parameters
from sizewise.formats.scheme import Scheme
from sizewise.parallel.training import training_stages
from sizewise.parallel.zero import sharers
from sizewise.planning.training.memory import stage_memories
from sizewise.planning.training.search import Measures
from sizewise.recipe import ONE_DEVICE, Recipe, Sharding
from sizewise.states.optimizer import optimizer_state
from sizewise.states.trained import trainable


def measures_of(model: Model, packed: Callable[[], Scheme]) -> Measures:
    """Return how recipes of a model are measured; ``packed`` says how frozen weights are packed for qlora."""
    shares = cache(lambda tensor, pipeline, experts: _shares(model.architecture, tensor, pipeline, experts))

    @cache
    def needed(recipe: Recipe) -> tuple[int, int]:
        sharding = recipe.sharding
        ranks = shares(sharding.tensor, sharding.pipeline, sharding.experts)
        frozen = packed() if recipe.method == "qlora" else None
        lines = [stage.line for stage in stage_memories(model, recipe, frozen, ranks, _telling(ranks))]
        return max(int(line.value) for line in lines), max(int(line.interval[1]) for line in lines)

    states, kept = _states_floor(model.architecture), _kept_floor(model)
    return Measures(needed=needed, floor=lambda recipe: states(recipe) + kept(recipe))


def _shares(architecture: Architecture, tensor: int, pipeline: int, experts: int) -> tuple[Architecture, ...]:
    return training_stages(architecture, Sharding(tensor=tensor, pipeline=pipeline, experts=experts))


def _telling(ranks: tuple[Architecture, ...]) -> frozenset[int]:
    """Return the stages of which one is the fullest: the ends, the next one, the first with most weights."""
    weights = [total_parameters(rank) for rank in ranks]
    last = len(ranks) - 1
    return frozenset((0, min(1, last), weights.index(max(weights)), max(0, last - 1), last))


def _kept_floor(model: Model) -> Callable[[Recipe], int]:
    """Return a bound below the activations of the layers that the first stage keeps for backward."""

    @cache
    def of_all(recipe: Recipe) -> int:
        found = segments(recorded(model, recipe), recipe)
        return kept_bytes(found[1:-1])

    def floor(recipe: Recipe) -> int:
        sharding = recipe.sharding
        alone = replace(recipe, sharding=ONE_DEVICE, tokens=None, accumulate=1)
        depth = model.architecture.depth
        layers = depth // sharding.pipeline * min(sharding.pipeline, recipe.accumulate)
        return of_all(alone) * layers // (depth * sharding.tensor * sharding.context)

    return floor


def _states_floor(architecture: Architecture) -> Callable[[Recipe], int]:
    """Return a bound below the fullest device's states: the average over ranks and stages."""
    per_number: dict[tuple[str, str], float] = {}

    def state_bytes(recipe: Recipe, numbers: int) -> float:
        key = (recipe.precision.name, recipe.optimizer)
        if key not in per_number:
            per_number[key] = float(optimizer_state(architecture, recipe).value) / max(1, numbers)
        return per_number[key]

    def floor(recipe: Recipe) -> int:
        if recipe.method != "full" or recipe.frozen:
            return 0
        sharding, formats = recipe.sharding, recipe.precision
        numbers = trainable(architecture, recipe).parameters
        kinds = (formats.master + state_bytes(recipe, numbers), formats.gradient, formats.stored)
        whole, cut = sum(kinds[sharding.zero :]), sum(kinds[: sharding.zero])
        ranks = sharding.tensor * sharding.pipeline
        return int(numbers * (whole / sharding.experts + cut / sharers(sharding)) / ranks)

    return floor
