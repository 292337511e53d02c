"""Qwen3-VL and Qwen3.5: a tower with learned positions beside a dense or sparse language model.

Qwen3-VL feeds inner layers of the tower to the language model too (deep stack), Qwen3.5 does not.
Source: the modelling files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.image_rules import merged_patches
from sizewise.plans.qwen_towers import qwen3_vit
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper


def visual(*, deep: bool) -> Callable[[Inside], tuple[Tower, ...]]:
    """Return a builder of the tower; its mergers belong to it."""

    def towers(inside: Inside) -> tuple[Tower, ...]:
        return (Tower(role="vision", body=qwen3_vit(inside.vision, "model.visual", deep=deep)),)

    return towers


def plan(name: str, prefix: str, *, deep: bool, text_class: str = "") -> WrapperPlan:
    """Return the plan of a type whose inner configurations are always of its own types."""
    return WrapperPlan(
        model_class=f"{prefix}ForConditionalGeneration",
        text=Inner(field="text_config", model_type=f"{name}_text", fixed=True),
        vision=Inner(field="vision_config", model_type=f"{name}_vision", fixed=True),
        towers=visual(deep=deep),
        images=merged_patches,
        text_class=text_class,
    )


MODEL_TYPES: dict[str, WrapperPlan] = {
    "qwen3_vl": plan("qwen3_vl", "Qwen3VL", deep=True),
    "qwen3_vl_moe": plan("qwen3_vl_moe", "Qwen3VLMoe", deep=True),
    "qwen3_5": plan("qwen3_5", "Qwen3_5", deep=False, text_class="Qwen3_5ForCausalLM"),
    "qwen3_5_moe": plan("qwen3_5_moe", "Qwen3_5Moe", deep=False, text_class="Qwen3_5MoeForCausalLM"),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
