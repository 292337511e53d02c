"""Qwen2.5-Omni and Qwen3-Omni, the thinkers: a language model that sees and listens.

The talker and the vocoder of the full models are classes of their own. Source: Xu et al. 2025,
arXiv:2503.20215; Xu et al. 2025, arXiv:2509.17765; the modelling files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.audio_rules import chunked_tokens, qwen2_omni_tokens
from sizewise.plans.audio_towers import omni3_encoder, omni_encoder
from sizewise.plans.image_rules import merged_patches
from sizewise.plans.qwen_towers import omni3_vit, omni_vit
from sizewise.plans.towers import TowerBuilder
from sizewise.plans.wrappers import Heard, Inner, Inside, SoundPlan, WrapperPlan, wrapper


def seeing(build: TowerBuilder) -> Callable[[Inside], tuple[Tower, ...]]:
    """Return a builder of the vision tower; its merger belongs to it."""

    def towers(inside: Inside) -> tuple[Tower, ...]:
        return (Tower(role="vision", body=build(inside.vision, "model.visual")),)

    return towers


def listening(build: TowerBuilder) -> Callable[[Heard], tuple[Tower, ...]]:
    """Return a builder of the audio tower; its projection belongs to it."""

    def towers(heard: Heard) -> tuple[Tower, ...]:
        return (Tower(role="audio", body=build(heard.sound, "model.audio_tower")),)

    return towers


def section(field: str, model_type: str) -> Inner:
    """Return an inner configuration, which is always of that type."""
    return Inner(field=field, model_type=model_type, fixed=True)


MODEL_TYPES: dict[str, WrapperPlan] = {
    "qwen2_5_omni_thinker": WrapperPlan(
        model_class="Qwen2_5OmniThinkerForConditionalGeneration",
        text=section("text_config", "qwen2_5_omni_text"),
        vision=section("vision_config", "qwen2_5_omni_vision_encoder"),
        towers=seeing(omni_vit),
        images=merged_patches,
        sound=SoundPlan(
            inner=section("audio_config", "qwen2_5_omni_audio_encoder"),
            towers=listening(omni_encoder),
            tokens=qwen2_omni_tokens,
        ),
    ),
    "qwen3_omni_moe_thinker": WrapperPlan(
        model_class="Qwen3OmniMoeThinkerForConditionalGeneration",
        text=section("text_config", "qwen3_omni_moe_text"),
        vision=section("vision_config", "qwen3_omni_moe_vision_encoder"),
        towers=seeing(omni3_vit),
        images=merged_patches,
        sound=SoundPlan(
            inner=section("audio_config", "qwen3_omni_moe_audio_encoder"),
            towers=listening(omni3_encoder),
            tokens=chunked_tokens,
        ),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
