"""Fresh random configurations of every model type, reproducible from a seed."""

from collections.abc import Iterator
from random import Random

from . import dense, early, encoders, experts, latent, state_space
from .choices import Fields, Recipe, draw

RECIPES: dict[str, Recipe] = {
    **dense.RECIPES,
    **early.RECIPES,
    **experts.RECIPES,
    **latent.RECIPES,
    **state_space.RECIPES,
    **encoders.RECIPES,
}
"""By model type. A type that is new in a family needs one here."""


def configurations(model_type: str, seed: str, count: int) -> Iterator[Fields]:
    """Yield sparse configurations, the same ones for the same seed whatever other types are drawn."""
    random = Random(f"{seed} {model_type}")
    for _ in range(count):
        yield draw(random, RECIPES[model_type])
