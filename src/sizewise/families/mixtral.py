"""Mixtral and the decoders that follow its plan: grouped-query attention, then experts or one MLP.

What differs between the types (which layers are sparse, which see a window, biases, norms, module and
field names) is the table below; the arithmetic is in the components.
Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention, HeadNorm
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import (
    ExpertStyle,
    SparseRule,
    after_first_dense,
    every_interval,
    every_layer,
    every_step,
    expert_parts,
    interleaved,
)
from sizewise.plans.fields import Heads, Skeleton, causal_model, flag, heads

SLIDING, CHUNKED, FULL = "sliding_attention", "chunked_attention", "full_attention"
LAYER_KINDS = {SLIDING: SLIDING, CHUNKED: CHUNKED, FULL: FULL, "attention": FULL}

KindRule = Callable[[Config, int, int | None], list[str]]
"""From a configuration, a number of layers and the window in force to one kind per layer."""


def one_kind(_config: Config, layers: int, window: int | None) -> list[str]:
    """Return the same kind for all layers: a window, if one is in force."""
    return [SLIDING if window else FULL] * layers


def alternating(_config: Config, layers: int, _window: int | None) -> list[str]:
    """Give layers 0, 2, 4 … a window."""
    return [SLIDING if index % 2 == 0 else FULL for index in range(layers)]


def alternating_below(config: Config, layers: int, window: int | None) -> list[str]:
    """Give layers 0, 2, 4 … below ``max_window_layers`` a window, if one is in force."""
    last = config.count("max_window_layers") if window else 0
    return [SLIDING if index % 2 == 0 and index < last else FULL for index in range(layers)]


def windows_from(config: Config, layers: int, window: int | None) -> list[str]:
    """Give layers from ``max_window_layers`` on a window, if one is in force."""
    first = config.count("max_window_layers") if window else layers
    return [SLIDING if index >= first else FULL for index in range(layers)]


def chunks_with_positions(config: Config, layers: int, _window: int | None) -> list[str]:
    """Give layers with rotary positions chunks; every n-th layer has no positions and sees everything.

    ``no_rope_layers`` holds a 1 where a layer has positions; null or empty: ``no_rope_layer_interval``.
    """
    marks = config.entries("no_rope_layers")
    if not marks:
        interval = config.size("no_rope_layer_interval")
        marks = [(index + 1) % interval != 0 for index in range(layers)]
    if len(marks) != layers:
        where = f"{config.model_type} config: no_rope_layers"
        raise InputError("inconsistent", f"{where} has {len(marks)} entries for {layers} layers")
    if any(mark not in (0, 1) for mark in marks):
        raise config.bad("no_rope_layers", "holds something else than 0 and 1")
    return [CHUNKED if mark else FULL for mark in marks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Where a type differs from the plan; a string of a flag names the config field that decides."""

    model_class: str
    experts: ExpertStyle
    sparse: SparseRule = every_layer
    kinds: KindRule = one_kind
    window_flag: str | bool = True
    """Whether ``sliding_window`` is in force."""
    qkv_bias: str | bool = "attention_bias"
    out_bias: str | bool = "attention_bias"
    mlp_bias: str | bool = False
    head_bias: str | bool = False
    head_norm: HeadNorm = "none"
    head_norm_flag: str | bool = True
    sinks: bool = False
    norm: NormKind = "rms"
    kv_required: bool = False
    head_size_required: bool = False
    mlp: str = "mlp"
    dense_width: str = "intermediate_size"


MODEL_TYPES: dict[str, Style] = {
    "mixtral": Style(
        model_class="MixtralForCausalLM",
        experts=ExpertStyle(),
        qkv_bias=False,
        out_bias=False,
    ),
    "phimoe": Style(
        model_class="PhimoeForCausalLM",
        experts=ExpertStyle(router="router"),
        norm="layer",
        head_bias="lm_head_bias",
    ),
    "granitemoe": Style(
        model_class="GraniteMoeForCausalLM",
        experts=ExpertStyle(router="router"),
        mlp="block_sparse_moe",
    ),
    "olmoe": Style(
        model_class="OlmoeForCausalLM",
        experts=ExpertStyle(experts="num_experts"),
        head_norm="full",
    ),
    "minimax_m2": Style(
        model_class="MiniMaxM2ForCausalLM",
        experts=ExpertStyle(),
        qkv_bias=False,
        out_bias=False,
        head_norm="full",
        kv_required=True,
        head_size_required=True,
    ),
    "qwen2_moe": Style(
        model_class="Qwen2MoeForCausalLM",
        experts=ExpertStyle(
            experts="num_experts",
            width="moe_intermediate_size",
            shared="shared_expert",
            shared_width="shared_expert_intermediate_size",
            shared_gate="shared_expert_gate",
        ),
        sparse=every_step,
        kinds=alternating_below,
        window_flag="use_sliding_window",
        qkv_bias="qkv_bias",
        out_bias=False,
        kv_required=True,
    ),
    "qwen3_moe": Style(
        model_class="Qwen3MoeForCausalLM",
        experts=ExpertStyle(experts="num_experts", width="moe_intermediate_size"),
        sparse=every_step,
        window_flag="use_sliding_window",
        head_norm="per_head",
        kv_required=True,
    ),
    "glm4_moe": Style(
        model_class="Glm4MoeForCausalLM",
        experts=ExpertStyle(
            experts="n_routed_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
        ),
        sparse=after_first_dense,
        out_bias=False,
        head_norm="per_head",
        head_norm_flag="use_qk_norm",
        kv_required=True,
    ),
    "dots1": Style(
        model_class="Dots1ForCausalLM",
        experts=ExpertStyle(
            experts="n_routed_experts",
            active_may_be_null=True,
            width="moe_intermediate_size",
            shared_count="n_shared_experts",
        ),
        sparse=after_first_dense,
        kinds=windows_from,
        head_norm="per_head",
    ),
    "ernie4_5_moe": Style(
        model_class="Ernie4_5_MoeForCausalLM",
        experts=ExpertStyle(
            experts="moe_num_experts",
            active="moe_k",
            width="moe_intermediate_size",
            shared_count="moe_num_shared_experts",
            shared_may_be_absent=True,
            correction="moe_statics.e_score_correction_bias",
        ),
        sparse=every_interval,
        qkv_bias="use_bias",
        out_bias="use_bias",
        mlp_bias="use_bias",
        head_bias="use_bias",
        kv_required=True,
    ),
    "gpt_oss": Style(
        model_class="GptOssForCausalLM",
        experts=ExpertStyle(router="router", router_bias=True, expert_bias=True, transposed=True),
        kinds=alternating,
        sinks=True,
    ),
    "llama4_text": Style(
        model_class="Llama4ForCausalLM",
        experts=ExpertStyle(
            router="router", transposed=True, shared="shared_expert", shared_width="intermediate_size"
        ),
        sparse=interleaved,
        kinds=chunks_with_positions,
        mlp="feed_forward",
        dense_width="intermediate_size_mlp",
    ),
}


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    style = MODEL_TYPES[config.model_type]
    hidden, layers = config.size("hidden_size"), config.layers()
    counts = heads(config, kv_required=style.kv_required, size_required=style.head_size_required)
    window = _window(config, style)
    attentions = config.per_layer("layer_types", layers, LAYER_KINDS) or style.kinds(config, layers, window)
    sparse = style.sparse(config, layers)
    feed_forwards = {is_sparse: _feed_forward(config, style, is_sparse) for is_sparse in set(sparse)}
    norm = Norm(width=hidden, kind=style.norm)

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=_attention(config, style, counts, attentions[index], window)),
            *feed_forwards[sparse[index]],
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    kinds = list(zip(attentions, sparse, strict=True))
    skeleton = Skeleton(norm=style.norm, head_bias=flag(config, style.head_bias))
    return causal_model(config, style.model_class, stack("model.layers", kinds, layer), skeleton=skeleton)


def _window(config: Config, style: Style) -> int | None:
    """Return the window in force; 0 and null mean none."""
    return (config.optional_count("sliding_window") or None) if flag(config, style.window_flag) else None


def _attention(
    config: Config, style: Style, counts: Heads, kind: str, window: int | None
) -> GroupedQueryAttention:
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=flag(config, style.qkv_bias),
        out_bias=flag(config, style.out_bias),
        head_norm=style.head_norm if flag(config, style.head_norm_flag) else "none",
        sinks=style.sinks,
        window=window if kind == SLIDING else None,
        chunk=config.optional_size("attention_chunk_size") if kind == CHUNKED else None,
    )


def _feed_forward(config: Config, style: Style, is_sparse: bool) -> tuple[Part, ...]:
    bias = flag(config, style.mlp_bias)
    if is_sparse:
        return expert_parts(config, style.experts, style.mlp, shared_bias=bias)
    dense = FeedForward(hidden=config.size("hidden_size"), width=config.size(style.dense_width), bias=bias)
    return (Part(name=style.mlp, component=dense),)
