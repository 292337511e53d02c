"""Fuyu: patches of a picture go through one matrix straight into the language model; there is no tower.

Source: Bavishi et al. 2023, adept.ai/blog/fuyu-8b; the modelling file of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.images import LinedPatches
from sizewise.plans.tower_parts import dense
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper


def no_tower(inside: Inside) -> tuple[Tower, ...]:
    """Return nothing: there is no configuration of a tower."""
    return ()


MODEL_TYPES: dict[str, WrapperPlan] = {
    "fuyu": WrapperPlan(
        model_class="FuyuForCausalLM",
        text=Inner(field="text_config", model_type="persimmon"),
        vision=Inner(field="vision_config", model_type="", optional=True),
        towers=no_tower,
        flat_text=True,
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type.

    Raises InputError (bad_config) where the file has no sizes of the language model.
    """
    if not config.has_section("text_config") and not config.given("hidden_size"):
        raise config.bad("text_config", "is missing; without it the sizes are not known")
    found = wrapper(config, MODEL_TYPES[config.model_type], resolve)
    patch = config.size("patch_size")
    matrix = dense("model.vision_embed_tokens", patch**2 * config.size("num_channels"), found.hidden)
    tower = Tower(role="projector", body=(matrix,))
    return replace(found, towers=(tower,), images=LinedPatches(patch=patch))
