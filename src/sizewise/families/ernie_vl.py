"""ERNIE 4.5 VL: every expert layer has one set of experts for text and another for pictures.

Source: ERNIE 4.5 technical report, Baidu 2025, section 2; the modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from functools import partial

from sizewise.architecture import Architecture, Part, Tower, stack
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.configuration import SIZE_LIMIT, Config
from sizewise.families import Resolve
from sizewise.plans.experts import active_experts, listed_or_after_first
from sizewise.plans.fields import causal_model, heads
from sizewise.plans.images import MergedPatches
from sizewise.plans.projectors import with_projector
from sizewise.plans.tower_parts import dense, norm
from sizewise.plans.towers import Body
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

TOWER, RESAMPLER = "model.vision_tower", "model.resampler_model"
EXPERT_WIDTHS = (1536, 512)
"""Widths of an expert for text and for pictures where a file does not say them."""
MOST = 28 * 28 * 6177
"""Default limit of pixels: image_processing_ernie4_5_vl_moe.py."""
CORRECTION = "moe_statics.e_score_correction_bias"
LAYER = VisionLayerPlan(
    attention="attn",
    attention_names=AttentionNames(fused="qkv", output="proj"),
    norms=("norm1", "norm2"),
)

text_heads = partial(heads, kv_required=True)


def language_model(config: Config) -> Architecture:
    """Return the text model; a token of text uses no experts for pictures."""
    sparse = listed_or_after_first(config, config.layers())
    layers = stack("model.layers", sparse, lambda index: tuple(_layer(config, sparse=sparse[index])))
    return causal_model(config, "Ernie4_5_VLMoeTextModel", layers)


def _layer(config: Config, *, sparse: bool) -> Iterator[Part]:
    """Yield attention, the dense feed-forward layer or the experts, and norms."""
    hidden, bias, counts = config.size("hidden_size"), config.flag("use_bias"), text_heads(config)
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
    )
    yield Part(name="self_attn", component=attention)
    if sparse:
        yield from _experts(config, hidden, bias=bias)
    else:
        dense_layer = FeedForward(hidden=hidden, width=config.size("intermediate_size"), bias=bias)
        yield Part(name="mlp", component=dense_layer)
    yield Part(name="input_layernorm", component=Norm(width=hidden))
    yield Part(name="post_attention_layernorm", component=Norm(width=hidden))


def _experts(config: Config, hidden: int, *, bias: bool) -> Iterator[Part]:
    """Yield both sets of experts with their routers, and the shared experts."""
    text_width, picture_width = _widths(config)
    count = config.size("moe_num_experts")
    active = active_experts(config, "moe_k", count)
    shared = config.count("moe_num_shared_experts") * text_width
    for name, width, used in (("text_moe", text_width, active), ("vision_moe", picture_width, 0)):
        router = Router(hidden=hidden, experts=count, correction=CORRECTION, idle=used == 0)
        routed = Experts(hidden=hidden, width=width, experts=count, active=used)
        yield Part(name=f"mlp.{name}.gate", component=router)
        yield Part(name=f"mlp.{name}.experts", component=routed)
    if shared:
        experts = FeedForward(hidden=hidden, width=shared, bias=bias, role="shared_expert")
        yield Part(name="mlp.shared_experts", component=experts)


def _widths(config: Config) -> tuple[int, int]:
    """Read the widths of an expert for text and for pictures."""
    listed = config.entries("moe_intermediate_size")
    if listed is None:
        return EXPERT_WIDTHS
    sizes = [size for size in listed if type(size) is int and 0 < size <= SIZE_LIMIT]
    if len(sizes) != 2 or len(listed) != 2:
        raise config.bad("moe_intermediate_size", "is not a list of two whole numbers")
    return sizes[0], sizes[1]


def tower(config: Config) -> Body:
    """Return the encoder: patches as a matrix, rotary positions."""
    hidden = config.size("hidden_size")
    values = config.size("in_channels") * config.size("patch_size") ** 2
    return (
        dense(f"{TOWER}.patch_embed.proj", values, hidden, bias=False),
        encoder(f"{TOWER}.blocks", vision_sizes(config, heads="num_heads", layers="depth"), LAYER),
        norm(f"{TOWER}.ln", hidden),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the encoder and the resampler: squares of patches, then pairs of frames, joined."""
    vision, hidden = inside.vision, inside.text.hidden
    joined = vision.size("hidden_size") * vision.size("spatial_merge_size") ** 2
    return with_projector(
        tower(vision),
        *_joining(f"{RESAMPLER}.spatial_linear", joined, joined),
        *_joining(f"{RESAMPLER}.temporal_linear", joined * vision.size("temporal_merge_size"), joined),
        dense(f"{RESAMPLER}.mlp", joined, hidden),
        norm(f"{RESAMPLER}.after_norm", hidden, "rms"),
    )


def _joining(name: str, inputs: int, outputs: int) -> tuple[Part, Part, Part]:
    return (
        dense(f"{name}.fc1", inputs, outputs),
        dense(f"{name}.fc2", outputs, outputs),
        norm(f"{name}.ln", outputs),
    )


def merged_squares(inside: Inside) -> MergedPatches:
    """Return the rule of Qwen2-VL with a higher limit."""
    vision = inside.vision
    return MergedPatches(patch=vision.size("patch_size"), merge=vision.size("spatial_merge_size"), most=MOST)


PLAN = WrapperPlan(
    model_class="Ernie4_5_VLMoeForConditionalGeneration",
    text=Inner(field="text_config", model_type="ernie4_5_vl_moe_text", fixed=True),
    vision=Inner(field="vision_config", model_type="ernie4_5_vl_moe_vision", fixed=True),
    towers=towers,
    images=merged_squares,
    also=("Ernie4_5_VL_MoeForConditionalGeneration",),
)

MODEL_TYPES: dict[str, WrapperPlan | None] = {"ernie4_5_vl_moe": PLAN, "ernie4_5_vl_moe_text": None}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the wrapper or of its text model."""
    plan = MODEL_TYPES[config.model_type]
    return language_model(config) if plan is None else wrapper(config, plan, resolve)
