"""MiniMax-01: lightning attention and softmax attention in turns, experts in every layer.

Source: the configuration and modelling files of transformers 5.23; MiniMax 2025, arXiv:2501.08313.
"""

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.lightning_attention import LightningAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import causal_model, heads

MODEL_TYPES = {"minimax": "MiniMaxForCausalLM"}

LAYER_KINDS = {
    "linear_attention": "linear_attention",
    "full_attention": "full_attention",
    "mamba": "linear_attention",
    "attention": "full_attention",
}


def _kinds(config: Config) -> list[str]:
    """Return the mixer of each layer: the list, else full attention in layers 0, 2, 4 …"""
    layers = config.layers()
    return config.per_layer("layer_types", layers, LAYER_KINDS) or [
        "linear_attention" if index % 2 else "full_attention" for index in range(layers)
    ]


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a MiniMax configuration."""
    hidden, kinds, counts = config.size("hidden_size"), _kinds(config), heads(config)
    mixers: dict[str, Component] = {
        "linear_attention": LightningAttention(hidden=hidden, heads=counts.query, head_size=counts.size),
        "full_attention": GroupedQueryAttention(
            hidden=hidden,
            query_heads=counts.query,
            kv_heads=counts.key_value,
            head_size=counts.size,
            reach=config.optional_count("sliding_window") or None,
        ),
    }
    norm = Norm(width=hidden)

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=mixers[kinds[index]]),
            *expert_parts(config, ExpertStyle(), "mlp"),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    return causal_model(config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer))
