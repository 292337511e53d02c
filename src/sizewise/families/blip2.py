"""BLIP-2 and InstructBLIP: a tower, a Q-Former with learned queries, and a whole language model behind it.

Source: Li et al. 2023, arXiv:2301.12597; Dai et al. 2023, arXiv:2305.06500; the modelling files of
transformers 5.23.
"""

from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Tower
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.families import Resolve
from sizewise.plans.fields import chosen_class, equal_heads
from sizewise.plans.images import FixedTokens
from sizewise.plans.q_former import q_former, text_tables
from sizewise.plans.tower_parts import convolution, dense, learned, norm
from sizewise.plans.towers import Body, square_patches
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, inner_section

COLOURS = 3
KNOWN_TEXTS = ("opt", "t5", "llama")
"""Language models of the published checkpoints."""
TEXT = Inner(field="text_config", model_type="opt")
INNER = (("vision", "vision_model"), ("qformer", "qformer"))
"""Inner configurations, and the ends of their types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BlipPlan:
    """The class of a type, the prefix of its inner types, and whether the Q-Former reads the prompt."""

    model_class: str
    prefix: str
    reads_text: bool = False
    pictures: bool = True
    """It is given pictures, not videos."""


def vision_tower(config: Config) -> Body:
    """Return the tower: positions and class token as plain tensors, one matrix of queries, keys, values."""
    name, hidden = "vision_model", config.size("hidden_size")
    patch = config.size("patch_size")
    plan = VisionLayerPlan(
        attention_names=AttentionNames(fused="qkv", output="projection"), qkv_bias=config.flag("qkv_bias")
    )
    return (
        learned(f"{name}.embeddings.class_embedding", 1, 1, hidden),
        learned(f"{name}.embeddings.position_embedding", 1, square_patches(config) + 1, hidden),
        convolution(f"{name}.embeddings.patch_embedding", COLOURS, hidden, patch, patch, bias=True),
        encoder(f"{name}.encoder.layers", vision_sizes(config), plan),
        norm(f"{name}.post_layernorm", hidden),
    )


def former(config: Config, plan: BlipPlan, patch_width: int) -> Body:
    """Return the Q-Former; where it reads text it has tables of tokens and positions."""
    heads = equal_heads(config)
    hidden = heads.query * heads.size
    if plan.reads_text:
        layers = q_former(config, "qformer", hidden=hidden, patch_width=patch_width, reads_text=True)
        return (*text_tables(config, "qformer", hidden), *layers)
    reads = config.flag("use_qformer_text_input")
    layers = q_former(config, "qformer", hidden=hidden, patch_width=patch_width, reads_text=reads)
    return (norm("qformer.layernorm", hidden), *layers)


def language_model(config: Config, resolve: Resolve) -> Architecture:
    """Return the language model with its head, all below one module.

    Raises InputError (unsupported_architecture) for a type that no published checkpoint has.
    """
    inner = inner_section(config, TEXT, {"architectures": None})
    if inner.model_type not in KNOWN_TEXTS:
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: a language model of type {shorten(inner.model_type)!r} is not "
            f"modelled; known are {', '.join(KNOWN_TEXTS)}",
        )
    text = resolve(inner)
    return replace(text, body=tuple(replace(item, name=f"language_model.{item.name}") for item in text.body))


MODEL_TYPES: dict[str, BlipPlan] = {
    "blip-2": BlipPlan(model_class="Blip2ForConditionalGeneration", prefix="blip_2"),
    "instructblip": BlipPlan(
        model_class="InstructBlipForConditionalGeneration", prefix="instructblip", reads_text=True
    ),
    "instructblipvideo": BlipPlan(
        model_class="InstructBlipVideoForConditionalGeneration",
        prefix="instructblipvideo",
        reads_text=True,
        pictures=False,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    plan = MODEL_TYPES[config.model_type]
    chosen_class(config, (plan.model_class,), plan.model_class)
    fixed = (
        Inner(field=f"{kind}_config", model_type=f"{plan.prefix}_{name}", fixed=True) for kind, name in INNER
    )
    vision, queries = (inner_section(config, inner) for inner in fixed)
    text, width = language_model(config, resolve), vision.size("hidden_size")
    count, hidden = config.size("num_query_tokens"), queries.size("hidden_size")
    projector = (
        learned("query_tokens", 1, count, hidden, role="projector"),
        *former(queries, plan, width),
        dense("language_projection", hidden, text.hidden),
    )
    return replace(
        text,
        model_class=plan.model_class,
        towers=(Tower(role="vision", body=vision_tower(vision)), Tower(role="projector", body=projector)),
        images=FixedTokens(count=count) if plan.pictures else None,
    )
