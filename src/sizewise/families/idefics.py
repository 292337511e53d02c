"""Idefics 2 and 3, and SmolVLM: a SigLIP tower; a perceiver resampler, or patches joined by pixel shuffle.

Source: Laurençon et al. 2024, arXiv:2405.02246 and arXiv:2408.12637; the modelling files of
transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, Stack, Tower, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.projectors import with_projector
from sizewise.plans.tiles import SplitTiles
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import plain_siglip, square_patches
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, inner_section, wrapper

TOWER, CONNECTOR = "model.vision_model", "model.connector"
PERCEIVER = Inner(field="perceiver_config", model_type="idefics2_perceiver", fixed=True)
WIDENING = 4
"""The feed-forward layers of the resampler are as many times as wide as its hidden size."""


def shuffled(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and the matrix over a square of ``scale_factor`` x ``scale_factor`` patches."""
    joined = inside.vision.size("hidden_size") * inside.config.size("scale_factor") ** 2
    matrix = dense(f"{CONNECTOR}.modality_projection.proj", joined, inside.text.hidden, bias=False)
    return with_projector(plain_siglip(inside.vision, TOWER), matrix)


def split_tiles(inside: Inside) -> SplitTiles:
    """Return the rule of Idefics 3: tiles of the tower's size, ``scale_factor`` squared patches a token."""
    per_tile = square_patches(inside.vision) // inside.config.size("scale_factor") ** 2
    return SplitTiles(side=inside.vision.size("image_size"), per_tile=per_tile)


def resampled(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower, a gated projection as wide as the text model's layers, and the resampler."""
    name = f"{CONNECTOR}.modality_projection"
    features, hidden = inside.vision.size("hidden_size"), inside.text.hidden
    width = inside.text_config.size("intermediate_size")
    projector = (
        dense(f"{name}.gate_proj", features, width, bias=False),
        dense(f"{name}.up_proj", features, width, bias=False),
        dense(f"{name}.down_proj", width, hidden, bias=False),
        *resampler(inner_section(inside.config, PERCEIVER), f"{CONNECTOR}.perceiver_resampler", hidden),
    )
    return (
        Tower(role="vision", body=plain_siglip(inside.vision, TOWER)),
        Tower(role="projector", body=projector),
    )


def resampler(config: Config, name: str, hidden: int) -> tuple[Part | Stack, ...]:
    """Return a perceiver as wide as the text model: latents that attend to the patches, layer by layer."""
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=config.size("resampler_n_heads"),
        kv_heads=config.size("num_key_value_heads"),
        head_size=config.size("resampler_head_dim"),
        cached=False,
    )
    root = Norm(width=hidden)
    parts = (
        Part(name="input_latents_norm", component=root),
        Part(name="input_context_norm", component=root),
        Part(name="self_attn", component=attention),
        Part(name="post_attention_layernorm", component=root),
        Part(name="mlp", component=FeedForward(hidden=hidden, width=WIDENING * hidden)),
    )
    layers = config.layers("resampler_depth")
    return (
        learned(f"{name}.latents", config.size("resampler_n_latents"), hidden, role="projector"),
        stack(f"{name}.layers", [0] * layers, lambda index: parts),
        norm(f"{name}.norm", hidden, "rms"),
    )


MODEL_TYPES: dict[str, WrapperPlan] = {
    "idefics2": WrapperPlan(
        model_class="Idefics2ForConditionalGeneration",
        text=Inner(field="text_config", model_type="mistral"),
        vision=Inner(field="vision_config", model_type="idefics2_vision", fixed=True),
        towers=resampled,
        new="model.text_model",
    ),
    "idefics3": WrapperPlan(
        model_class="Idefics3ForConditionalGeneration",
        text=Inner(field="text_config", model_type="llama"),
        vision=Inner(field="vision_config", model_type="idefics3_vision", fixed=True),
        towers=shuffled,
        images=split_tiles,
        new="model.text_model",
    ),
    "smolvlm": WrapperPlan(
        model_class="SmolVLMForConditionalGeneration",
        text=Inner(field="text_config", model_type="llama"),
        vision=Inner(field="vision_config", model_type="smolvlm_vision", fixed=True),
        towers=shuffled,
        images=split_tiles,
        new="model.text_model",
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
