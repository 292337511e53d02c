"""GLM-4.1V, GLM-4.5V, GLM-4.6V and GLM-OCR: a tower over space and time, a strided convolution, a merger.

Source: GLM-V Team 2025, arXiv:2507.01006; the modelling files of transformers 5.23.
"""

from collections.abc import Callable
from dataclasses import replace

from sizewise.architecture import Architecture, Part, Tower
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.image_rules import merged_frames
from sizewise.plans.qwen_towers import frames_and_patches
from sizewise.plans.tower_parts import convolution, dense, norm, table
from sizewise.plans.towers import Body, TowerBuilder, square_patches
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, either_tie, wrapper

NAME = "model.visual"


def layer_plan(config: Config) -> VisionLayerPlan:
    """Return the layers of GLM-V: RMS norms, gated feed-forward layers, biases on queries, keys, values."""
    return VisionLayerPlan(
        attention="attn",
        attention_names=AttentionNames(fused="qkv", output="proj"),
        qkv_bias=config.flag("attention_bias"),
        out_bias=False,
        mlp_names=FeedForwardNames(),
        gated=True,
        mlp_bias=False,
        norms=("norm1", "norm2"),
        norm="rms",
    )


def glm4v_vit(config: Config, name: str) -> Body:
    """Return GLM-4.1V's tower; its layers are as wide as the text model, its merger ``intermediate_size``."""
    width = config.size("out_hidden_size")
    sizes = vision_sizes(config, heads="num_heads", width=width, layers="depth")
    return (
        table(f"{name}.embeddings.position_embedding", square_patches(config), sizes.hidden),
        norm(f"{name}.post_conv_layernorm", sizes.hidden, "rms"),
        frames_and_patches(config, f"{name}.patch_embed.proj", sizes.hidden, bias=True),
        encoder(f"{name}.blocks", sizes, layer_plan(config)),
        *merger(config, name, config.size("intermediate_size")),
    )


def glm_ocr_vit(config: Config, name: str) -> Body:
    """Return GLM-OCR's tower: no learned positions, queries and keys normed, all biases or none."""
    sizes = vision_sizes(config, heads="num_heads", layers="depth")
    plan = layer_plan(config)
    plan = replace(plan, out_bias=plan.qkv_bias, mlp_bias=plan.qkv_bias, head_norm="per_head")
    return (
        frames_and_patches(config, f"{name}.patch_embed.proj", sizes.hidden, bias=True),
        encoder(f"{name}.blocks", sizes, plan),
        *merger(config, name, config.size("out_hidden_size") * config.size("in_channels")),
    )


def merger(config: Config, name: str, width: int) -> tuple[Part, ...]:
    """Return the norm, the convolution that joins patches, and the gated merger of that width."""
    hidden, outputs = config.size("hidden_size"), config.size("out_hidden_size")
    merge = config.size("spatial_merge_size")
    return (
        norm(f"{name}.post_layernorm", hidden, "rms"),
        convolution(f"{name}.downsample", hidden, outputs, merge, merge, bias=True),
        dense(f"{name}.merger.proj", outputs, outputs, bias=False),
        norm(f"{name}.merger.post_projection_norm", outputs),
        dense(f"{name}.merger.gate_proj", outputs, width, bias=False),
        dense(f"{name}.merger.up_proj", outputs, width, bias=False),
        dense(f"{name}.merger.down_proj", width, outputs, bias=False),
    )


def visual(build: TowerBuilder) -> Callable[[Inside], tuple[Tower, ...]]:
    """Return a builder of the tower; its merger belongs to it."""

    def towers(inside: Inside) -> tuple[Tower, ...]:
        return (Tower(role="vision", body=build(inside.vision, NAME)),)

    return towers


def own(name: str, model_class: str, build: TowerBuilder) -> WrapperPlan:
    """Return the plan of a type whose inner configurations are always of its own types."""
    return WrapperPlan(
        model_class=model_class,
        text=Inner(field="text_config", model_type=f"{name}_text", fixed=True),
        vision=Inner(field="vision_config", model_type=f"{name}_vision", fixed=True),
        towers=visual(build),
        images=merged_frames,
        tie=either_tie,
    )


GLM46V = WrapperPlan(
    model_class="Glm46VForConditionalGeneration",
    text=Inner(field="text_config", model_type="glm4v_text"),
    vision=Inner(field="vision_config", model_type="glm4v_vision", only=True),
    towers=visual(glm4v_vit),
    images=merged_frames,
)

MODEL_TYPES: dict[str, WrapperPlan] = {
    "glm4v": own("glm4v", "Glm4vForConditionalGeneration", glm4v_vit),
    "glm4v_moe": own("glm4v_moe", "Glm4vMoeForConditionalGeneration", glm4v_vit),
    "glm_ocr": own("glm_ocr", "GlmOcrForConditionalGeneration", glm_ocr_vit),
    "glm46v": GLM46V,
    "glmga": GLM46V,
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
