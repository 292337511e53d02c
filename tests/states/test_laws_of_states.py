"""Properties of trained tensors and their states, over the class defaults of every model type."""

from functools import cache
from math import ceil
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sizewise.architecture import Architecture
from sizewise.catalog.optimizers import optimizers
from sizewise.configuration import Config
from sizewise.counting import total_parameters
from sizewise.errors import InputError, UsageError
from sizewise.families import describe, known_types
from sizewise.ledger import Line
from sizewise.parallel.tensor import tensor_rank
from sizewise.recipe import PRECISIONS, Adapter, Recipe
from sizewise.states.optimizer import optimizer_for, optimizer_state, pageable_bytes
from sizewise.states.step import step_temporaries
from sizewise.states.trained import trainable
from sizewise.states.weights import ema, gradients, master_weights, tensor_bytes, weights

types = st.sampled_from(sorted(known_types()))
names = st.sampled_from(sorted(optimizers()))
precisions = st.sampled_from(sorted(PRECISIONS))
quick = settings(max_examples=60, deadline=None)


@cache
def described(model_type: str) -> Architecture | None:
    """Return the architecture of the class defaults; None where the class has none."""
    try:
        return describe(Config({}, model_type))
    except InputError:
        return None


def existing(model_type: str) -> Architecture:
    found = described(model_type)
    assume(found is not None)
    assert found is not None
    return found


def full(optimizer: str = "adamw", precision: str = "bf16-mixed", **changes: Any) -> Recipe:
    return Recipe(sequence=128, optimizer=optimizer, precision=PRECISIONS[precision], **changes)


def lora(rank: int, **changes: Any) -> Recipe:
    return full(method="lora", adapter=Adapter(rank=rank, **changes))


@quick
@given(types, names, precisions)
def test_parts_sum_up_and_formulas_give_the_amounts(model_type: str, optimizer: str, precision: str) -> None:
    architecture, recipe = existing(model_type), full(optimizer, precision, ema=True)
    lines: tuple[Line, ...] = tuple(
        make(architecture, recipe) for make in (weights, master_weights, gradients, optimizer_state, ema)
    )
    for line in lines:
        for _, part in line.walk():
            if part.amount is not None and part.formula:
                assert eval(part.formula, {"ceil": ceil}, dict(part.inputs)) == part.amount
    each = list(tensor_bytes(architecture, recipe))
    frozen = trainable(architecture, recipe).frozen * recipe.precision.stored
    tables = optimizers()[optimizer].tables if each else 0
    assert lines[0].value == frozen + sum(one.weight * one.tensor.copies for one in each)
    assert lines[1].value == sum(one.master * one.tensor.copies for one in each)
    assert lines[2].value == sum(one.gradient * one.tensor.copies for one in each)
    assert lines[3].value == tables + sum(one.state * one.tensor.copies for one in each)
    assert 0 <= pageable_bytes(architecture, recipe) <= lines[3].value


@quick
@given(types)
def test_all_parameters_are_trained_or_frozen(model_type: str) -> None:
    architecture = existing(model_type)
    trained = trainable(architecture, full())
    never = sum(weight.elements * copies for weight, copies in architecture.weights() if weight.frozen)
    assert trained.total == total_parameters(architecture)
    assert trained.frozen == never


@quick
@given(types)
def test_adapters_of_rank_0_are_a_frozen_model(model_type: str) -> None:
    architecture, recipe = existing(model_type), lora(0)
    trained = trainable(architecture, recipe)
    assert (trained.parameters, trained.frozen) == (0, total_parameters(architecture))
    assert gradients(architecture, recipe).value == optimizer_state(architecture, recipe).value == 0
    assert step_temporaries(architecture, recipe, "foreach") == 0


@quick
@given(types, st.integers(1, 64), st.integers(2, 5))
def test_adapters_are_proportional_to_the_rank(model_type: str, rank: int, times: int) -> None:
    architecture = existing(model_type)
    one, many = (trainable(architecture, lora(number)) for number in (rank, rank * times))
    assert many.parameters == times * one.parameters
    magnitudes = trainable(architecture, lora(rank, magnitude=True)).parameters - one.parameters
    assert magnitudes == sum(
        tensor.shape[0] * tensor.copies for tensor in one if tensor.name.endswith("lora_B.weight")
    )


@quick
@given(types, precisions)
def test_states_of_adam_are_two_numbers_and_a_step(model_type: str, precision: str) -> None:
    architecture = existing(model_type)
    recipe = full("adamw", precision)
    trained = trainable(architecture, recipe)
    steps = sum(tensor.copies for tensor in trained)
    momentum = optimizer_state(architecture, full("sgd-momentum", precision)).value
    assert optimizer_state(architecture, recipe).value == 2 * momentum + 4 * steps
    assert optimizer_state(architecture, full("sgd", precision)).value == 0
    assert momentum == trained.parameters * recipe.precision.state


@quick
@given(types)
def test_muon_is_momentum_of_matrices_and_adamw_of_the_rest(model_type: str) -> None:
    architecture, recipe = existing(model_type), full("muon")
    states = {"muon": 0, "adamw": 0}
    for tensor in trainable(architecture, recipe):
        optimizer = optimizer_for(tensor, recipe).name
        per_tensor = 4 * tensor.elements if optimizer == "muon" else 8 * tensor.elements + 4
        states[optimizer] += per_tensor * tensor.copies
        if optimizer == "muon":
            assert len(tensor.shape) == 2
            assert tensor.kind == "matrix"
    assert optimizer_state(architecture, recipe).value == sum(states.values())


@quick
@given(types, st.sampled_from([2, 4, 8]), st.booleans())
def test_tensor_shares_hold_together_at_least_the_whole(model_type: str, ranks: int, adapted: bool) -> None:
    architecture, recipe = existing(model_type), lora(16) if adapted else full()
    try:
        share = tensor_rank(architecture, ranks)
    except UsageError:
        assume(False)
    for line in (gradients, optimizer_state, weights):
        assert ranks * line(share, recipe).value >= line(architecture, recipe).value


@quick
@given(types, names)
def test_implementations_take_at_most_a_few_copies_of_the_trained_weights(
    model_type: str, optimizer: str
) -> None:
    architecture, recipe = existing(model_type), full(optimizer)
    everything = 4 * trainable(architecture, recipe).parameters
    row = optimizers()[optimizer]
    for implementation in row.steps:
        assert 0 <= step_temporaries(architecture, recipe, implementation) <= 5 * everything
    if "fused" in row.steps:
        assert step_temporaries(architecture, recipe, "fused") == 0
