"""Kimi K2.5: a MoonViT tower over pictures and films, whose patches are merged by the projector.

Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Tower
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.images import MoonPatches
from sizewise.plans.projectors import with_projector
from sizewise.plans.tower_parts import convolution, dense, learned, norm
from sizewise.plans.towers import Body, pair
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

COLOURS = 3
LAYER = VisionLayerPlan(
    attention="attn", attention_names=AttentionNames(output="proj"), norms=("norm1", "norm2")
)


def tower(config: Config) -> Body:
    """Return the tower: a learned grid of positions, rotary positions besides."""
    name, hidden = "model.vision_tower", config.size("hidden_size")
    rows, columns = config.size("pos_emb_height"), config.size("pos_emb_width")
    return (
        convolution(f"{name}.patch_embed.proj", COLOURS, hidden, *pair(config, "patch_size"), bias=True),
        learned(f"{name}.patch_embed.pos_emb.position_embeddings", rows, columns, hidden),
        encoder(f"{name}.layers", vision_sizes(config), LAYER),
        norm(f"{name}.final_layernorm", hidden),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and its projector over merged patches."""
    rows, columns = pair(inside.vision, "merge_kernel_size")
    merged = inside.vision.size("hidden_size") * rows * columns
    return with_projector(
        tower(inside.vision),
        norm("model.mm_projector.pre_norm", inside.config.size("projection_hidden_size")),
        dense("model.mm_projector.in_proj", merged, merged),
        dense("model.mm_projector.out_proj", merged, inside.text.hidden),
    )


def moon_patches(inside: Inside) -> MoonPatches | None:
    """Return the rule of Kimi's processor, which merges squares."""
    patch, merge = pair(inside.vision, "patch_size"), pair(inside.vision, "merge_kernel_size")
    square = patch[0] == patch[1] and merge[0] == merge[1]
    return MoonPatches(patch=patch[0], merge=merge[0]) if square else None


MODEL_TYPES: dict[str, WrapperPlan] = {
    "kimi_k25": WrapperPlan(
        model_class="Kimi_K25ForConditionalGeneration",
        text=Inner(field="text_config", model_type="deepseek_v3"),
        vision=Inner(field="vision_config", model_type="kimi_k25_vision", fixed=True),
        towers=towers,
        images=moon_patches,
        also=("KimiK25ForConditionalGeneration",),
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
