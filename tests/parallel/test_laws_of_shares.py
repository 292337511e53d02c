"""Properties of shares over the class defaults of every model type."""

from collections.abc import Iterable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError, UsageError
from sizewise.families import describe, known_types
from sizewise.operations import Kept, TokenCache
from sizewise.parallel.experts import expert_rank
from sizewise.parallel.layer_split import cache_share, device_share, layer_placement
from sizewise.parallel.pipeline import stages
from sizewise.parallel.selection import token_table
from sizewise.parallel.tensor import tensor_rank

types = st.sampled_from(sorted(known_types()))
quick = settings(max_examples=80, deadline=None)


@cache
def described(model_type: str) -> Architecture | None:
    """Return the architecture of the class defaults; None where the class has none."""
    try:
        return describe(Config({}, model_type))
    except InputError:
        return None


def elements(architecture: Architecture) -> int:
    return sum(weight.elements * copies for weight, copies in architecture.weights())


def numbers(kept: Iterable[tuple[Kept, int]]) -> int:
    """Count the numbers of one token and of one sequence."""
    return sum(
        layers
        * (
            entry.numbers
            if isinstance(entry, TokenCache)
            else entry.channels + entry.recurrent + entry.shift + entry.memory
        )
        for entry, layers in kept
    )


@quick
@given(types, st.integers(1, 64))
def test_ranks_together_hold_at_least_the_model(model_type: str, ranks: int) -> None:
    whole = described(model_type)
    for share in (tensor_rank, expert_rank):
        if whole is None:
            return
        try:
            rank = share(whole, ranks)
        except UsageError as error:
            assert error.code == "bad_option"
            continue
        assert elements(whole) <= ranks * elements(rank) <= ranks * (elements(whole) + 64 * 10**6)
        assert numbers(whole.kept()) <= ranks * numbers(rank.kept())
        if ranks == 1:
            assert rank == whole


@quick
@given(types, st.integers(1, 64))
def test_stages_add_up_to_the_model_and_the_second_table(model_type: str, count: int) -> None:
    whole = described(model_type)
    if whole is None:
        return
    try:
        parts = stages(whole, count)
    except UsageError as error:
        assert error.code == "bad_option"
        return
    table = token_table(whole) if count > 1 else None
    second = 0 if table is None else sum(weight.elements for weight in table.component.weights())
    assert sum(map(elements, parts)) == elements(whole) + second
    assert sum(numbers(part.kept()) for part in parts) == numbers(whole.kept())
    assert sum(part.depth for part in parts) == whole.depth


@quick
@given(types, st.lists(st.integers(1, 100), max_size=4), st.integers(0, 80), st.integers(0, 5))
def test_layers_split_add_up_to_the_language_model_and_the_second_table(
    model_type: str, proportions: list[int], gpu_layers: int, experts: int
) -> None:
    whole = described(model_type)
    if whole is None:
        return
    placement = layer_placement(whole.depth, proportions, gpu_layers=gpu_layers, host_expert_layers=experts)
    places = [None, *range(len(proportions))]
    try:
        parts = [device_share(whole, placement, place) for place in places]
    except UsageError as error:
        assert error.code == "bad_option"
        return
    language = sum(
        weight.elements * len(place.layers) for place in whole.language() for weight in place.weights()
    )
    table = None if placement.output_device is None else token_table(whole)
    second = 0 if table is None else sum(weight.elements for weight in table.component.weights())
    assert sum(map(elements, parts)) == language + second
    caches = [cache_share(whole, placement, place) for place in places]
    assert sum(numbers(part.kept()) for part in caches) == numbers(whole.kept())


@pytest.mark.parametrize("model_type", sorted(known_types()))
def test_every_type_can_be_held_by_one_rank(model_type: str) -> None:
    whole = described(model_type)
    if whole is not None:
        assert tensor_rank(whole, 1) is whole
        assert stages(whole, 1) == (whole,)
