"""Ling 3: Kimi delta attention with latent attention in the last layer of every group, then experts.

Source: configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.kimi_delta_attention import KimiDeltaAttention
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import ExpertStyle, listed_or_after_first_dense
from sizewise.plans.fields import Skeleton, causal_model
from sizewise.plans.latent import feed_forward, latent_attention

MODEL_TYPES = {"bailing_hybrid": "BailingHybridForCausalLM"}

LAYER_KINDS = {kind: kind for kind in ("full_attention", "linear_attention")}
EXPERTS = ExpertStyle(
    experts="num_local_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
)


def _kinds(config: Config, layers: int) -> list[str]:
    """Return the mixer of every layer: ``layer_types``, else the last of every group has attention."""
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    if listed is not None:
        return listed
    group = config.size("layer_group_size")
    return ["linear_attention" if (index + 1) % group else "full_attention" for index in range(layers)]


def _linear(config: Config) -> tuple[Part, ...]:
    """Return the delta attention; files that the class wrote say its sizes under names of their own."""
    heads = config.optional_size("linear_num_heads") or config.size("num_attention_heads")
    mixer = KimiDeltaAttention(
        hidden=config.size("hidden_size"),
        heads=heads,
        head_size=config.optional_size("linear_head_dim") or config.size("head_dim"),
        kernel=config.optional_size("linear_conv_kernel_dim") or config.size("short_conv_kernel_size"),
        decay_shape=(heads,),
        full_rank=True,
    )
    return (Part(name="self_attn", component=mixer),)


def _full(config: Config) -> tuple[Part, ...]:
    """Return the latent attention and the gate that scales each head's output."""
    attention = latent_attention(config, compressed=False)
    gate = Linear(inputs=attention.hidden, outputs=attention.heads, role="attention")
    return Part(name="self_attn", component=attention), Part(name="self_attn.g_proj", component=gate)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a Ling 3 configuration; its head is never tied."""
    layers = config.layers()
    kinds = list(zip(_kinds(config, layers), listed_or_after_first_dense(config, layers), strict=True))
    norm = Norm(width=config.size("hidden_size"))

    def layer(index: int) -> tuple[Part, ...]:
        mixer, is_sparse = kinds[index]
        return (
            *(_full(config) if mixer == "full_attention" else _linear(config)),
            *feed_forward(config, EXPERTS, is_sparse),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    body = stack("model.layers", kinds, layer)
    skeleton = Skeleton(tied=False)
    return with_corrections(causal_model(config, MODEL_TYPES[config.model_type], body, skeleton=skeleton))
