"""Qwen2-VL, Qwen2.5-VL and EXAONE 4.5: a tower of native resolution and its merger.

Source: Wang et al. 2024, arXiv:2409.12191; Bai et al. 2025, arXiv:2502.13923; the modelling files of
transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.image_rules import merged_patches
from sizewise.plans.qwen_towers import grouped_vit, qwen2_5_vit, qwen2_vit
from sizewise.plans.towers import TowerBuilder
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, either_tie, wrapper


def visual(build: TowerBuilder) -> Callable[[Inside], tuple[Tower, ...]]:
    """Return a builder of the tower; its merger belongs to it."""

    def towers(inside: Inside) -> tuple[Tower, ...]:
        return (Tower(role="vision", body=build(inside.vision, "model.visual")),)

    return towers


def sections(name: str) -> tuple[Inner, Inner]:
    """Return the inner configurations of a type, which are always of its own types."""
    return (
        Inner(field="text_config", model_type=f"{name}_text", fixed=True),
        Inner(field="vision_config", model_type=f"{name}_vision", fixed=True),
    )


QWEN2_TEXT, QWEN2_VISION = sections("qwen2_vl")
QWEN2_5_TEXT, QWEN2_5_VISION = sections("qwen2_5_vl")

MODEL_TYPES: dict[str, WrapperPlan] = {
    "qwen2_vl": WrapperPlan(
        model_class="Qwen2VLForConditionalGeneration",
        text=QWEN2_TEXT,
        vision=QWEN2_VISION,
        towers=visual(qwen2_vit),
        images=merged_patches,
        tie=either_tie,
        flat_text=True,
    ),
    "qwen2_5_vl": WrapperPlan(
        model_class="Qwen2_5_VLForConditionalGeneration",
        text=QWEN2_5_TEXT,
        vision=QWEN2_5_VISION,
        towers=visual(qwen2_5_vit),
        images=merged_patches,
        tie=either_tie,
        flat_text=True,
    ),
    "exaone4_5": WrapperPlan(
        model_class="Exaone4_5_ForConditionalGeneration",
        text=Inner(field="text_config", model_type="exaone4"),
        vision=Inner(field="vision_config", model_type="exaone4_5_vision", fixed=True),
        towers=visual(grouped_vit),
        images=merged_patches,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
