"""LFM2: gated short convolutions with attention in some layers, gated feed-forward or experts in all.

Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.components.short_convolution import ShortConvolution
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import Skeleton, causal_model, heads

MODEL_TYPES = {"lfm2": "Lfm2ForCausalLM", "lfm2_moe": "Lfm2MoeForCausalLM"}

LAYER_KINDS = {
    "conv": "conv",
    "full_attention": "full_attention",
    "attention": "full_attention",
}
ATTENTION_NAMES = AttentionNames(output="out_proj", query_norm="q_layernorm", key_norm="k_layernorm")
FEED_FORWARD_NAMES = FeedForwardNames(gate="w1", up="w3", down="w2")
EXPERTS = ExpertStyle(experts="num_experts", width="moe_intermediate_size")


def _kinds(config: Config) -> list[str]:
    """Return the mixer of every layer: ``layer_types``, else attention at ``full_attn_idxs``.

    Where both are missing every layer is attention.
    """
    layers = config.layers()
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    attention = config.indices("full_attn_idxs")
    if attention is None:
        return listed or ["full_attention"] * layers
    return listed or ["full_attention" if index in attention else "conv" for index in range(layers)]


def _width(config: Config) -> int:
    """Return the feed-forward width: two thirds, times a factor, rounded up to a multiple.

    The old name ``block_ff_dim`` wins; ``block_auto_adjust_ff_dim`` false takes the width as it is.
    """
    old = "block_ff_dim"
    width = config.size(old if config.given(old) else "intermediate_size")
    if not config.flag("block_auto_adjust_ff_dim"):
        return width
    width = 2 * width // 3
    if config.raw("block_ffn_dim_multiplier") is None:
        return width
    multiple = config.size("block_multiple_of")
    return -(-int(config.ratio("block_ffn_dim_multiplier") * width) // multiple) * multiple


def _convolution(config: Config) -> Part:
    mixer = ShortConvolution(
        hidden=config.size("hidden_size"),
        kernel=config.size("conv_L_cache"),
        bias=config.flag("conv_bias"),
    )
    return Part(name="conv", component=mixer)


def _attention(config: Config) -> Part:
    counts = heads(config, kv_required=True)
    mixer = GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        head_norm="per_head",
        names=ATTENTION_NAMES,
    )
    return Part(name="self_attn", component=mixer)


MIXERS = {"conv": _convolution, "full_attention": _attention}


def _dense(config: Config, width: int) -> tuple[Part, ...]:
    layer = FeedForward(hidden=config.size("hidden_size"), width=width, names=FEED_FORWARD_NAMES)
    return (Part(name="feed_forward", component=layer),)


def _mixer_kinds(config: Config) -> list[tuple[str, bool]]:
    """Return the mixer of each layer and whether it has experts; with experts ``layer_types`` is needed."""
    if config.model_type == "lfm2":
        return [(kind, False) for kind in _kinds(config)]
    layers, dense = config.layers(), config.count("num_dense_layers")
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    if listed is None:
        raise config.bad("layer_types", "is missing and the class has no default; list a kind per layer")
    return [(kind, index >= dense) for index, kind in enumerate(listed)]


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of an LFM2 configuration; the old name ``tie_embedding`` wins."""
    kinds = _mixer_kinds(config)
    mixers = {kind: MIXERS[kind](config) for kind in dict.fromkeys(mixer for mixer, _ in kinds)}
    norm = Norm(width=config.size("hidden_size"))
    width = _width(config) if config.model_type == "lfm2" else config.size("intermediate_size")

    def layer(index: int) -> tuple[Part, ...]:
        mixer, sparse = kinds[index]
        return (
            Part(name="operator_norm", component=norm),
            mixers[mixer],
            Part(name="ffn_norm", component=norm),
            *(expert_parts(config, EXPERTS, "feed_forward") if sparse else _dense(config, width)),
        )

    tied = config.flag("tie_embedding") if config.given("tie_embedding") else None
    skeleton = Skeleton(final_norm="model.embedding_norm", tied=tied)
    layers = stack("model.layers", kinds, layer)
    model = causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=skeleton)
    corrected = config.model_type == "lfm2_moe" and config.flag("use_expert_bias", default=True)
    return with_corrections(model) if corrected else model
