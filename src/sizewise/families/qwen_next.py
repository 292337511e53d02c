"""Qwen3-Next and Qwen3.5: gated delta nets with gated attention every few layers.

Source: the modelling files of transformers 5.23.
"""

from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.beside import Prediction, with_predictions
from sizewise.plans.delta_nets import delta_net
from sizewise.plans.experts import (
    ExpertStyle,
    SparseRule,
    every_layer,
    every_step,
    expert_parts,
    no_layer,
)
from sizewise.plans.fields import causal_model, heads

LAYER_KINDS = {
    "linear_attention": "linear_attention",
    "full_attention": "full_attention",
    "mamba": "linear_attention",
    "attention": "full_attention",
}
DEFAULT_INTERVAL = 4
"""Every how many layers attention stands where the file says nothing."""

EXPERTS = ExpertStyle(
    experts="num_experts",
    width="moe_intermediate_size",
    shared_width="shared_expert_intermediate_size",
    shared="shared_expert",
    shared_gate="shared_expert_gate",
)


PREDICTION = Prediction(
    field="mtp_num_hidden_layers",
    layer="mtp_layer (full attention)",
    joint="mtp_fc_and_3_norms",
    stack="mtp.layers",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Where a type differs: which layers have experts, and how the delta net is projected."""

    model_class: str
    sparse: SparseRule
    fused: bool = False
    prediction: Prediction = PREDICTION


MODEL_TYPES = {
    "qwen3_next": Style(
        model_class="Qwen3NextForCausalLM",
        sparse=every_step,
        fused=True,
        prediction=replace(PREDICTION, count=1),
    ),
    "qwen3_5_text": Style(model_class="Qwen3_5ForCausalLM", sparse=no_layer),
    "qwen3_5_moe_text": Style(model_class="Qwen3_5MoeForCausalLM", sparse=every_layer),
}


def _mixers(config: Config) -> list[str]:
    """Return the mixer of every layer: ``layer_types``, else attention at every interval's end."""
    layers = config.layers()
    interval = config.optional_size("full_attention_interval") or DEFAULT_INTERVAL
    return config.per_layer("layer_types", layers, LAYER_KINDS) or [
        "linear_attention" if (index + 1) % interval else "full_attention" for index in range(layers)
    ]


def _delta_net(config: Config) -> Part:
    return delta_net(config, fused=MODEL_TYPES[config.model_type].fused)


def _attention(config: Config) -> Part:
    counts = heads(config, kv_required=True, size_required=True)
    bias = config.flag("attention_bias")
    mixer = GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
        head_norm="per_head",
        gated=True,
    )
    return Part(name="self_attn", component=mixer)


MIXERS = {"linear_attention": _delta_net, "full_attention": _attention}


def _dense(config: Config) -> tuple[Part, ...]:
    layer = FeedForward(hidden=config.size("hidden_size"), width=config.size("intermediate_size"))
    return (Part(name="mlp", component=layer),)


def _sparse(config: Config) -> tuple[Part, ...]:
    return expert_parts(config, EXPERTS, "mlp")


FEED_FORWARDS = {False: _dense, True: _sparse}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    style = MODEL_TYPES[config.model_type]
    kinds = list(zip(_mixers(config), style.sparse(config, config.layers()), strict=True))
    norm = Norm(width=config.size("hidden_size"))
    mixers = {kind: MIXERS[kind](config) for kind in dict.fromkeys(mixer for mixer, _ in kinds)}
    feed_forward = {
        kind: FEED_FORWARDS[kind](config) for kind in dict.fromkeys(sparse for _, sparse in kinds)
    }

    def layer(mixer: Part, sparse: bool) -> tuple[Part, ...]:
        return (
            Part(name="input_layernorm", component=norm),
            mixer,
            Part(name="post_attention_layernorm", component=norm),
            *feed_forward[sparse],
        )

    layers = stack("model.layers", kinds, lambda index: layer(mixers[kinds[index][0]], kinds[index][1]))
    found = causal_model(config, style.model_class, layers)
    if "full_attention" not in mixers:
        return found
    return with_predictions(config, found, style.prediction, layer(mixers["full_attention"], kinds[-1][1]))
