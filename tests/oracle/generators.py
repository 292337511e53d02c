"""Fresh random configurations of every model type, reproducible from a seed."""

from collections.abc import Iterator
from random import Random

from . import (
    choices_audio,
    choices_text_more_a,
    choices_text_more_b,
    choices_vision_more,
    choices_wrappers,
    dense,
    early,
    early_decoders,
    encoder_decoders,
    encoder_kin,
    encoders,
    experts,
    latent,
    special,
    state_space,
    variants,
    wrappers,
)
from .choices import Fields, Recipe, Table, draw

ENCODERS: dict[str, Recipe] = {**encoders.RECIPES, **encoder_kin.RECIPES, **encoder_decoders.RECIPES}
"""Types whose files name one of several classes."""

WRAPPERS: dict[str, Recipe] = {
    **wrappers.RECIPES,
    **choices_wrappers.RECIPES,
    **choices_vision_more.RECIPES,
    **choices_audio.RECIPES,
    **choices_text_more_a.WRAPPERS,
}
"""Types that join a language model and a tower."""

RECIPES: dict[str, Recipe] = {
    **dense.RECIPES,
    **early.RECIPES,
    **experts.RECIPES,
    **latent.RECIPES,
    **state_space.RECIPES,
    **special.RECIPES,
    **variants.RECIPES,
    **early_decoders.RECIPES,
    **ENCODERS,
    **choices_text_more_b.RECIPES,
    **choices_text_more_a.RECIPES,
    **WRAPPERS,
}
"""By model type. A type that is new in a family needs one here."""


def configurations(model_type: str, seed: str, count: int, *changes: Table) -> Iterator[Fields]:
    """Yield sparse configurations, the same ones for the same seed whatever other types are drawn.

    ``changes`` replace choices of the recipe.
    """
    random = Random(f"{seed} {model_type}")
    for _ in range(count):
        yield draw(random, (*RECIPES[model_type], *changes))
