"""The layout of a training run: of all that fit the fastest by the upper end of its predicted time.

Where no time can be told it is the first in the order of `candidates`. What fits at the upper end of the
memory it needs goes before what fits at the value alone.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from itertools import groupby, islice
from typing import Protocol

from sizewise.architecture import Model
from sizewise.errors import UsageError
from sizewise.planning.training.asked import TrainingAsked, given_sharding, recipe_for
from sizewise.planning.training.candidates import recipes
from sizewise.recipe import Recipe

COUNTS = (
    *range(1, 17),
    *range(24, 129, 8),
    *range(160, 513, 32),
    *range(576, 1025, 64),
    1536,
    2048,
    3072,
    4096,
)
"""Numbers of devices that are tried for the fewest: whole machines beyond two."""
LAST = 2
"""So many of the largest have to fail before smaller ones are given up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """A layout with the bytes that its fullest device needs, at the value and at the upper end."""

    recipe: Recipe
    needed: int
    high: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """A recipe that was not taken; ``times`` is its time per token over that of the one that was."""

    recipe: Recipe
    times: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The recipe of an answer, and whether its layout was ``searched`` for.

    ``runner_up`` is the next that fits as surely, ``tight`` the fastest of those that are faster, but fit at
    the value of their memory alone. None: there is no such, or no time can be told.
    """

    recipe: Recipe
    searched: bool
    runner_up: Other | None = None
    tight: Other | None = None


class Floor(Protocol):
    """Bytes that the fullest device needs at least; any bound above ``limit`` where one is."""

    def __call__(self, recipe: Recipe, limit: int | None = None) -> int:
        """Return bytes, never more than what is needed."""
        ...


class Needed(Protocol):
    """Bytes of the fullest device; those of any that needs more than ``limit`` where one does."""

    def __call__(self, recipe: Recipe, limit: int | None = None) -> tuple[int, int]:
        """Return the bytes at the value and at the upper end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Measures:
    """How a recipe is measured: what its fullest device needs, and what it needs at least.

    ``needed`` gives bytes at the value and at the upper end; ``floor`` is quick and never more than that;
    ``seconds`` per token rank layouts (None: no time can be told).
    """

    needed: Needed
    floor: Floor
    seconds: Callable[[Recipe], float] | None = None


def best_layout(
    model: Model, asked: TrainingAsked, devices: int, usable: int | None, measures: Measures
) -> Tried | None:
    """Return the best of those that fit, else the one that needs least; None: none is possible."""
    return next(iter(_ranked(model, asked, devices, usable, measures, enough=1)), None)


def _ranked(
    model: Model, asked: TrainingAsked, devices: int, usable: int | None, measures: Measures, *, enough: int
) -> list[Tried]:
    """Return those that fit, the best first, until ``enough`` fit at the upper end; else what needs least.

    What needs too much by its bound below is measured only where nothing else can be had.
    """
    found = recipes(model, _open(asked, usable, measures), devices)
    possible, hopeless = _bounded(found, usable, measures)
    tried = _measured(_fastest_first(possible, measures), usable, measures, enough)
    if usable is not None:
        sure = [one for one in tried if one.high <= usable]
        tight = [one for one in tried if one.needed <= usable < one.high]
        if sure or tight:
            return [*sure, *tight]
    if tried:
        return [min(tried, key=lambda one: one.needed)]
    return _least(hopeless, measures)


def _open(asked: TrainingAsked, usable: int | None, measures: Measures) -> TrainingAsked:
    """Return what was asked without choices that nothing decides.

    Without a device nothing is done again; without a time a device takes one sequence at once.
    """
    if measures.seconds is None:
        asked = replace(asked, micro_batch=asked.micro_batch or 1)
    return asked if usable is not None else replace(asked, recompute=asked.recompute or "none")


def _bounded(
    found: Iterable[Recipe], usable: int | None, measures: Measures
) -> tuple[list[Recipe], list[Recipe]]:
    """Return the recipes that may fit and those that cannot.

    Where so many sequences at once need too much, more are not looked at.
    """
    if usable is None:
        return list(found), []
    possible, hopeless = [], []
    for _, larger in groupby(found, key=lambda recipe: replace(recipe, micro_batch=1, accumulate=1)):
        for recipe in larger:
            if measures.floor(recipe, usable) > usable:
                hopeless.append(recipe)
                break
            possible.append(recipe)
    return possible, hopeless


def _fastest_first(found: list[Recipe], measures: Measures) -> list[Recipe]:
    """Return recipes by their time, those alike in the order that they come in."""
    seconds = measures.seconds
    return found if seconds is None else sorted(found, key=lambda recipe: _digits(seconds(recipe)))


def _digits(seconds: float) -> float:
    """Return a time in as many digits as two layouts are told apart by: a thousandth is no difference."""
    return float(f"{seconds:.3g}")


def _measured(found: list[Recipe], usable: int | None, measures: Measures, enough: int) -> list[Tried]:
    """Return what recipes need, in their order, until ``enough`` of them fit at the upper end."""
    tried: list[Tried] = []
    least, sure = None, 0
    for recipe in found:
        limit = None if usable is None or least is None else max(usable, least)
        one = _tried(recipe, measures, limit)
        if one is None:
            continue
        tried.append(one)
        least = one.needed if least is None else min(least, one.needed)
        sure += usable is not None and one.high <= usable
        if sure == enough:
            break
    return tried


def _least(found: list[Recipe], measures: Measures) -> list[Tried]:
    """Return the one that needs least, if any can be had: no bound below it is passed over."""
    least: Tried | None = None
    bounds = sorted(((measures.floor(recipe), recipe) for recipe in found), key=lambda pair: pair[0])
    for floor, recipe in bounds:
        if least is not None and floor >= least.needed:
            break
        one = _tried(recipe, measures, None if least is None else least.needed)
        if one is not None and (least is None or one.needed < least.needed):
            least = one
    return [] if least is None else [least]


def _tried(recipe: Recipe, measures: Measures, limit: int | None = None) -> Tried | None:
    """Return what a recipe needs, beyond ``limit`` any bytes above it; None where it cannot be had."""
    try:
        needed, high = measures.needed(recipe, limit)
    except UsageError:
        return None
    return Tried(recipe=recipe, needed=needed, high=high)


def chosen(
    model: Model, asked: TrainingAsked, devices: int, usable: int | None, measures: Measures
) -> Chosen:
    """Return the recipe on so many devices, how it was found, and what came next.

    What was named stays. Raises UsageError where what was named cannot be had.
    """
    named = given_sharding(asked, devices)
    ranked = _ranked(model, asked, devices, usable, measures, enough=2)
    if not ranked:
        return Chosen(recipe=recipe_for(model, asked, named), searched=False)
    best = ranked[0].recipe
    searched = devices > 1 and (best.sharding != named or not asked.layout_given)
    if usable is None or measures.seconds is None:
        return Chosen(recipe=best, searched=searched)
    sure = ranked[0].high <= usable
    seconds = measures.seconds(best)
    others = [(one, measures.seconds(one.recipe) / seconds) for one in ranked[1:]]
    alike = (Other(recipe=one.recipe, times=times) for one, times in others if sure == (one.high <= usable))
    tight = (Other(recipe=one.recipe, times=times) for one, times in others if one.high > usable)
    faster = next(tight, None) if sure else None
    return Chosen(
        recipe=best,
        searched=searched,
        runner_up=next(alike, None),
        tight=faster if faster is not None and _digits(faster.times) < 1 else None,
    )


def chosen_recipe(
    model: Model, asked: TrainingAsked, devices: int, usable: int | None, measures: Measures
) -> Recipe:
    """Return the recipe on so many devices. Raises UsageError where what was named cannot be had."""
    best = best_layout(model, asked, devices, usable, measures)
    return recipe_for(model, asked, given_sharding(asked, devices)) if best is None else best.recipe


def fewest_devices(
    model: Model, asked: TrainingAsked, usable: int, measures: Measures, most: int
) -> Tried | None:
    """Return the layout on the fewest devices that fits; None where no number up to ``most`` does.

    Where the largest numbers that are possible do not hold it, smaller ones are not tried.
    """
    some = _open(asked, usable, replace(measures, seconds=None))
    named = given_sharding(asked, 1).devices
    counts = sorted({*COUNTS, named, *(named * count for count in COUNTS)})
    counts = counts[: bisect_right(counts, most)]

    def possible(count: int) -> bool:
        return any(measures.floor(one, usable) <= usable for one in recipes(model, some, count))

    @cache
    def held(count: int) -> bool:
        return _held(recipes(model, some, count), usable, measures)

    largest = islice(filter(possible, reversed(counts)), LAST)
    if not any(held(count) for count in largest):
        return None
    return best_layout(model, asked, next(filter(held, counts)), usable, measures)


def _held(found: Iterable[Recipe], usable: int, measures: Measures) -> bool:
    """Tell whether a recipe fits at the value of what it needs; the likeliest are measured first."""
    bounds = ((measures.floor(recipe, usable), recipe) for recipe in found)
    possible = sorted((pair for pair in bounds if pair[0] <= usable), key=lambda pair: pair[0])
    tried = (_tried(recipe, measures, usable) for _, recipe in possible)
    return any(one is not None and one.needed <= usable for one in tried)
