"""Cohere's North vision models: parallel attention and feed-forward beside Qwen3-VL's tower.

Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Mapping
from dataclasses import replace

from sizewise.architecture import Architecture, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, decoder
from sizewise.plans.fields import Heads, Skeleton, checked_heads
from sizewise.plans.image_rules import merged_patches
from sizewise.plans.qwen_towers import qwen3_vit
from sizewise.plans.windows import Windows
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper


def split_heads(config: Config) -> Heads:
    """Return heads of size hidden / heads, whatever ``head_dim`` says."""
    query = config.size("num_attention_heads")
    return checked_heads(config, query, config.optional_size("num_key_value_heads") or query, None)


def listed_layers(config: Config, layers: int) -> list[bool]:
    """Let no layer slide that ``layer_types`` does not name."""
    return [False] * layers


TEXT = DecoderPlan(
    model_class="CohereCompassForCausalLM",
    attention=AttentionPlan(
        heads=split_heads,
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        windows=Windows(rule=listed_layers),
    ),
    norms=("input_layernorm",),
    skeleton=Skeleton(norm="layer_no_bias"),
)


def visual(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower; its mergers belong to it."""
    return (Tower(role="vision", body=qwen3_vit(inside.vision, "model.visual", deep=True)),)


WRAPPER = WrapperPlan(
    model_class="CohereCompassForConditionalGeneration",
    text=Inner(field="text_config", model_type="cohere_compass_text", only=True),
    vision=Inner(field="vision_config", model_type="cohere_compass_vision", only=True),
    towers=visual,
    images=merged_patches,
)

MODEL_TYPES: dict[str, DecoderPlan | WrapperPlan] = {"cohere_compass_text": TEXT, "cohere_compass": WRAPPER}


def _wrapper_plan(config: Config) -> WrapperPlan:
    """Return the plan; older files name the wrapper's own type in the tower's section."""
    vision = config.raw("vision_config")
    older = isinstance(vision, Mapping) and vision.get("model_type") == config.model_type
    return replace(WRAPPER, vision=replace(WRAPPER.vision, fixed=True, only=False)) if older else WRAPPER


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    if config.model_type == "cohere_compass":
        return wrapper(config, _wrapper_plan(config), resolve)
    return decoder(config, TEXT)
