"""What is true of every training run: states shrink as more is shared, and nothing is lost by sharing it."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sizewise.activations.passes import kept_bytes
from sizewise.activations.saved import recorded
from sizewise.activations.segments import segments
from sizewise.architecture import Model
from sizewise.counting import total_parameters
from sizewise.parallel.training import training_stages
from sizewise.parallel.zero import device_states
from sizewise.planning.training.memory import stage_memories
from sizewise.recipe import PRECISIONS, Adapter, Recipe, Sharding
from sizewise.sources.config_json import from_config

DENSE: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 256,
    "num_hidden_layers": 6,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "intermediate_size": 512,
    "vocab_size": 1000,
}
EXPERTS = DENSE | {"model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2}
HYBRID: dict[str, Any] = {"model_type": "gpt2", "n_embd": 128, "n_layer": 5, "n_head": 4, "vocab_size": 777}


def model_of(config: dict[str, Any]) -> Model:
    return from_config(config, name="model", origin="test")


MODELS = [model_of(config) for config in (DENSE, EXPERTS, HYBRID)]
models = st.sampled_from(MODELS)
optimizers = st.sampled_from(["adamw", "sgd", "adafactor", "muon", "adamw-8bit", "lion"])
precisions = st.sampled_from(sorted(PRECISIONS))


def states_of(model: Model, recipe: Recipe) -> int:
    states = device_states(model.architecture, recipe)
    return int(states.weights.value + states.gradients.value + states.optimizer.value)


@given(models, st.integers(1, 70), optimizers, precisions)
@settings(deadline=None, max_examples=60)
def test_more_sharing_never_needs_more_states(
    model: Model, replicas: int, optimizer: str, precision: str
) -> None:
    recipe = Recipe(sequence=64, optimizer=optimizer, precision=PRECISIONS[precision])
    by_stage = [
        states_of(model, replace(recipe, sharding=Sharding(data=replicas, zero=zero))) for zero in range(4)
    ]
    assert by_stage == sorted(by_stage, reverse=True)


@given(models, st.integers(2, 70), st.integers(1, 3), optimizers)
@settings(deadline=None, max_examples=60)
def test_shares_sum_to_at_least_the_whole(model: Model, replicas: int, zero: int, optimizer: str) -> None:
    whole = states_of(model, Recipe(sequence=64, optimizer=optimizer))
    recipe = Recipe(sequence=64, optimizer=optimizer, sharding=Sharding(data=replicas, zero=zero))
    assert states_of(model, recipe) * replicas >= whole


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_type)
@pytest.mark.parametrize(("tensor", "pipeline"), [(2, 1), (4, 1), (1, 3), (2, 5)])
def test_ranks_and_stages_hold_at_least_the_model(model: Model, tensor: int, pipeline: int) -> None:
    shares = training_stages(model.architecture, Sharding(tensor=tensor, pipeline=pipeline))
    held = sum(total_parameters(share) for share in shares) * tensor
    assert held >= total_parameters(model.architecture)


@given(models, st.integers(1, 4), st.integers(8, 96), st.sampled_from(["sdpa", "eager"]), precisions)
@settings(deadline=None, max_examples=40)
def test_recomputing_never_keeps_more(
    model: Model, batch: int, sequence: int, attention: str, precision: str
) -> None:
    kept = {}
    for policy in ("none", "attention", "selective", "full", "offload"):
        recipe = Recipe(
            sequence=sequence,
            micro_batch=batch,
            attention=attention,  # type: ignore[arg-type]
            precision=PRECISIONS[precision],
            recompute=policy,  # type: ignore[arg-type]
        )
        kept[policy] = kept_bytes(segments(recorded(model, recipe), recipe))
    assert kept["offload"] <= kept["full"] <= kept["selective"] <= kept["none"]
    assert kept["full"] <= kept["attention"] <= kept["none"]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_type)
def test_fewer_pieces_are_kept_less(model: Model) -> None:
    recipe = Recipe(sequence=64, recompute="full")
    kept = [
        kept_bytes(segments(recorded(model, recipe), replace(recipe, recompute_group=group)))
        for group in (1, 2, 3)
    ]
    assert kept == sorted(kept, reverse=True)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_type)
@pytest.mark.parametrize("policy", ["selective", "full"])
def test_fewer_layers_done_again_keep_more(model: Model, policy: str) -> None:
    recipe = Recipe(sequence=64, recompute=policy)  # type: ignore[arg-type]
    found = recorded(model, recipe)
    kept = [kept_bytes(segments(found, replace(recipe, recompute_every=every))) for every in (1, 2, 3, 99)]
    assert kept == sorted(kept)
    assert kept[-1] == kept_bytes(segments(found, replace(recipe, recompute="none")))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_type)
def test_adapters_of_rank_zero_are_a_frozen_model(model: Model) -> None:
    nothing = Recipe(
        sequence=64, method="lora", adapter=Adapter(rank=0), precision=PRECISIONS["bf16"], recompute="full"
    )
    states = device_states(model.architecture, nothing)
    assert states.gradients.value == states.optimizer.value == 0
    assert states.weights.value == 2 * total_parameters(model.architecture)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.model_type)
@pytest.mark.parametrize("zero", [0, 1, 2])
def test_one_device_is_the_unsharded_figure(model: Model, zero: int) -> None:
    recipe = Recipe(sequence=64, precision=PRECISIONS["bf16-master"])
    (alone,) = stage_memories(model, recipe)
    (shared,) = stage_memories(model, replace(recipe, sharding=Sharding(zero=zero)))
    assert shared.line.value == alone.line.value


@given(models, st.sampled_from(["none", "selective", "full"]), st.integers(1, 3), st.integers(1, 8))
@settings(deadline=None, max_examples=40)
def test_the_parts_are_the_highest_phase(model: Model, policy: str, stages: int, accumulate: int) -> None:
    recipe = Recipe(
        sequence=96,
        recompute=policy,  # type: ignore[arg-type]
        accumulate=accumulate,
        sharding=Sharding(data=2, pipeline=stages, zero=1),
    )
    for stage in stage_memories(model, recipe):
        parts = {part.name: int(part.value) for part in stage.line.parts}
        assert all(amount >= 0 for amount in parts.values())
        assert stage.line.value - parts["overhead"] == max(stage.phases.values())


@given(models, st.integers(1, 6), st.integers(16, 200))
@settings(deadline=None, max_examples=30)
def test_longer_and_more_sequences_need_more(model: Model, batch: int, sequence: int) -> None:
    recipe = Recipe(sequence=sequence, micro_batch=batch)
    needs = [
        stage_memories(model, one)[0].line.value
        for one in (
            recipe,
            replace(recipe, sequence=sequence + 16),
            replace(recipe, micro_batch=batch + 1),
        )
    ]
    assert needs[0] <= min(needs[1:])
