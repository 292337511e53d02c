"""Llama and the decoders that follow its plan: separate or fused projections, one MLP per layer.

What differs between the types (biases, norms, head norms, names) is the table below; the arithmetic
is in the components. Source: the modelling files of transformers 5.23.
"""

from dataclasses import dataclass

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention, HeadNorm
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.standard import Skeleton, causal_model, flag, heads, window


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Where a type differs from the plan; a string names the config field that decides."""

    model_class: str
    qkv_bias: str | bool = False
    out_bias: str | bool = False
    mlp_bias: str | bool = False


MODEL_TYPES = {
    "llama": Style(
        model_class="LlamaForCausalLM",
        qkv_bias="attention_bias",
        out_bias="attention_bias",
        mlp_bias="mlp_bias",
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    style = MODEL_TYPES[config.model_type]
    hidden = config.size("hidden_size")
    counts = heads(config)
    kinds = ["full_attention"] * config.layers()

    def layer(index: int) -> tuple[Part, ...]:
        attention = GroupedQueryAttention(
            hidden=hidden,
            query_heads=counts.query,
            kv_heads=counts.key_value,
            head_size=counts.size,
            qkv_bias=flag(config, style.qkv_bias),
            out_bias=flag(config, style.out_bias),
            window=window(config, kinds[index]),
        )
        mlp = FeedForward(
            hidden=hidden,
            width=config.size("intermediate_size"),
            bias=flag(config, style.mlp_bias),
        )
        return (
            Part(name="self_attn", component=attention),
            Part(name="mlp", component=mlp),
            Part(name="input_layernorm", component=Norm(width=hidden)),
            Part(name="post_attention_layernorm", component=Norm(width=hidden)),
        )

    return causal_model(config, style.model_class, stack("model.layers", kinds, layer))
