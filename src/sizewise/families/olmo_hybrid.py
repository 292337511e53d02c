"""OLMo Hybrid: gated delta nets with normed attention every fourth layer, gated feed-forward in all.

Source: the configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.gated_delta_net import GatedDeltaNet
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import causal_model, heads

MODEL_TYPES = {"olmo_hybrid": "OlmoHybridForCausalLM"}

LAYER_KINDS = {
    "linear_attention": "linear_attention",
    "full_attention": "full_attention",
    "mamba": "linear_attention",
    "attention": "full_attention",
}
PERIOD = 4
NORMS = {
    "linear_attention": ("input_layernorm", "post_attention_layernorm"),
    "full_attention": ("post_attention_layernorm", "post_feedforward_layernorm"),
}


def _kinds(config: Config) -> list[str]:
    """Return the mixer of each layer; the class wants at least one of both kinds."""
    layers = config.layers()
    kinds = config.per_layer("layer_types", layers, LAYER_KINDS)
    if kinds is None:
        kinds = ["linear_attention" if (i + 1) % PERIOD else "full_attention" for i in range(layers)]
        if "full_attention" not in kinds:
            kinds[-1] = "full_attention"
    if len(set(kinds)) < len(NORMS):
        raise InputError("inconsistent", "olmo_hybrid config: layers of one kind only; both are needed")
    return kinds


def _delta_net(config: Config) -> Part:
    """Return the delta net; null sizes are derived from the hidden size and the attention heads."""
    hidden, count = config.size("hidden_size"), config.size("num_attention_heads")
    key_heads = config.optional_size("linear_num_key_heads") or count
    key_size = config.optional_size("linear_key_head_dim") or max(3 * hidden // (4 * key_heads), 1)
    mixer = GatedDeltaNet(
        hidden=hidden,
        key_heads=key_heads,
        value_heads=config.optional_size("linear_num_value_heads") or count,
        key_size=key_size,
        value_size=config.optional_size("linear_value_head_dim") or 2 * key_size,
        kernel=config.size("linear_conv_kernel_dim"),
        fused=False,
        separate=True,
    )
    return Part(name="linear_attn", component=mixer)


def _attention(config: Config) -> Part:
    counts, bias = heads(config), config.flag("attention_bias")
    mixer = GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
        head_norm="full",
    )
    return Part(name="self_attn", component=mixer)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of an OLMo Hybrid configuration."""
    hidden, kinds = config.size("hidden_size"), _kinds(config)
    mixers = {"linear_attention": _delta_net(config), "full_attention": _attention(config)}
    feed_forward = FeedForward(hidden=hidden, width=config.size("intermediate_size"))

    def layer(index: int) -> tuple[Part, ...]:
        return (
            mixers[kinds[index]],
            Part(name="mlp", component=feed_forward),
            *(Part(name=name, component=Norm(width=hidden)) for name in NORMS[kinds[index]]),
        )

    return causal_model(config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer))
