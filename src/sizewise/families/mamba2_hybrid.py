"""Bamba, Granite 4 and Falcon-H1: Mamba-2 and attention in turns or side by side, then feed-forward.

The three share the fields of the mixer (``mamba_n_heads`` …). Source: the modelling files of
transformers 5.23.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.mamba2 import Mamba2
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import Skeleton, causal_model, heads

EXPERTS = ExpertStyle(router="router")
LAYER_KINDS = {
    "mamba": "linear_attention",
    "attention": "full_attention",
    "linear_attention": "linear_attention",
    "full_attention": "full_attention",
}
MODULES = {"linear_attention": ("mamba",), "full_attention": ("self_attn",), "hybrid": ("mamba", "self_attn")}


def _indexed_kinds(config: Config) -> list[str]:
    """Attention stands at ``attn_layer_indices``; none where it is null or empty."""
    attention = config.indices("attn_layer_indices") or frozenset()
    return ["full_attention" if i in attention else "linear_attention" for i in range(config.layers())]


def _listed_kinds(config: Config) -> list[str]:
    """``layer_types`` says it; null means Mamba-2 in every layer."""
    layers = config.layers()
    return config.per_layer("layer_types", layers, LAYER_KINDS) or ["linear_attention"] * layers


def _parallel_kinds(config: Config) -> list[str]:
    """Every layer has both mixers."""
    return ["hybrid"] * config.layers()


def _dense(config: Config) -> tuple[Part, ...]:
    """Return the gated feed-forward layer of Bamba and Falcon-H1."""
    width, bias = config.size("intermediate_size"), config.flag("mlp_bias")
    layer = FeedForward(hidden=config.size("hidden_size"), width=width, bias=bias)
    return (Part(name="feed_forward", component=layer),)


def _granite(config: Config) -> tuple[Part, ...]:
    """Return Granite's experts, where it has some, and the gated layer that is always there."""
    hidden, count = config.size("hidden_size"), config.count("num_local_experts")
    shared = FeedForward(
        hidden=hidden,
        width=config.size("shared_intermediate_size"),
        role="shared_expert" if count else "feed_forward",
        names=FeedForwardNames(fused="input_linear", down="output_linear"),
    )
    always = Part(name="shared_mlp", component=shared)
    return (*expert_parts(config, EXPERTS, "block_sparse_moe"), always) if count else (always,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Where a type differs: which mixer stands where, the feed-forward part, names and extras."""

    model_class: str
    kinds: Callable[[Config], list[str]]
    feed_forward: Callable[[Config], tuple[Part, ...]]
    second_norm: str = "pre_ff_layernorm"
    final_norm: str = "model.final_layernorm"
    own_inner: bool = False
    """The inner width is ``mamba_d_ssm``, the gated norm optional, ``projectors_bias`` the output's bias."""


MODEL_TYPES = {
    "bamba": Style(model_class="BambaForCausalLM", kinds=_indexed_kinds, feed_forward=_dense),
    "granitemoehybrid": Style(
        model_class="GraniteMoeHybridForCausalLM",
        kinds=_listed_kinds,
        feed_forward=_granite,
        second_norm="post_attention_layernorm",
        final_norm="model.norm",
    ),
    "falcon_h1": Style(
        model_class="FalconH1ForCausalLM", kinds=_parallel_kinds, feed_forward=_dense, own_inner=True
    ),
}


def _mamba(config: Config) -> Mamba2:
    """Return the Mamba-2 mixer, whose heads must fill its inner width exactly."""
    style = MODEL_TYPES[config.model_type]
    hidden, count = config.size("hidden_size"), config.size("mamba_n_heads")
    given = config.optional_size("mamba_d_ssm") if style.own_inner else None
    inner = given or config.size("mamba_expand") * hidden
    size = config.size_or_auto("mamba_d_head") or max(inner // count, 1)
    if size * count != inner:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: mamba_n_heads {count} of size {size} do not fill "
            f"the inner width {inner}",
        )
    bias = config.flag("mamba_proj_bias")
    return Mamba2(
        hidden=hidden,
        heads=count,
        head_size=size,
        state=config.size("mamba_d_state"),
        groups=config.size("mamba_n_groups"),
        kernel=config.size("mamba_d_conv"),
        in_bias=bias,
        out_bias=config.flag("projectors_bias") if style.own_inner else bias,
        conv_bias=config.flag("mamba_conv_bias"),
        gated_norm=config.flag("mamba_rms_norm") if style.own_inner else True,
    )


def _attention(config: Config) -> GroupedQueryAttention:
    counts, bias = heads(config), config.flag("attention_bias")
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=bias,
        out_bias=bias,
    )


MIXERS: dict[str, Callable[[Config], Component]] = {"mamba": _mamba, "self_attn": _attention}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    style = MODEL_TYPES[config.model_type]
    kinds = style.kinds(config)
    norm = Norm(width=config.size("hidden_size"))
    modules = list(dict.fromkeys(name for kind in kinds for name in MODULES[kind]))
    mixers = {name: Part(name=name, component=MIXERS[name](config)) for name in modules}
    feed_forward = style.feed_forward(config)

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="input_layernorm", component=norm),
            *(mixers[name] for name in MODULES[kinds[index]]),
            Part(name=style.second_norm, component=norm),
            *feed_forward,
        )

    layers = stack("model.layers", kinds, layer)
    return causal_model(config, style.model_class, layers, skeleton=Skeleton(final_norm=style.final_norm))
