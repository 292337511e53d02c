"""Phi-4-multimodal: Phi-3's language model with a SigLIP tower and a conformer under its embedding.

The adapters that published files hold for pictures and sound are no parameters of the class.
Source: Abouelenin et al. 2025, arXiv:2503.01743; the modelling file of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Part, Tower
from sizewise.components.attention_pooling import AttentionPooling
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.audio_rules import phi4_tokens
from sizewise.plans.conformers import phi4_conformer
from sizewise.plans.fields import chosen_class
from sizewise.plans.tower_parts import dense, learned
from sizewise.plans.towers import Body, plain_siglip
from sizewise.plans.wrappers import Heard, Inner, inner_section

MODEL_TYPES = {"phi4_multimodal": "Phi4MultimodalForCausalLM"}

EXTENDED = "model.embed_tokens_extend"
IMAGE, SOUND = f"{EXTENDED}.image_embed", f"{EXTENDED}.audio_embed"
VISION = Inner(field="vision_config", model_type="phi4_multimodal_vision", fixed=True)
AUDIO = Inner(field="audio_config", model_type="phi4_multimodal_audio", fixed=True)
TEXT_FIELDS = (
    "vocab_size",
    "hidden_size",
    "intermediate_size",
    "num_hidden_layers",
    "num_attention_heads",
    "num_key_value_heads",
    "max_position_embeddings",
    "tie_word_embeddings",
    "sliding_window",
)
"""Fields of the language model, with the defaults of this type and not of Phi-3."""


def text_model(config: Config, resolve: Resolve) -> Architecture:
    """Return the language model."""
    fields = {name: config.raw(name) for name in TEXT_FIELDS}
    return resolve(config.read_as("phi3", {**fields, "architectures": None}))


def vision_tower(config: Config) -> Body:
    """Return the SigLIP tower, always with its pooling head."""
    name = f"{IMAGE}.img_processor"
    head = AttentionPooling(hidden=config.size("hidden_size"), width=config.size("intermediate_size"))
    return (*plain_siglip(config, name), Part(name=f"{name}.head", component=head))


def image_projector(features: int, hidden: int) -> tuple[Part, ...]:
    """Return the vectors that end rows and tiles, and the two layers of the projector."""
    return (
        learned(f"{IMAGE}.global_img_feature_extensor", 1, 1, features, role="projector"),
        learned(f"{IMAGE}.sub_img_feature_extensor", 1, 1, 1, features, role="projector"),
        dense(f"{IMAGE}.img_projection_up", features, hidden),
        dense(f"{IMAGE}.img_projection_down", hidden, hidden),
    )


def sound_projectors(features: int, hidden: int) -> tuple[Part, ...]:
    """Return the projectors: one for sound alone, one for sound beside pictures."""
    return tuple(
        dense(f"{SOUND}.{step}_proj_for_{use}", inputs, hidden)
        for use in ("speech", "vision_speech")
        for step, inputs in (("up", features), ("down", hidden))
    )


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    model_class = MODEL_TYPES[config.model_type]
    chosen_class(config, [model_class], model_class)
    text = text_model(config, resolve)
    vision, sound = inner_section(config, VISION), inner_section(config, AUDIO)
    joined = sound.size("hidden_size") * sound.size("downsample_rate")
    projectors = (
        *image_projector(vision.size("hidden_size"), text.hidden),
        *sound_projectors(joined, text.hidden),
    )
    return replace(
        text,
        model_class=model_class,
        towers=(
            Tower(role="vision", body=vision_tower(vision)),
            Tower(role="audio", body=phi4_conformer(sound, f"{SOUND}.encoder")),
            Tower(role="projector", body=projectors),
        ),
        audio=phi4_tokens(Heard(config=config, sound=sound, text=text)),
    )
