"""Hunyuan-VL: native resolution, learned positions, a merger of convolutions with marks of its own.

Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Tower
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, decoder
from sizewise.plans.fields import Heads, heads
from sizewise.plans.images import MergedPatches
from sizewise.plans.tower_parts import convolution, dense, learned, norm, table
from sizewise.plans.towers import Body, patch_kernel
from sizewise.plans.vision_layers import VisionLayerPlan, VisionSizes, encoder
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, either_tie, wrapper

TOWER = "model.vision_tower"
MERGER = f"{TOWER}.patch_merger"
LEAST, MOST = 512 * 512, 2048 * 2048
"""Default limits of pixels: image_processing_hunyuan_vl.py."""
LAYER = VisionLayerPlan(attention_names=AttentionNames())


def full_heads(config: Config) -> Heads:
    """Read the heads of the text model; the class needs a ``head_dim``."""
    return heads(config, size_required=True)


def tower(config: Config) -> Body:
    """Return the encoder with positions for the largest square picture and a class token."""
    hidden, patch = config.size("hidden_size"), config.size("patch_size")
    count = config.size("num_attention_heads")
    if config.present("head_dim") or hidden % count == 0:
        size = config.size("head_dim") if config.present("head_dim") else hidden // count
    else:
        raise config.bad("num_attention_heads", f"is {count}, which does not divide {hidden}")
    sizes = VisionSizes(
        hidden=hidden,
        heads=Heads(query=count, key_value=count, size=size),
        width=config.size("intermediate_size"),
        layers=config.layers(),
    )
    positions = (config.size("max_image_size") // patch) ** 2 + 1
    return (
        patch_kernel(config, f"{TOWER}.embeddings.patch_embedding", bias=True),
        table(f"{TOWER}.embeddings.position_embedding", positions, hidden),
        encoder(f"{TOWER}.layers", sizes, LAYER),
    )


def merger(config: Config, outputs: int) -> Body:
    """Return the convolutions to 2*D and 4*D channels, a matrix, three marks and the end of a row."""
    hidden, merge = config.size("hidden_size"), config.size("spatial_merge_size")
    marks = (learned(f"{MERGER}.image_{mark}", outputs, role="projector") for mark in ("begin", "end", "sep"))
    return (
        convolution(f"{MERGER}.proj_conv", hidden, 2 * hidden, merge, merge, bias=True),
        convolution(f"{MERGER}.proj_out", 2 * hidden, 4 * hidden, 1, 1, bias=True),
        dense(f"{MERGER}.mlp", 4 * hidden, outputs),
        learned(f"{MERGER}.image_newline", 4 * hidden, role="projector"),
        *marks,
        norm(f"{MERGER}.before_rms", hidden, "rms"),
        norm(f"{MERGER}.after_rms", outputs, "rms"),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the encoder and its merger, as wide as the language model."""
    projector = Tower(role="projector", body=merger(inside.vision, inside.text.hidden))
    return Tower(role="vision", body=tower(inside.vision)), projector


def lined_patches(inside: Inside) -> MergedPatches:
    """Return the rule: as Qwen2-VL's, every row ends with a mark and two are around the picture."""
    vision = inside.vision
    return MergedPatches(
        patch=vision.size("patch_size"),
        merge=vision.size("spatial_merge_size"),
        least=LEAST,
        most=MOST,
        lined=True,
    )


def flat_tie(config: Config, text: Config) -> bool:
    """Tie where the wrapper or its section says so; a file without a section is always tied."""
    return not config.has_section("text_config") or either_tie(config, text)


MODEL_TYPES: dict[str, WrapperPlan | DecoderPlan] = {
    "hunyuan_vl": WrapperPlan(
        model_class="HunYuanVLForConditionalGeneration",
        text=Inner(field="text_config", model_type="hunyuan_vl_text", fixed=True),
        vision=Inner(field="vision_config", model_type="hunyuan_vl_vision", fixed=True),
        towers=towers,
        images=lined_patches,
        tie=flat_tie,
        flat_text=True,
    ),
    "hunyuan_vl_text": DecoderPlan(
        model_class="HunYuanVLTextModel",
        attention=AttentionPlan(
            heads=full_heads,
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            head_norm="per_head",
            names=AttentionNames(query_norm="query_layernorm", key_norm="key_layernorm"),
        ),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    plan = MODEL_TYPES[config.model_type]
    return decoder(config, plan) if isinstance(plan, DecoderPlan) else wrapper(config, plan, resolve)
