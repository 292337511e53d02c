"""Janus: a SigLIP tower to see with, and a VQ-GAN with embeddings and a head of its own to draw with.

Source: Chen et al. 2025, arXiv:2501.17811; the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, Tower
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.images import FixedTokens
from sizewise.plans.tower_parts import convolution, dense, norm, table
from sizewise.plans.towers import Body, patch_kernel, square_patches
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, no_parts, vision_sizes
from sizewise.plans.vq_gan import drawn_down, drawn_up
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, inner_section, wrapper

TOWER, CODES = "model.vision_model", "model.vqmodel"
MARKS = 2
DRAWING = Inner(field="vq_config", model_type="janus_vqgan", fixed=True)


def sight(config: Config) -> Body:
    """Return the tower; queries and keys have a LayerNorm over all heads where it is asked for."""
    hidden = config.size("hidden_size")
    width = int(hidden * config.ratio("mlp_ratio"))
    plan = VisionLayerPlan(
        attention_names=AttentionNames(output="projection_layer"), qkv_bias=config.flag("attention_bias")
    )
    norms = (norm("self_attn.q_norm", hidden), norm("self_attn.k_norm", hidden))
    normed = config.flag("use_qk_norm")
    return (
        patch_kernel(config, f"{TOWER}.embeddings.patch_embedding", bias=True),
        table(f"{TOWER}.embeddings.position_embedding", square_patches(config), hidden),
        encoder(
            f"{TOWER}.encoder.layers",
            vision_sizes(config, width=width),
            plan,
            extra=(lambda index: norms) if normed else no_parts,
        ),
        norm(f"{TOWER}.post_layernorm", hidden),
    )


def chain(name: str, inputs: int, outputs: int, layers: int) -> tuple[Part, ...]:
    """Return layers of projection, of which only the first has another input."""
    further = (dense(f"{name}.hidden_layers.{index}", outputs, outputs) for index in range(layers - 1))
    return dense(f"{name}.fc1", inputs, outputs), *further


def drawing(config: Config) -> Body:
    """Return the VQ-GAN: both halves, the book of codes, and the convolutions before and after it."""
    codes, size = config.size("num_embeddings"), config.size("embed_dim")
    latent = config.size("latent_channels")
    return (
        *drawn_down(config, f"{CODES}.encoder"),
        table(f"{CODES}.quantize.embedding", codes, size),
        convolution(f"{CODES}.quant_conv", latent, size, 1, 1, bias=True),
        convolution(f"{CODES}.post_quant_conv", size, latent, 1, 1, bias=True),
        *drawn_up(config, f"{CODES}.decoder"),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower, the VQ-GAN, and what joins both to the language model."""
    vision, codes = inside.vision, inner_section(inside.config, DRAWING)
    count, size, width = codes.size("num_embeddings"), codes.size("embed_dim"), codes.size("projection_dim")
    projector = (
        *chain(
            "model.aligner", vision.size("hidden_size"), vision.size("projection_dim"), vision.layers("depth")
        ),
        table("model.generation_embeddings", count, size),
        *chain("model.generation_aligner", size, width, codes.layers()),
        dense("model.generation_head.proj_out", codes.size("image_token_embed_dim"), width),
        dense("model.generation_head.vision_head", width, count),
    )
    return (
        Tower(role="vision", body=(*sight(vision), *drawing(codes))),
        Tower(role="projector", body=projector),
    )


def marked_patches(inside: Inside) -> FixedTokens:
    """Return the patches of the tower and the marks around them (processing_janus.py)."""
    return FixedTokens(count=square_patches(inside.vision) + MARKS)


MODEL_TYPES: dict[str, WrapperPlan] = {
    "janus": WrapperPlan(
        model_class="JanusForConditionalGeneration",
        text=Inner(field="text_config", model_type="llama"),
        vision=Inner(field="vision_config", model_type="janus_vision_model", fixed=True),
        towers=towers,
        images=marked_patches,
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
