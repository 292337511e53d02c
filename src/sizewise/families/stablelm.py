"""StableLM: a gated decoder with LayerNorms; one of them is gone where the residuals are parallel.

Source: the modelling file of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, decoder
from sizewise.plans.fields import Heads, Skeleton, checked_heads, equal_heads

HEAD_LIMIT = 65_536
"""Head norms are stored one by one, so a file must not ask for more heads than could be listed."""


def stablelm_heads(config: Config) -> Heads:
    """Read the head counts; the head size is hidden / heads whatever ``head_dim`` says."""
    query = config.size("num_attention_heads", high=HEAD_LIMIT)
    key_value = config.size("num_key_value_heads")
    return checked_heads(config, query, key_value, equal_heads(config).size)


MODEL_TYPES: dict[str, DecoderPlan] = {
    "stablelm": DecoderPlan(
        model_class="StableLmForCausalLM",
        attention=AttentionPlan(
            heads=stablelm_heads,
            qkv_bias="use_qkv_bias",
            head_norm="listed_heads",
            head_norm_if="qk_layernorm",
            names=AttentionNames(query_norm="q_layernorm", key_norm="k_layernorm"),
        ),
        skeleton=Skeleton(norm="layer"),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of StableLM."""
    plan = MODEL_TYPES[config.model_type]
    if config.flag("use_parallel_residual"):
        plan = replace(plan, norms=("input_layernorm",))
    return decoder(config, plan)
