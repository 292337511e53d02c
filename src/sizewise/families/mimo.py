"""MiMo-V2-Flash: sliding layers with twice the key/value heads and sinks, values of a size of their own.

Source: the configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import ExpertStyle, expert_parts, listed_or_after_first
from sizewise.plans.fields import causal_model, checked_heads

MODEL_TYPES = {"mimo_v2_flash": "MiMoV2FlashForCausalLM"}

LAYER_KINDS = {"full_attention": "full_attention", "sliding_attention": "sliding_attention"}
EXPERTS = ExpertStyle(experts="n_routed_experts", width="moe_intermediate_size")
PERIOD = 6


def _kinds(config: Config) -> list[str]:
    """Return the attention of each layer: the list, else full in layer 0 and in every sixth."""
    layers = config.layers()
    return config.per_layer("layer_types", layers, LAYER_KINDS) or [
        "sliding_attention" if index and (index + 1) % PERIOD else "full_attention" for index in range(layers)
    ]


def _window(config: Config) -> int:
    """Return the tokens that a sliding layer sees; ``sliding_window_size`` does not count the last one."""
    if config.given("sliding_window_size"):
        return config.size("sliding_window_size") + 1
    return config.size("sliding_window")


def _attention(config: Config, kind: str) -> GroupedQueryAttention:
    slides, query = kind == "sliding_attention", config.size("num_attention_heads")
    key_value = config.size("num_key_value_heads") * (2 if slides else 1)
    counts = checked_heads(config, query, key_value, config.size("head_dim"))
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        value_size=config.size("v_head_dim"),
        qkv_bias=config.flag("attention_bias"),
        sinks=slides,
        window=_window(config) if slides else None,
    )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a MiMo-V2-Flash configuration."""
    hidden, attentions = config.size("hidden_size"), _kinds(config)
    kinds = list(zip(attentions, listed_or_after_first(config, config.layers()), strict=True))
    norm = Norm(width=hidden)

    def layer(index: int) -> tuple[Part, ...]:
        attention, sparse = kinds[index]
        dense = FeedForward(hidden=hidden, width=config.size("intermediate_size"))
        return (
            Part(name="self_attn", component=_attention(config, attention)),
            *(expert_parts(config, EXPERTS, "mlp") if sparse else (Part(name="mlp", component=dense),)),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    return with_corrections(
        causal_model(config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer))
    )
