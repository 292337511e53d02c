"""GLM and GLM-4: gated decoders that store gate and up as one matrix; GLM-4 has four norms per layer.

Source: the modelling files of transformers 5.23.
"""

from functools import partial

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import Heads, equal_heads, heads

ATTENTION = AttentionPlan(heads=partial(heads, kv_required=True), qkv_bias="attention_bias")
FUSED = FeedForwardPlan(names=FeedForwardNames(fused="gate_up_proj"))

FOUR_NORMS = (
    "input_layernorm",
    "post_self_attn_layernorm",
    "post_attention_layernorm",
    "post_mlp_layernorm",
)


def even_heads(config: Config) -> Heads:
    """Read heads of size hidden / heads, whatever ``head_dim`` a file has."""
    return equal_heads(config, key_value=config.size("num_key_value_heads"))


MODEL_TYPES: dict[str, DecoderPlan] = {
    "glm": DecoderPlan(model_class="GlmForCausalLM", attention=ATTENTION, feed_forward=FUSED),
    "glm4": DecoderPlan(
        model_class="Glm4ForCausalLM",
        attention=ATTENTION,
        feed_forward=FUSED,
        norms=FOUR_NORMS,
    ),
    "glm4v_text": DecoderPlan(
        model_class="Glm4vTextModel",
        attention=AttentionPlan(heads=even_heads, qkv_bias=True),
        feed_forward=FUSED,
        norms=FOUR_NORMS,
    ),
    "glm_ocr_text": DecoderPlan(
        model_class="GlmOcrTextModel",
        attention=AttentionPlan(heads=partial(heads, kv_required=True)),
        feed_forward=FUSED,
        norms=FOUR_NORMS,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
