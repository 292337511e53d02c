"""LFM3: gated short convolutions between attention layers that see a window or everything.

Source: the configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.components.short_convolution import ShortConvolution
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model, heads, window

MODEL_TYPES = {"lfm3": "Lfm3ForCausalLM"}

LAYER_KINDS = {kind: kind for kind in ("conv", "full_attention", "sliding_attention")}
FEED_FORWARD_NAMES = FeedForwardNames(gate="w1", up="w3", down="w2")


def _kinds(config: Config) -> list[str]:
    """Return the mixer of every layer: ``layer_types``, else attention in layers 2, 4, 6 … by turns."""
    layers = config.layers()
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    if listed is not None:
        return listed
    turns = {2: "full_attention", 0: "sliding_attention"}
    return [turns.get(index % 4, "conv") if index else "conv" for index in range(layers)]


def _convolution(config: Config) -> tuple[Part, ...]:
    mixer = ShortConvolution(
        hidden=config.size("hidden_size"),
        kernel=config.size("conv_L_cache"),
        bias=config.flag("conv_bias"),
    )
    return (Part(name="conv", component=mixer),)


def _attention(config: Config, kind: str) -> tuple[Part, ...]:
    """Return the attention, and the gate that scales each head's output."""
    counts = heads(config, kv_required=True, size_required=True)
    mixer = GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=config.flag("attention_bias"),
        out_bias=config.flag("attention_bias"),
        head_norm="per_head",
        window=window(config, kind),
    )
    gate = Linear(inputs=config.size("hidden_size"), outputs=counts.query, role="attention")
    gates = [Part(name="self_attn.g_proj", component=gate)] if config.flag("use_attention_gate") else []
    return (Part(name="self_attn", component=mixer), *gates)


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of an LFM3 configuration."""
    kinds, hidden = _kinds(config), config.size("hidden_size")
    norm = Norm(width=hidden)
    names = ["operator_norm", "ffn_norm"]
    if config.flag("use_sandwich_norm"):
        names += ["post_operator_norm", "post_ffn_norm"]
    dense = FeedForward(hidden=hidden, width=config.size("intermediate_size"), names=FEED_FORWARD_NAMES)

    def layer(index: int) -> tuple[Part, ...]:
        kind = kinds[index]
        return (
            *(_convolution(config) if kind == "conv" else _attention(config, kind)),
            Part(name="feed_forward", component=dense),
            *(Part(name=name, component=norm) for name in names),
        )

    layers = stack("model.layers", kinds, layer)
    skeleton = Skeleton(final_norm="model.embedding_norm")
    return causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=skeleton)
