"""Gemma 3, ShieldGemma 2 and PaliGemma: a SigLIP tower and one matrix to a Gemma language model.

Source: Gemma Team 2025, arXiv:2503.19786; Beyer et al. 2024, arXiv:2407.07726; the modelling files of
transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.image_rules import all_patches
from sizewise.plans.images import FixedTokens
from sizewise.plans.projectors import with_projector
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import vision_tower
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, either_tie, wrapper

TOWER, PROJECTOR = "model.vision_tower", "model.multi_modal_projector"
SIGLIP = Inner(field="vision_config", model_type="siglip_vision_model")
GEMMA3 = Inner(field="text_config", model_type="gemma3_text", fixed=True)


def pooled_tokens(inside: Inside) -> tuple[Tower, ...]:
    """Return Gemma 3's tower; patches are averaged, normed and multiplied with a matrix [in, out]."""
    features = inside.vision.size("hidden_size")
    return with_projector(
        vision_tower(inside.vision, TOWER),
        learned(f"{PROJECTOR}.mm_input_projection_weight", features, inside.text.hidden, role="projector"),
        norm(f"{PROJECTOR}.mm_soft_emb_norm", features, "rms"),
    )


def pooled_count(inside: Inside) -> FixedTokens:
    """Return the number of pooled tokens: ``mm_tokens_per_image``."""
    return FixedTokens(count=inside.config.size("mm_tokens_per_image"))


def one_matrix(inside: Inside) -> tuple[Tower, ...]:
    """Return PaliGemma's tower and its matrix to ``projection_dim``."""
    features, outputs = inside.vision.size("hidden_size"), inside.config.size("projection_dim")
    return with_projector(vision_tower(inside.vision, TOWER), dense(f"{PROJECTOR}.linear", features, outputs))


GEMMA3_PLAN = WrapperPlan(
    model_class="Gemma3ForConditionalGeneration",
    text=GEMMA3,
    vision=SIGLIP,
    towers=pooled_tokens,
    images=pooled_count,
    also=("ShieldGemma2ForImageClassification",),
)

MODEL_TYPES: dict[str, WrapperPlan] = {
    "gemma3": GEMMA3_PLAN,
    "shieldgemma2": replace(
        GEMMA3_PLAN, tie=either_tie, text=Inner(field="text_config", model_type="gemma3_text")
    ),
    "paligemma": WrapperPlan(
        model_class="PaliGemmaForConditionalGeneration",
        text=Inner(field="text_config", model_type="gemma"),
        vision=SIGLIP,
        towers=one_matrix,
        images=all_patches,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
