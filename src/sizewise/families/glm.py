"""GLM and GLM-4: gated decoders that store gate and up as one matrix; GLM-4 has four norms per layer.

Source: the modelling files of transformers 5.23.
"""

from functools import partial

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import heads

ATTENTION = AttentionPlan(heads=partial(heads, kv_required=True), qkv_bias="attention_bias")
FUSED = FeedForwardPlan(names=FeedForwardNames(fused="gate_up_proj"))

MODEL_TYPES: dict[str, DecoderPlan] = {
    "glm": DecoderPlan(model_class="GlmForCausalLM", attention=ATTENTION, feed_forward=FUSED),
    "glm4": DecoderPlan(
        model_class="Glm4ForCausalLM",
        attention=ATTENTION,
        feed_forward=FUSED,
        norms=(
            "input_layernorm",
            "post_self_attn_layernorm",
            "post_attention_layernorm",
            "post_mlp_layernorm",
        ),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
