"""EXAONE-MoE and later decoders of Mixtral's plan: experts beside a shared one, gates, windows by period.

What differs between the types is the table below; the plan is `sizewise.plans.expert_decoder`.
Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.expert_decoder import (
    FULL,
    SLIDING,
    Style,
    expert_decoder,
    windows_but_every,
    windows_but_first_of,
)
from sizewise.plans.experts import (
    ExpertStyle,
    after_dense_layers,
    dense_prefix,
    listed_or_after_first,
    listed_or_after_first_dense,
    listed_or_after_prefix,
)
from sizewise.plans.fields import heads


def shared_granite_expert(config: Config, _sparse: bool) -> Sequence[Part]:
    """Return the layer beside the experts, where ``shared_intermediate_size`` gives it a width."""
    width = config.count("shared_intermediate_size")
    names = FeedForwardNames(fused="input_linear", down="output_linear")
    layer = FeedForward(hidden=config.size("hidden_size"), width=width, role="shared_expert", names=names)
    return (Part(name="shared_mlp", component=layer),) if width else ()


def attention_gate_and_expert_bias(config: Config, sparse: bool) -> Sequence[Part]:
    """Return the gate of the attended values and, beside experts, their balancing bias."""
    counts = heads(config)
    gate = Linear(inputs=config.size("hidden_size"), outputs=counts.query * counts.size, role="attention")
    gate_part = Part(name="self_attn.gate_proj", component=gate)
    if not sparse:
        return (gate_part,)
    shape = (config.size("num_experts"),)
    bias = LearnedTensor(name="expert_bias", shape=shape, role="router", frozen=True)
    return gate_part, Part(name="mlp", component=bias)


def windows_after_prefix(config: Config, layers: int, _window: int | None) -> list[str]:
    """Give all but every n-th layer a window, counted anew after the dense layers, which have an own n."""
    prefix = dense_prefix(config)
    if prefix > layers:
        raise config.bad("first_k_dense_replace", f"is {prefix} of {layers} layers")
    first, then = config.size("prefix_dense_sliding_window_pattern"), config.size("sliding_window_pattern")
    places = [
        *((index, first) for index in range(prefix)),
        *((index, then) for index in range(layers - prefix)),
    ]
    return [SLIDING if (index + 1) % period else FULL for index, period in places]


MODEL_TYPES: dict[str, Style] = {
    "exaone_moe": Style(
        model_class="ExaoneMoeForCausalLM",
        experts=ExpertStyle(
            experts="num_experts", width="moe_intermediate_size", shared_count="num_shared_experts"
        ),
        sparse=listed_or_after_first_dense,
        kinds=windows_but_every("sliding_window_pattern"),
        qkv_bias=False,
        out_bias=False,
        head_norm="per_head",
        kv_required=True,
    ),
    "afmoe": Style(
        model_class="AfmoeForCausalLM",
        experts=ExpertStyle(
            experts="num_experts",
            width="moe_intermediate_size",
            router="router.gate",
            shared_count="num_shared_experts",
        ),
        sparse=after_dense_layers,
        kinds=windows_but_every("global_attn_every_n_layers"),
        head_norm="per_head",
        norms=(
            "input_layernorm",
            "post_attention_layernorm",
            "pre_mlp_layernorm",
            "post_mlp_layernorm",
        ),
        further=attention_gate_and_expert_bias,
    ),
    "granitemoeshared": Style(
        model_class="GraniteMoeSharedForCausalLM",
        experts=ExpertStyle(router="router"),
        mlp="block_sparse_moe",
        further=shared_granite_expert,
    ),
    "granitemoe_swa": Style(
        model_class="GraniteMoeSWAForCausalLM",
        experts=ExpertStyle(router="router"),
        kinds=windows_but_first_of(4),
        sinks=True,
        mlp="block_sparse_moe",
        further=shared_granite_expert,
    ),
    "solar_open": Style(
        model_class="SolarOpenForCausalLM",
        experts=ExpertStyle(
            experts="n_routed_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
        ),
        out_bias=False,
        kv_required=True,
        head_size_required=True,
    ),
    "hy_v3": Style(
        model_class="HYV3ForCausalLM",
        experts=ExpertStyle(
            experts="num_experts",
            width="moe_intermediate_size",
            shared_count="num_shared_experts",
            shared_width_without_count="intermediate_size",
        ),
        sparse=listed_or_after_first,
        window_flag=False,
        head_norm="per_head",
        mlp_bias="mlp_bias",
        kv_required=True,
        head_size_required=True,
    ),
    "hunyuan_v1_moe": Style(
        model_class="HunYuanMoEV1ForCausalLM",
        experts=ExpertStyle(
            experts="num_experts",
            active="moe_topk",
            router="gate.wg",
            shared="shared_mlp",
            shared_width="intermediate_size",
        ),
        window_flag=False,
        head_norm="per_head",
        head_size_required=True,
        names=AttentionNames(query_norm="query_layernorm", key_norm="key_layernorm"),
    ),
    "cohere2_moe": Style(
        model_class="Cohere2MoeForCausalLM",
        experts=ExpertStyle(
            experts="num_experts", shared_count="num_shared_experts", shared_may_be_absent=True
        ),
        sparse=listed_or_after_prefix,
        kinds=windows_after_prefix,
        norm="layer_no_bias",
        norms=("input_layernorm",),
        head_size_required=True,
        dense_width="prefix_dense_intermediate_size",
    ),
}

CORRECTED = frozenset({"exaone_moe", "solar_open", "hy_v3"})
"""Types whose class keeps the correction bias of its routers as a buffer."""


def one_number(config: Config, name: str) -> Config:
    """Return the configuration with one number where a file repeats it for every layer."""
    listed = config.entries(name) if isinstance(config.raw(name), list | tuple) else None
    if listed is None:
        return config
    if not listed or any(number != listed[0] for number in listed):
        raise InputError(
            "unsupported_architecture", f"{config.model_type} config: {name} differs from layer to layer"
        )
    return config.read_as(config.model_type, {name: listed[0]})


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    if config.model_type == "hunyuan_v1_moe":
        config = one_number(config, "moe_topk")
    found = expert_decoder(config, MODEL_TYPES[config.model_type])
    return with_corrections(found) if config.model_type in CORRECTED else found
