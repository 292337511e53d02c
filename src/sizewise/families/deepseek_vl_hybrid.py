"""DeepSeek-VL with two towers: SigLIP for the whole picture, SAM for its details.

Source: Lu et al. 2024, arXiv:2403.05525; the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.image_rules import all_patches
from sizewise.plans.projectors import with_projector
from sizewise.plans.sam_tower import neck, sam_vit
from sizewise.plans.tower_parts import convolution, dense, learned
from sizewise.plans.towers import vision_tower
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, inner_section, wrapper

DETAILS = "model.high_res_vision"
DETAIL_CONFIG = Inner(field="high_res_vision_config", model_type="sam_vision_model", only=True)


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return both towers, the convolutions behind the second, and the aligner, half of it for each."""
    details, hidden = inner_section(inside.config, DETAIL_CONFIG), inside.text.hidden
    if not details.entries("global_attn_indexes"):
        raise details.bad("global_attn_indexes", "is empty; the class takes details from the first of them")
    channels, half = details.size("output_channels"), hidden // 2
    return with_projector(
        (
            learned(f"{DETAILS}_alpha", 1),
            *sam_vit(details, f"{DETAILS}_model.vision_encoder"),
            *neck(details, f"{DETAILS}_neck"),
            convolution(f"{DETAILS}_proj.conv1", channels, 2 * channels, 3, 3),
            convolution(f"{DETAILS}_proj.conv2", 2 * channels, 4 * channels, 3, 3),
            *vision_tower(inside.vision, "model.vision_model"),
        ),
        dense("model.aligner.vision_proj", inside.vision.size("hidden_size"), half),
        dense("model.aligner.high_res_vision_proj", 4 * channels, half),
        dense("model.aligner.proj", hidden, hidden),
    )


MODEL_TYPES: dict[str, WrapperPlan] = {
    "deepseek_vl_hybrid": WrapperPlan(
        model_class="DeepseekVLHybridForConditionalGeneration",
        text=Inner(field="text_config", model_type="llama"),
        vision=Inner(field="vision_config", model_type="siglip_vision_model"),
        towers=towers,
        images=all_patches,
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
