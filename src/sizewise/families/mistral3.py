"""Mistral 3, Mistral Large 4, LightOnOCR: a Pixtral tower with merged neighbouring patches, a projector.

Source: the modelling files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.image_rules import patch_rows
from sizewise.plans.projectors import feature_layers, two_layers, with_projector
from sizewise.plans.tower_parts import dense, norm
from sizewise.plans.towers import vision_tower
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

PIXTRAL = Inner(field="vision_config", model_type="pixtral")


def merging(tower: str, name: str, bias: str) -> Callable[[Inside], tuple[Tower, ...]]:
    """Return a builder of the tower, a norm, the merger [D, s^2*D] and two layers."""

    def towers(inside: Inside) -> tuple[Tower, ...]:
        config, features = inside.config, inside.vision.size("hidden_size")
        merged = features * config.size("spatial_merge_size") ** 2
        joined = features * feature_layers(config)
        return with_projector(
            vision_tower(inside.vision, tower),
            norm(f"{name}.norm", features, "rms"),
            dense(f"{name}.patch_merger.merging_layer", merged, features, bias=False),
            *two_layers(name, joined, inside.text.hidden, bias=bool(bias) and config.flag(bias)),
        )

    return towers


MODEL_TYPES: dict[str, WrapperPlan] = {
    "mistral3": WrapperPlan(
        model_class="Mistral3ForConditionalGeneration",
        text=Inner(field="text_config", model_type="mistral"),
        vision=PIXTRAL,
        towers=merging("model.vision_tower", "model.multi_modal_projector", "multimodal_projector_bias"),
        images=patch_rows(marks=True),
    ),
    "mistral_large4": WrapperPlan(
        model_class="MistralLarge4ForConditionalGeneration",
        text=Inner(field="text_config", model_type="mistral_large4_text", fixed=True),
        vision=PIXTRAL,
        towers=merging("model.vision_tower", "model.multi_modal_projector", "multimodal_projector_bias"),
        images=patch_rows(marks=True),
    ),
    "lighton_ocr": WrapperPlan(
        model_class="LightOnOcrForConditionalGeneration",
        text=Inner(field="text_config", model_type="qwen3"),
        vision=PIXTRAL,
        towers=merging("model.vision_encoder", "model.vision_projection", ""),
        images=patch_rows(marks=False),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
