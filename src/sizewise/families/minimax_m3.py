"""MiniMax-M3: attention whose sparse layers pick blocks of keys, experts with one shared expert.

Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Mapping
from typing import Any

from sizewise.architecture import Architecture, Part, Tower, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.key_indexer import KeyIndexer
from sizewise.components.norms import Norm
from sizewise.configuration import LAYER_LIMIT, SIZE_LIMIT, Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import Heads, causal_model, heads
from sizewise.plans.tower_parts import convolution, dense, norm
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, either_tie, wrapper

SPARSE, FULL = "minimax_m3_sparse", "full_attention"
ATTENTIONS = {SPARSE: SPARSE, FULL: FULL}
FEED_FORWARDS = {"sparse": "sparse", "dense": "dense"}
OLDER_FIELDS = {
    "index_n_heads": "sparse_num_index_heads",
    "index_head_dim": "sparse_index_dim",
    "index_block_size": "sparse_block_size",
    "index_topk_blocks": "sparse_topk_blocks",
}
"""Names of the indexer's fields in the section ``sparse_attention_config``, where they win."""
EXPERTS = ExpertStyle()
FUSED = FeedForwardNames(fused="gate_up_proj")


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and the two perceptrons that make one token of a square of s^2 patches."""
    config, hidden = inside.vision, inside.text.hidden
    sizes = vision_sizes(config)
    frames, patch = config.size("temporal_patch_size"), config.size("patch_size")
    tower, joint = "model.vision_tower", "model.multi_modal_projector"
    width, merged = (
        inside.config.size("projector_hidden_size"),
        config.size("spatial_merge_size") ** 2 * hidden,
    )
    vision = (
        convolution(
            f"{tower}.embeddings.proj", config.size("num_channels"), sizes.hidden, frames, patch, patch
        ),
        norm(f"{tower}.pre_layrnorm", sizes.hidden),
        encoder(f"{tower}.layers", sizes, VisionLayerPlan()),
    )
    projector = (
        dense(f"{joint}.linear_1", sizes.hidden, width),
        dense(f"{joint}.linear_2", width, hidden),
        dense(f"{joint}.merge_linear_1", merged, width),
        dense(f"{joint}.merge_linear_2", width, hidden),
    )
    return Tower(role="vision", body=vision), Tower(role="projector", body=projector)


WRAPPER = WrapperPlan(
    model_class="MiniMaxM3SparseForConditionalGeneration",
    text=Inner(field="text_config", model_type="minimax_m3_vl_text", only=True),
    vision=Inner(field="vision_config", model_type="minimax_m3_vl_vision", fixed=True),
    towers=towers,
    tie=either_tie,
)

MODEL_TYPES: dict[str, str] = {
    "minimax_m3_vl_text": "MiniMaxM3VLForCausalLM",
    "minimax_m3_vl": WRAPPER.model_class,
}


def _older_section(config: Config) -> Mapping[str, Any]:
    section = config.raw("sparse_attention_config")
    if section is not None and not isinstance(section, Mapping):
        raise config.bad("sparse_attention_config", "is no object")
    return section or {}


def _index_size(config: Config, name: str) -> int:
    """Return a size of the indexer: the older section wins over the field."""
    older = _older_section(config)
    if OLDER_FIELDS[name] not in older:
        return config.size(name)
    value = older[OLDER_FIELDS[name]]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SIZE_LIMIT:
        raise config.bad("sparse_attention_config", f"has no whole number from 1 for {OLDER_FIELDS[name]}")
    return value


def _kinds(config: Config, name: str, known: Mapping[str, str], older: Any, default: str) -> list[str]:
    """Return a kind per layer: the list, else the older list of marks, true for the sparse kind."""
    layers = config.layers()
    listed = config.per_layer(name, layers, known)
    if listed is not None:
        return listed
    if older is None:
        return [default] * layers
    marked, other = known
    if not isinstance(older, list | tuple) or len(older) > LAYER_LIMIT:
        raise config.bad(name, "is missing and its older form is no list")
    if len(older) != layers:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: {len(older)} marks of sparse layers for {layers} layers",
        )
    return [marked if mark else other for mark in older]


def _attention(config: Config, counts: Heads, kind: str) -> tuple[Part, ...]:
    """Return the attention, with its indexer where it is sparse."""
    hidden, sparse = config.size("hidden_size"), kind == SPARSE
    size = _index_size(config, "index_head_dim")
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        head_norm="per_head",
        reach=_index_size(config, "index_topk_blocks") * _index_size(config, "index_block_size")
        if sparse
        else None,
        index_size=size if sparse else 0,
    )
    indexer = KeyIndexer(hidden=hidden, heads=_index_size(config, "index_n_heads"), head_size=size)
    return (
        Part(name="self_attn", component=attention),
        *([Part(name="self_attn.indexer", component=indexer)] if sparse else []),
    )


def _feed_forward(config: Config, kind: str) -> tuple[Part, ...]:
    hidden = config.size("hidden_size")
    if kind == "dense":
        width = config.size("dense_intermediate_size")
        return (Part(name="mlp", component=FeedForward(hidden=hidden, width=width, names=FUSED)),)
    shared = FeedForward(
        hidden=hidden, width=config.size("shared_intermediate_size"), role="shared_expert", names=FUSED
    )
    return (*expert_parts(config, EXPERTS, "mlp"), Part(name="mlp.shared_experts", component=shared))


def language_model(config: Config) -> Architecture:
    """Return the architecture of the language model."""
    older = _older_section(config).get("sparse_attention_freq")
    attentions = _kinds(config, "layer_types", ATTENTIONS, older, FULL)
    experts = config.raw("moe_layer_freq")
    kinds = list(
        zip(attentions, _kinds(config, "mlp_layer_types", FEED_FORWARDS, experts, "sparse"), strict=True)
    )
    counts = heads(config, kv_required=True, size_required=True)
    layer_norm = Norm(width=config.size("hidden_size"))

    def layer(index: int) -> tuple[Part, ...]:
        attention, feed_forward = kinds[index]
        return (
            *_attention(config, counts, attention),
            *_feed_forward(config, feed_forward),
            Part(name="input_layernorm", component=layer_norm),
            Part(name="post_attention_layernorm", component=layer_norm),
        )

    return causal_model(config, MODEL_TYPES["minimax_m3_vl_text"], stack("model.layers", kinds, layer))


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    if config.model_type == "minimax_m3_vl":
        return wrapper(config, WRAPPER, resolve)
    return language_model(config)
