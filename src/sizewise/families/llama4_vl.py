"""Llama 4: a tower with class token, patches joined by pixel shuffle, and one matrix to the text model.

Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Tower
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.projectors import with_projector
from sizewise.plans.tiles import CanvasTiles
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import Body, square_patches
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, text_tie, wrapper

LAYER = VisionLayerPlan(
    attention_names=AttentionNames(), norms=("input_layernorm", "post_attention_layernorm")
)


def tower(config: Config) -> Body:
    """Return the tower with its adapter, whose two matrices have no bias."""
    name, hidden = "vision_model", config.size("hidden_size")
    values = config.size("num_channels") * config.size("patch_size") ** 2
    outputs = config.size("projector_output_dim")
    adapter = f"{name}.vision_adapter.mlp"
    return (
        learned(f"{name}.class_embedding", hidden),
        learned(f"{name}.positional_embedding_vlm", square_patches(config) + 1, hidden),
        dense(f"{name}.patch_embedding.linear", values, hidden, bias=False),
        norm(f"{name}.layernorm_pre", hidden),
        norm(f"{name}.layernorm_post", hidden),
        encoder(f"{name}.model.layers", vision_sizes(config), LAYER),
        dense(
            f"{adapter}.fc1",
            config.size("intermediate_size"),
            config.size("projector_input_dim"),
            bias=False,
        ),
        dense(f"{adapter}.fc2", outputs, outputs, bias=False),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and its projector."""
    inputs = inside.vision.size("vision_output_dim")
    matrix = dense("multi_modal_projector.linear_1", inputs, inside.text.hidden, bias=False)
    return with_projector(tower(inside.vision), matrix)


def tiles(inside: Inside) -> CanvasTiles:
    """Return the rule of Llama 4: pixel shuffle joins the patches of a tile by ``pixel_shuffle_ratio``."""
    joined = round(1 / inside.vision.ratio("pixel_shuffle_ratio") ** 2)
    per_tile = square_patches(inside.vision) // max(joined, 1)
    return CanvasTiles(side=inside.vision.size("image_size"), per_tile=per_tile)


MODEL_TYPES: dict[str, WrapperPlan] = {
    "llama4": WrapperPlan(
        model_class="Llama4ForConditionalGeneration",
        text=Inner(field="text_config", model_type="llama4_text", fixed=True),
        vision=Inner(field="vision_config", model_type="llama4_vision_model", fixed=True),
        towers=towers,
        images=tiles,
        tie=text_tie,
        text_class="Llama4ForCausalLM",
        new="language_model.model",
        head="language_model.lm_head",
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
