"""Every model type that sizewise knows has a recipe, and a recipe is reproducible."""

import json

import pytest

from sizewise.families import known_types

from . import wrappers
from .generators import RECIPES, configurations


def test_every_known_type_has_a_recipe_and_no_other_one() -> None:
    assert sorted({*RECIPES, *wrappers.TEXTS}) == sorted(known_types())


@pytest.mark.parametrize("model_type", sorted(RECIPES))
def test_a_seed_gives_the_same_json_again(model_type: str) -> None:
    first, again = (json.dumps(list(configurations(model_type, "seed", 20))) for _ in range(2))
    assert first == again
    assert first != json.dumps(list(configurations(model_type, "another", 20)))
