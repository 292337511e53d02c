"""Gemma 4: full layers with heads of their own size, inputs per layer, experts beside the dense layer.

Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.changed_layers import changed_layers
from sizewise.plans.experts import active_experts
from sizewise.plans.fields import Heads, causal_model, checked_heads
from sizewise.plans.per_layer_inputs import layer_input_parts, layer_input_tables
from sizewise.plans.shared_keys import borrowing_layers

MODEL_TYPES = {"gemma4_text": "Gemma4ForCausalLM", "gemma4_unified_text": "Gemma4UnifiedForCausalLM"}
PLAIN_TYPES = ("gemma4_unified_text",)
"""Types without inputs per layer and without experts."""

LAYER_KINDS = {"full_attention": "full_attention", "sliding_attention": "sliding_attention"}
PERIOD = 6
"""Every how many layers attention is full where the file says nothing."""
FULL_HEAD_SIZE = 512
"""Head size of full layers where the file says nothing."""
OVERRIDES = ("head_dim", "num_key_value_heads")
NORMS = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)
EXPERT_NORMS = ("post_feedforward_layernorm_1", "post_feedforward_layernorm_2", "pre_feedforward_layernorm_2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What tells layers apart: full or sliding attention, its heads, and whether it borrows keys."""

    full: bool
    heads: Heads
    borrowed: bool


def _full_layers(config: Config) -> list[bool]:
    """Tell which layers attend to everything: the list, else every sixth; the last one always does."""
    layers = config.layers()
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    if listed is None:
        full = [(index + 1) % PERIOD == 0 for index in range(layers)]
    else:
        full = [kind == "full_attention" for kind in listed]
    return [*full[:-1], True]


def _heads(config: Config, full: list[bool]) -> list[Heads]:
    """Return the heads of each layer: ``per_layer_config``, else the fields of full layers."""
    query = config.size("num_attention_heads")
    usual = checked_heads(config, query, config.size("num_key_value_heads"), config.size("head_dim"))
    if config.present("per_layer_config"):
        changes = changed_layers(config, len(full), OVERRIDES, ", ".join(OVERRIDES))
        return _homogeneous(config, full, [_overridden(config, usual, change) for change in changes])
    key_value = (
        config.optional_size("num_global_key_value_heads") if config.flag("attention_k_eq_v") else None
    )
    size = config.size("global_head_dim") if config.present("global_head_dim") else FULL_HEAD_SIZE
    wide = checked_heads(config, query, key_value or usual.key_value, size)
    return [wide if is_full else usual for is_full in full]


def _homogeneous(config: Config, full: list[bool], counts: list[Heads]) -> list[Heads]:
    """Return the heads after checking that layers of one kind have the same, as the class wants it."""
    if len(set(zip(full, counts, strict=True))) > len(set(full)):
        raise InputError(
            "inconsistent", f"{config.model_type} config: per_layer_config differs among layers of one kind"
        )
    return counts


def _overridden(config: Config, usual: Heads, changes: Mapping[str, Any]) -> Heads:
    key_value = changes.get("num_key_value_heads", usual.key_value)
    size = changes.get("head_dim", usual.size)
    for name, value in (("num_key_value_heads", key_value), ("head_dim", size)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise config.bad("per_layer_config", f"gives a {name} that is no whole number from 1")
    return checked_heads(config, usual.query, key_value, size)


def _window(config: Config) -> int | None:
    """Return the tokens that a sliding layer sees; with attention to both sides they are on both."""
    size = config.optional_count("sliding_window") or None
    return size // 2 + 1 if size and config.text("use_bidirectional_attention") == "all" else size


def _attention(config: Config, kind: Kind) -> GroupedQueryAttention:
    bias = config.flag("attention_bias")
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=kind.heads.query,
        kv_heads=kind.heads.key_value,
        head_size=kind.heads.size,
        qkv_bias=bias,
        out_bias=bias,
        head_norm="per_head",
        window=None if kind.full else _window(config),
        values_from_keys=kind.full and config.flag("attention_k_eq_v"),
        borrowed=kind.borrowed,
    )


def _expert_parts(config: Config) -> Iterator[Part]:
    """Yield router and experts, which stand beside the dense layer, and three more norms."""
    hidden, count = config.size("hidden_size"), config.size("num_experts")
    routed = Experts(
        hidden=hidden,
        width=config.size("moe_intermediate_size"),
        experts=count,
        active=active_experts(config, "top_k_experts", count),
    )
    yield Part(name="router.proj", component=Linear(inputs=hidden, outputs=count, role="router"))
    for name, size in (("scale", hidden), ("per_expert_scale", count)):
        yield Part(name="router", component=LearnedTensor(name=name, shape=(size,), role="router"))
    yield Part(name="experts", component=routed)
    for name in EXPERT_NORMS:
        yield Part(name=name, component=Norm(width=hidden))


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a Gemma 4 language model."""
    hidden, full = config.size("hidden_size"), _full_layers(config)
    rows = zip(full, _heads(config, full), borrowing_layers(config, full), strict=True)
    kinds = [Kind(full=is_full, heads=heads, borrowed=borrowed) for is_full, heads, borrowed in rows]
    width, doubled = config.size("intermediate_size"), config.flag("use_double_wide_mlp")
    plain = config.model_type in PLAIN_TYPES
    inputs = 0 if plain else config.optional_count("hidden_size_per_layer_input") or 0
    experts = tuple(_expert_parts(config)) if not plain and config.flag("enable_moe_block") else ()

    def layer(index: int) -> tuple[Part, ...]:
        kind = kinds[index]
        own_width = width * (2 if doubled and kind.borrowed else 1)
        return (
            Part(name="self_attn", component=_attention(config, kind)),
            Part(name="mlp", component=FeedForward(hidden=hidden, width=own_width)),
            *(Part(name=name, component=Norm(width=hidden)) for name in NORMS),
            *(layer_input_parts(hidden, inputs) if inputs else ()),
            *experts,
        )

    tables = tuple(layer_input_tables(config, inputs)) if inputs else ()
    return causal_model(
        config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer), extra=tables
    )
