"""Cohere's Command models: attention and feed-forward in parallel after one LayerNorm without bias.

Source: the modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, decoder
from sizewise.plans.fields import Skeleton
from sizewise.plans.windows import Windows, patterned

MODEL_TYPES: dict[str, DecoderPlan] = {
    "cohere": DecoderPlan(
        model_class="CohereForCausalLM",
        attention=AttentionPlan(
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            head_norm="every_head",
            head_norm_if="use_qk_norm",
        ),
        norms=("input_layernorm",),
        skeleton=Skeleton(norm="layer_no_bias"),
        context=("model_max_length", "max_position_embeddings"),
    ),
    "cohere2": DecoderPlan(
        model_class="Cohere2ForCausalLM",
        attention=AttentionPlan(
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            windows=Windows(rule=patterned(4)),
        ),
        norms=("input_layernorm",),
        skeleton=Skeleton(norm="layer_no_bias"),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
