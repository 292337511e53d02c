"""GLM-5.3-Flash: delta attention and latent attention with pooled indexers, hyper-connections, a tower.

No class is the language model alone: it is read from the section ``text_config``, or from the fields at
the top of the file. Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Mapping
from typing import Any

from sizewise.architecture import Architecture, Component, Part, Tower, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.hyper_connections import HyperConnection
from sizewise.components.kimi_delta_attention import KimiDeltaAttention
from sizewise.components.latent_attention import Indexer, LatentAttention
from sizewise.components.norms import Norm
from sizewise.configuration import SIZE_LIMIT, Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import causal_model
from sizewise.plans.image_rules import merged_frames
from sizewise.plans.qwen_towers import frames_and_patches
from sizewise.plans.tower_parts import convolution, dense, norm
from sizewise.plans.towers import Body
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

LINEAR, INDEXED, FULL, SHARED = "linear_attention", "indexed_attention", "full", "shared"
LAYER_KINDS = {LINEAR: LINEAR, INDEXED: INDEXED, "full_attention": INDEXED}
PERIOD = 4
"""Every how many layers attention is indexed where the file says nothing."""
DENSE_LAYERS = 3
"""Layers without experts where the file says nothing."""
DEFAULT_OFFSET = 2
EXPERTS = ExpertStyle(
    experts="n_routed_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
)
NAME = "model.visual"


def _merger(config: Config) -> tuple[Part, ...]:
    """Return the norm, the convolution that joins patches, and the gated merger."""
    hidden, outputs = config.size("hidden_size"), config.size("out_hidden_size")
    merge, width = config.size("spatial_merge_size"), config.size("projection_intermediate_size")
    return (
        norm(f"{NAME}.post_layernorm", hidden, "rms"),
        convolution(f"{NAME}.downsample", hidden, outputs, merge, merge, bias=True),
        dense(f"{NAME}.merger.proj", outputs, outputs, bias=False),
        norm(f"{NAME}.merger.post_projection_norm", outputs),
        dense(f"{NAME}.merger.gate_proj", outputs, width, bias=False),
        dense(f"{NAME}.merger.up_proj", outputs, width, bias=False),
        dense(f"{NAME}.merger.down_proj", width, outputs, bias=False),
    )


def visual(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower: queries and keys normed, all biases or none; its merger belongs to it."""
    config, bias = inside.vision, inside.vision.flag("attention_bias")
    sizes = vision_sizes(config, heads="num_heads", layers="depth")
    plan = VisionLayerPlan(
        attention="attn",
        attention_names=AttentionNames(fused="qkv", output="proj"),
        qkv_bias=bias,
        out_bias=bias,
        head_norm="per_head",
        mlp_names=FeedForwardNames(),
        gated=True,
        mlp_bias=bias,
        norms=("norm1", "norm2"),
        norm="rms",
    )
    body: Body = (
        frames_and_patches(config, f"{NAME}.patch_embed.proj", sizes.hidden, bias=True),
        encoder(f"{NAME}.blocks", sizes, plan),
        *_merger(config),
    )
    return (Tower(role="vision", body=body),)


PLAN = WrapperPlan(
    model_class="Glm5NextForConditionalGeneration",
    text=Inner(field="text_config", model_type="glm5_next_text", fixed=True),
    vision=Inner(field="vision_config", model_type="glm5_next_vision", fixed=True),
    towers=visual,
    images=merged_frames,
    flat_text=True,
)

MODEL_TYPES: dict[str, WrapperPlan] = {"glm5_next": PLAN}


def _mixers(config: Config) -> list[str]:
    """Return the mixer of each layer: the list, else every fourth attends by an index."""
    layers = config.layers()
    return config.per_layer("layer_types", layers, LAYER_KINDS) or [
        INDEXED if index % PERIOD == PERIOD - 1 else LINEAR for index in range(layers)
    ]


def _indexers(config: Config) -> list[bool]:
    """Tell which layers have an own indexer; the others use the choice of the last one that has.

    Said by ``indexer_types`` or ``index_topk_pattern`` (a list, or letters F and S), else every
    ``index_topk_freq``-th from ``index_skip_topk_offset`` on.
    """
    layers, kinds = config.layers(), {FULL: FULL, SHARED: SHARED}
    listed = config.per_layer("indexer_types", layers, kinds)
    pattern = config.raw("index_topk_pattern")
    if listed is None and isinstance(pattern, str):
        if len(pattern) != layers or not set(pattern) <= {"F", "S"}:
            raise config.bad("index_topk_pattern", f"is not one letter, F or S, for each of {layers} layers")
        return [letter == "F" for letter in pattern]
    if listed is None:
        listed = config.per_layer("index_topk_pattern", layers, kinds)
    if listed is not None:
        return [kind == FULL for kind in listed]
    step = max(config.count("index_topk_freq"), 1) if config.present("index_topk_freq") else 1
    given = config.present("index_skip_topk_offset")
    offset = config.count("index_skip_topk_offset") if given else DEFAULT_OFFSET
    return [max(index - offset + 1, 0) % step == 0 for index in range(layers)]


def _sparse_layers(config: Config) -> list[bool]:
    layers = config.layers()
    listed = config.per_layer("mlp_layer_types", layers, {"dense": "dense", "sparse": "sparse"})
    if listed is None:
        return [index >= DENSE_LAYERS for index in range(layers)]
    return [kind == "sparse" for kind in listed]


def _linear_size(config: Config, name: str, older: str) -> int:
    """Return a size of delta attention: the section ``linear_attn_config`` wins over the field."""
    section: Any = config.raw("linear_attn_config")
    if section is None:
        return config.size(name)
    if not isinstance(section, Mapping):
        raise config.bad("linear_attn_config", "is no object")
    value = section.get(older, config.raw(name))
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SIZE_LIMIT:
        raise config.bad(f"linear_attn_config.{older}", "is no whole number from 1")
    return value


def _delta_attention(config: Config) -> KimiDeltaAttention:
    heads = _linear_size(config, "linear_num_heads", "num_heads")
    return KimiDeltaAttention(
        hidden=config.size("hidden_size"),
        heads=heads,
        head_size=_linear_size(config, "linear_head_dim", "head_dim"),
        kernel=_linear_size(config, "linear_conv_kernel_dim", "short_conv_kernel_size"),
        decay_shape=(heads,),
    )


def _latent_attention(config: Config, *, indexed: bool) -> LatentAttention:
    """Return the attention without rotary positions; it sees the chosen pools and the incomplete last one."""
    heads, hidden, rank = (
        config.size("num_attention_heads"),
        config.size("hidden_size"),
        config.size("q_lora_rank"),
    )
    if (config.optional_size("num_key_value_heads") or heads) != heads:
        raise InputError(
            "inconsistent", f"{config.model_type} config: num_key_value_heads is not num_attention_heads"
        )
    if config.count("qk_rope_head_dim"):
        raise config.bad("qk_rope_head_dim", "is not 0, the only number that the class takes")
    pool = config.size("index_kpool")
    indexer = Indexer(
        hidden=hidden,
        query_rank=rank,
        heads=config.size("index_n_heads"),
        head_size=config.size("index_head_dim"),
        pool=pool,
    )
    tail = pool - 1 if config.flag("index_kpool_always_select_tail") else 0
    return LatentAttention(
        hidden=hidden,
        heads=heads,
        query_rank=rank,
        latent_rank=config.size("kv_lora_rank"),
        plain_size=config.size("qk_nope_head_dim"),
        rotary_size=0,
        value_size=config.size("v_head_dim"),
        bias=config.flag("attention_bias"),
        indexer=indexer if indexed else None,
        selected=config.size("index_topk") + tail,
    )


def _mixer(config: Config, kind: str, *, indexed: bool) -> Component:
    return _delta_attention(config) if kind == LINEAR else _latent_attention(config, indexed=indexed)


def _feed_forward(config: Config, *, sparse: bool) -> tuple[Part, ...]:
    if sparse:
        return expert_parts(config, EXPERTS, "mlp")
    layer = FeedForward(hidden=config.size("hidden_size"), width=config.size("intermediate_size"))
    return (Part(name="mlp", component=layer),)


def language_model(config: Config) -> Architecture:
    """Return the architecture of the language model as if a class built it alone."""
    hidden = config.size("hidden_size")
    connection = HyperConnection(hidden=hidden, streams=config.size("hc_mult"))
    mixers, sparse = _mixers(config), _sparse_layers(config)
    indexed = [mine and kind == INDEXED for mine, kind in zip(_indexers(config), mixers, strict=True)]

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=_mixer(config, mixers[index], indexed=indexed[index])),
            *_feed_forward(config, sparse=sparse[index]),
            Part(name="input_layernorm", component=Norm(width=hidden)),
            Part(name="post_attention_layernorm", component=Norm(width=hidden)),
            Part(name="attn_hc", component=connection),
            Part(name="ffn_hc", component=connection),
        )

    kinds = list(zip(mixers, sparse, indexed, strict=True))
    return causal_model(config, "Glm5NextTextModel", stack("model.layers", kinds, layer))


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a GLM-5.3-Flash configuration."""
    return wrapper(config, PLAN, language_model)
