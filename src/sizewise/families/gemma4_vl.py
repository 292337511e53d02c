"""Gemma 4: a tower of native resolution whose patches are pooled, and one matrix to the text model.

Its linear layers stand in wrappers that may clip their inputs and outputs; the limits are buffers.
The small models have an audio tower too. Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Tower
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.audio import QuarteredFrames
from sizewise.plans.conformers import gemma4_conformer
from sizewise.plans.fields import Heads
from sizewise.plans.images import PooledPatches
from sizewise.plans.projectors import sound_with_projector, with_projector
from sizewise.plans.tower_parts import dense, learned
from sizewise.plans.towers import Body
from sizewise.plans.vision_layers import VisionLayerPlan, VisionSizes, encoder
from sizewise.plans.wrappers import Heard, Inner, Inside, SoundPlan, WrapperPlan, wrapper

COLOURS = 3
POOLED = 280
"""Most tokens of a picture by default: image_processing_gemma4.py."""
LAYER = VisionLayerPlan(
    attention_names=AttentionNames(
        query="q_proj.linear", key="k_proj.linear", value="v_proj.linear", output="o_proj.linear"
    ),
    qkv_bias=False,
    out_bias=False,
    head_norm="per_head",
    mlp_names=FeedForwardNames(gate="gate_proj.linear", up="up_proj.linear", down="down_proj.linear"),
    gated=True,
    mlp_bias=False,
    norms=(
        "input_layernorm",
        "post_attention_layernorm",
        "pre_feedforward_layernorm",
        "post_feedforward_layernorm",
    ),
    norm="rms",
)


def tower(config: Config, name: str) -> Body:
    """Return the tower: patches as a matrix, two tables of positions, for columns and rows."""
    hidden, patch = config.size("hidden_size"), config.size("patch_size")
    heads = Heads(
        query=config.size("num_attention_heads"),
        key_value=config.size("num_key_value_heads"),
        size=config.size("head_dim"),
    )
    width, layers = config.size("intermediate_size"), config.layers()
    sizes = VisionSizes(hidden=hidden, heads=heads, width=width, layers=layers)
    positions = config.size("position_embedding_size")
    return (
        dense(f"{name}.patch_embedder.input_proj", COLOURS * patch**2, hidden, bias=False),
        learned(f"{name}.patch_embedder.position_embedding_table", 2, positions, hidden),
        encoder(f"{name}.encoder.layers", sizes, LAYER),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and its projector."""
    features, hidden = inside.vision.size("hidden_size"), inside.text.hidden
    matrix = dense("model.embed_vision.embedding_projection", features, hidden, bias=False)
    return with_projector(tower(inside.vision, "model.vision_tower"), matrix)


def pooled_patches(inside: Inside) -> PooledPatches:
    """Return the rule of Gemma 4: squares of ``pooling_kernel_size`` patches."""
    pool = inside.vision.size("pooling_kernel_size")
    return PooledPatches(patch=inside.vision.size("patch_size"), pool=pool, most=POOLED)


def audio_towers(heard: Heard) -> tuple[Tower, ...]:
    """Return the audio tower and its projector."""
    features, hidden = heard.sound.size("output_proj_dims"), heard.text.hidden
    matrix = dense("model.embed_audio.embedding_projection", features, hidden, bias=False)
    return sound_with_projector(gemma4_conformer(heard.sound, "model.audio_tower"), matrix)


def quartered_frames(heard: Heard) -> QuarteredFrames:
    """Return the rule of Gemma 4 for sound."""
    return QuarteredFrames()


MODEL_TYPES: dict[str, WrapperPlan] = {
    "gemma4": WrapperPlan(
        model_class="Gemma4ForConditionalGeneration",
        text=Inner(field="text_config", model_type="gemma4_text", fixed=True),
        vision=Inner(field="vision_config", model_type="gemma4_vision", fixed=True, optional=True),
        towers=towers,
        images=pooled_patches,
        sound=SoundPlan(
            inner=Inner(field="audio_config", model_type="gemma4_audio", fixed=True, optional=True),
            towers=audio_towers,
            tokens=quartered_frames,
        ),
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
