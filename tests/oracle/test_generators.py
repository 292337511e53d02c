"""Every model type that sizewise knows has a recipe, and a recipe is reproducible."""

import json

import pytest

from sizewise.families import known_types

from . import choices_audio, choices_text_more_a, choices_vision_more, wrappers
from .generators import RECIPES, configurations


def test_every_known_type_has_a_recipe_and_no_other_one() -> None:
    inner = {*wrappers.TEXTS, *choices_audio.TEXTS, *choices_vision_more.TEXTS, *choices_text_more_a.TEXTS}
    assert sorted({*RECIPES, *inner}) == sorted(known_types())


@pytest.mark.parametrize("model_type", sorted(RECIPES))
def test_a_seed_gives_the_same_json_again(model_type: str) -> None:
    first, again = (json.dumps(list(configurations(model_type, "seed", 20))) for _ in range(2))
    assert first == again
    assert first != json.dumps(list(configurations(model_type, "another", 20)))
