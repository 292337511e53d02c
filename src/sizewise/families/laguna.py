"""Laguna: attention with a number of heads for every layer and a gate, then experts or one MLP.

Source: the configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, expert_parts, listed_or_after_first
from sizewise.plans.fields import causal_model, checked_heads

MODEL_TYPES = {"laguna": "LagunaForCausalLM"}

LAYER_KINDS = {"full_attention": "full_attention", "sliding_attention": "sliding_attention"}
EXPERTS = ExpertStyle(
    experts="num_experts",
    width="moe_intermediate_size",
    shared_width="shared_expert_intermediate_size",
)


def _query_heads(config: Config, layers: int) -> list[int]:
    """Return the query heads of each layer: the list, else one number for all."""
    listed = config.raw("num_attention_heads_per_layer") is not None
    return config.sizes("num_attention_heads_per_layer" if listed else "num_attention_heads", layers)


def _gate_width(config: Config, query: int) -> int:
    """Return the outputs of the gate: one for each head, or one for each feature."""
    per_head = config.raw("gating") in (True, "per-head")
    return query if per_head else query * config.size("head_dim")


def _attention_parts(config: Config, query: int, kind: str) -> tuple[Part, ...]:
    counts = checked_heads(config, query, config.size("num_key_value_heads"), config.size("head_dim"))
    hidden, bias = config.size("hidden_size"), config.flag("attention_bias")
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
        head_norm="per_head",
        window=config.size("sliding_window") if kind == "sliding_attention" else None,
    )
    gate = Linear(inputs=hidden, outputs=_gate_width(config, query), role="attention")
    return Part(name="self_attn", component=attention), Part(name="self_attn.g_proj", component=gate)


def _feed_forward(config: Config, sparse: bool) -> tuple[Part, ...]:
    if not sparse:
        dense = FeedForward(hidden=config.size("hidden_size"), width=config.size("intermediate_size"))
        return (Part(name="mlp", component=dense),)
    shape = (config.size("num_experts"),)
    bias = LearnedTensor(name="e_score_correction_bias", shape=shape, role="router", frozen=True)
    return (*expert_parts(config, EXPERTS, "mlp"), Part(name="mlp.gate", component=bias))


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a Laguna configuration."""
    if config.flag("moe_apply_router_weight_on_input"):
        raise InputError(
            "unsupported_architecture", "laguna config: moe_apply_router_weight_on_input is not implemented"
        )
    layers, norm = config.layers(), Norm(width=config.size("hidden_size"))
    attentions = config.per_layer("layer_types", layers, LAYER_KINDS) or ["full_attention"] * layers
    sparse = listed_or_after_first(config, layers)
    kinds = list(zip(_query_heads(config, layers), attentions, sparse, strict=True))

    def layer(index: int) -> tuple[Part, ...]:
        query, attention, is_sparse = kinds[index]
        return (
            *_attention_parts(config, query, attention),
            *_feed_forward(config, is_sparse),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    return causal_model(config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer))
