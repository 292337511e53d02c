"""Which matrices a recipe trains, and which it adapts by low-rank products beside them."""

from collections.abc import Mapping
from dataclasses import dataclass

from sizewise.architecture import Architecture, Placed
from sizewise.recipe import Adapter, Recipe
from sizewise.states.targets import targeted
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """A matrix with low-rank ones beside it, ``times`` the rank wide."""

    weight: Weight
    times: int


def trains(recipe: Recipe, name: str, weight: Weight) -> bool:
    """Tell whether a tensor of that full name is itself trained; beside adapters nothing else is."""
    return recipe.method == "full" and not weight.frozen and not is_frozen(recipe, name)


def is_frozen(recipe: Recipe, name: str) -> bool:
    """Tell whether the tensor of that full name is in a part that the recipe does not train."""
    return bool(recipe.frozen) and name.startswith(recipe.frozen)


def adapted(architecture: Architecture, recipe: Recipe) -> Mapping[Placed, tuple[Adapted, ...]]:
    """Return the matrices of each component that adapters stand beside."""
    if recipe.method == "full":
        return {}
    found: dict[Placed, tuple[Adapted, ...]] = {}
    for module, times in targeted(architecture, adapter_of(recipe).targets):
        found[module.place] = (*found.get(module.place, ()), Adapted(weight=module.weight, times=times))
    return found


def adapter_of(recipe: Recipe) -> Adapter:
    """Return the adapter of a recipe that has one.

    Raises ValueError where the recipe's method needs one and it has none.
    """
    if recipe.adapter is None:
        raise ValueError(f"a recipe of method {recipe.method!r} needs an adapter")
    return recipe.adapter
