"""InternVL and Qianfan-OCR: an InternViT tower whose neighbouring patches are joined, and a projector.

Source: Chen et al. 2023, arXiv:2312.14238; the modelling files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.projectors import intern_projector, with_projector
from sizewise.plans.tiles import NearestRatioTiles
from sizewise.plans.towers import intern_vit, pair
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper


def layers_under(name: str) -> Callable[[Inside], tuple[Tower, ...]]:
    """Return a builder of the tower, whose layers stand under that module, and its projector."""

    def towers(inside: Inside) -> tuple[Tower, ...]:
        return with_projector(
            intern_vit(inside.vision, "model.vision_tower", layers=name),
            *intern_projector(inside.config, inside.vision, inside.text.hidden),
        )

    return towers


def dynamic_tiles(inside: Inside) -> NearestRatioTiles | None:
    """Return the rule of InternVL: ``image_seq_length`` tokens a tile, two marks around them all."""
    height, width = pair(inside.vision, "image_size")
    per_tile = inside.config.size("image_seq_length")
    return NearestRatioTiles(side=height, per_tile=per_tile, marks=2) if height == width else None


MODEL_TYPES: dict[str, WrapperPlan] = {
    "internvl": WrapperPlan(
        model_class="InternVLForConditionalGeneration",
        text=Inner(field="text_config", model_type="qwen2"),
        vision=Inner(field="vision_config", model_type="internvl_vision", fixed=True),
        towers=layers_under("encoder.layer"),
        images=dynamic_tiles,
    ),
    "qianfan_ocr": WrapperPlan(
        model_class="QianfanOCRForConditionalGeneration",
        text=Inner(field="text_config", model_type="qwen3"),
        vision=Inner(field="vision_config", model_type="qianfan_ocr_vision", fixed=True),
        towers=layers_under("layers"),
        images=dynamic_tiles,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
