"""Kimi Linear: delta attention with latent attention every few layers, then experts or one MLP.

It never ties its head. Source: the configuration and modelling files of transformers 5.23;
Kimi Team 2025, arXiv:2510.26692.
"""

from collections.abc import Mapping
from typing import Any

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.kimi_delta_attention import KimiDeltaAttention
from sizewise.components.latent_attention import LatentAttention
from sizewise.components.norms import Norm
from sizewise.configuration import SIZE_LIMIT, Config
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import Skeleton, causal_model

MODEL_TYPES = {"kimi_linear": "KimiLinearForCausalLM"}

LAYER_KINDS = {
    "linear_attention": "linear_attention",
    "full_attention": "full_attention",
    "mamba": "linear_attention",
    "attention": "full_attention",
}
MLP_KINDS = {"dense": "dense", "sparse": "sparse"}
PERIOD = 4
EXPERTS = ExpertStyle(width="moe_intermediate_size", shared_count="n_shared_experts")


def _section(config: Config) -> Mapping[str, Any]:
    """Return ``linear_attn_config``, in which published files keep the fields of delta attention."""
    section = config.raw("linear_attn_config")
    if section is None and not config.present("linear_attn_config"):
        return {}
    if not isinstance(section, Mapping):
        raise config.bad("linear_attn_config", "is no object")
    return section


def _kinds(config: Config) -> list[str]:
    """Return the mixer of each layer: the list, else the two lists of the section, else a default.

    By default every fourth layer after the first attends to everything.
    """
    layers, section = config.layers(), _section(config)
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    if listed is not None:
        return listed
    if "full_attn_layers" in section and "kda_layers" in section:
        return _numbered(config, section, layers)
    return [
        "full_attention" if index and index % PERIOD == 0 else "linear_attention" for index in range(layers)
    ]


def _numbered(config: Config, section: Mapping[str, Any], layers: int) -> list[str]:
    """Read the lists of layers, which count from 1 and have to name each layer."""
    kinds: dict[int, str] = {}
    for name, kind in (("full_attn_layers", "full_attention"), ("kda_layers", "linear_attention")):
        numbers = section[name]
        if not isinstance(numbers, list) or not all(type(number) is int for number in numbers):
            raise config.bad(f"linear_attn_config.{name}", "is no list of layer numbers")
        kinds.update(dict.fromkeys(numbers, kind))
    if set(kinds) != set(range(1, layers + 1)):
        raise config.bad("linear_attn_config", f"does not name the layers 1 to {layers} each")
    return [kinds[number] for number in range(1, layers + 1)]


def _sparse(config: Config) -> list[bool]:
    """Tell which layers have experts: the list, else all but the first ``first_k_dense_replace`` (1)."""
    layers = config.layers()
    listed = config.per_layer("mlp_layer_types", layers, MLP_KINDS)
    if listed is not None:
        return [kind == "sparse" for kind in listed]
    dense = config.count("first_k_dense_replace") if config.present("first_k_dense_replace") else 1
    return [index >= dense for index in range(layers)]


def _delta_size(config: Config, name: str, field: str) -> int:
    """Return a size of the section, else the field of the class."""
    section = _section(config)
    if name not in section:
        return config.size(field)
    value = section[name]
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SIZE_LIMIT:
        raise config.bad(f"linear_attn_config.{name}", "is no whole number from 1")
    return value


def _delta_attention(config: Config) -> KimiDeltaAttention:
    return KimiDeltaAttention(
        hidden=config.size("hidden_size"),
        heads=_delta_size(config, "num_heads", "linear_num_heads"),
        head_size=_delta_size(config, "head_dim", "linear_head_dim"),
        kernel=_delta_size(config, "short_conv_kernel_size", "linear_conv_kernel_dim"),
    )


def _latent_attention(config: Config) -> LatentAttention:
    return LatentAttention(
        hidden=config.size("hidden_size"),
        heads=config.size("num_attention_heads"),
        query_rank=config.optional_size("q_lora_rank"),
        latent_rank=config.size("kv_lora_rank"),
        plain_size=config.size("qk_nope_head_dim"),
        rotary_size=config.size("qk_rope_head_dim"),
        value_size=config.size("v_head_dim"),
        bias=config.flag("attention_bias"),
    )


def _dense(config: Config) -> tuple[Part, ...]:
    layer = FeedForward(hidden=config.size("hidden_size"), width=config.size("intermediate_size"))
    return (Part(name="mlp", component=layer),)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a Kimi Linear configuration."""
    kinds, norm = (
        list(zip(_kinds(config), _sparse(config), strict=True)),
        Norm(width=config.size("hidden_size")),
    )
    mixers: dict[str, Component] = {
        "linear_attention": _delta_attention(config),
        "full_attention": _latent_attention(config),
    }

    def layer(index: int) -> tuple[Part, ...]:
        mixer, sparse = kinds[index]
        return (
            Part(name="self_attn", component=mixers[mixer]),
            *(expert_parts(config, EXPERTS, "mlp") if sparse else _dense(config)),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    layers = stack("model.layers", kinds, layer)
    return with_corrections(
        causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=Skeleton(tied=False))
    )
