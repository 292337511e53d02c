"""Every model type has saved activations, recorded or estimated, and recomputing layers never saves more."""

from typing import Any

import pytest

from sizewise.activations.saved import recorded, saved_bytes
from sizewise.architecture import Model
from sizewise.families import known_types
from sizewise.recipe import Recipe
from sizewise.sources.traits import traits

from ..golden.test_architectures import RANDOM_CONFIGS, build, default_rows, of_class


def described(model_type: str, fields: dict[str, Any]) -> Model:
    return Model(
        name=model_type,
        model_type=model_type,
        architecture=build(fields, model_type),
        origin="a configuration",
        traits=traits(fields),
    )


DEFAULTS = {row["model_type"]: of_class(row) for row in default_rows()}
RANDOM = {name: rows[0]["resolved"] for name, rows in RANDOM_CONFIGS.items() if name in known_types()}
CONFIGURATIONS = {**RANDOM, **DEFAULTS}


@pytest.mark.parametrize("model_type", sorted(CONFIGURATIONS))
@pytest.mark.parametrize("attention", ["sdpa", "eager"])
def test_every_type_has_saved_activations(model_type: str, attention: Any) -> None:
    model = described(model_type, CONFIGURATIONS[model_type])
    found = recorded(model, Recipe(sequence=1024, attention=attention))
    every, recomputed = saved_bytes(found), saved_bytes(found, every=1)
    assert 0 < recomputed <= every < 2**45
    streams = 1024 * model.architecture.hidden * len(found.layers)
    assert every > 8 * streams, "less than a norm's input and output in 16 bit per layer"


@pytest.mark.parametrize("model_type", ["whisper", "deepseek_v4", "xlstm", "rwkv", "gemma3n_text", "t5"])
def test_what_nobody_compared_is_marked(model_type: str) -> None:
    found = recorded(described(model_type, CONFIGURATIONS[model_type]), Recipe(sequence=128))
    assert found.assumed.startswith("saved activations are estimated")


def test_a_type_that_was_compared_is_not() -> None:
    assert not recorded(described("llama", DEFAULTS["llama"]), Recipe(sequence=128)).assumed


def test_twice_the_sequences_save_twice_the_bytes() -> None:
    model = described("rwkv", CONFIGURATIONS["rwkv"])
    one, two = (saved_bytes(recorded(model, Recipe(sequence=256, micro_batch=batch))) for batch in (2, 4))
    assert two == pytest.approx(2 * one, rel=1e-3)


def test_fused_scans_are_marked() -> None:
    found = recorded(described("mamba2", CONFIGURATIONS["mamba2"]), Recipe(sequence=128))
    assert "fused kernels" in found.assumed
