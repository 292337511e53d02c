"""Mixtral and the decoders that follow its plan: grouped-query attention, then experts or one MLP.

What differs between the types (which layers are sparse, which see a window, biases, norms, module and
field names) is the table below; the plan is `sizewise.plans.expert_decoder`.
Source: the configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.beside import Prediction, last_layer, with_corrections, with_predictions
from sizewise.plans.expert_decoder import (
    Style,
    all_full,
    alternating,
    alternating_below,
    chunks_with_positions,
    expert_decoder,
    windows_from,
)
from sizewise.plans.experts import (
    ExpertStyle,
    after_first_dense,
    every_interval,
    every_step,
    interleaved,
    listed_or_every,
)

MODEL_TYPES: dict[str, Style] = {
    "mixtral": Style(
        model_class="MixtralForCausalLM",
        experts=ExpertStyle(),
        qkv_bias=False,
        out_bias=False,
    ),
    "phimoe": Style(
        model_class="PhimoeForCausalLM",
        experts=ExpertStyle(router="router", always_active=2),
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
    "qwen3_vl_moe_text": Style(
        model_class="Qwen3VLMoeTextModel",
        experts=ExpertStyle(experts="num_experts", width="moe_intermediate_size"),
        sparse=every_step,
        head_norm="per_head",
    ),
    "qwen3_omni_moe_text": Style(
        model_class="Qwen3OmniMoeThinkerTextModel",
        experts=ExpertStyle(experts="num_experts", width="moe_intermediate_size"),
        sparse=every_step,
        head_norm="per_head",
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
    "glm4v_moe_text": Style(
        model_class="Glm4vMoeTextModel",
        experts=ExpertStyle(
            experts="n_routed_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
        ),
        sparse=after_first_dense,
        out_bias=False,
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
    "flex_olmo": Style(
        model_class="FlexOlmoForCausalLM",
        experts=ExpertStyle(experts="num_experts"),
        head_norm="full",
        norms=("post_attention_layernorm", "post_feedforward_layernorm"),
    ),
    "mellum": Style(
        model_class="MellumForCausalLM",
        experts=ExpertStyle(experts="num_experts", width="moe_intermediate_size"),
        sparse=listed_or_every,
        kinds=all_full,
        head_norm="per_head",
        kv_required=True,
        head_size_required=True,
    ),
}

CORRECTED = frozenset({"minimax_m2", "glm4_moe", "glm4v_moe_text", "dots1"})
"""Types whose class keeps the correction bias of its routers as a buffer."""
PREDICTIONS = {"glm4_moe": Prediction(count=1, copies=True, corrected=True)}
"""Types whose files hold layers for further tokens."""


def _check_norms(config: Config) -> None:
    """Raise InputError where the norm of all queries, as wide as the hidden size, does not fit them."""
    hidden, query = config.size("hidden_size"), config.size("num_attention_heads")
    size = config.optional_size("head_dim") or hidden // query
    if query * size != hidden:
        raise InputError(
            "inconsistent",
            f"{config.model_type} config: {query} heads of {size} do not make up the hidden size {hidden} "
            "that the norm of the queries has",
        )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    if config.model_type == "olmoe":
        _check_norms(config)
    found = expert_decoder(config, MODEL_TYPES[config.model_type])
    if config.model_type in CORRECTED:
        found = with_corrections(found)
    if config.model_type in PREDICTIONS:
        found = with_predictions(config, found, PREDICTIONS[config.model_type], last_layer(found))
    return found
