"""Phi: the first generations are parallel and biased, the third is a Llama with fused projections.

Source: the modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import Skeleton
from sizewise.plans.windows import Windows, every_layer

MODEL_TYPES: dict[str, DecoderPlan] = {
    "phi": DecoderPlan(
        model_class="PhiForCausalLM",
        attention=AttentionPlan(
            qkv_bias=True,
            out_bias=True,
            head_norm="per_head_layer_norm",
            head_norm_if="qk_layernorm",
            names=AttentionNames(output="dense", query_norm="q_layernorm", key_norm="k_layernorm"),
        ),
        feed_forward=FeedForwardPlan(gated=False, bias=True, names=FeedForwardNames(up="fc1", down="fc2")),
        norms=("input_layernorm",),
        skeleton=Skeleton(final_norm="model.final_layernorm", norm="layer", head_bias=True),
    ),
    "phi3": DecoderPlan(
        model_class="Phi3ForCausalLM",
        attention=AttentionPlan(windows=Windows(rule=every_layer), names=AttentionNames(fused="qkv_proj")),
        feed_forward=FeedForwardPlan(names=FeedForwardNames(fused="gate_up_proj")),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return decoder(config, MODEL_TYPES[config.model_type])
