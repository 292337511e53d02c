"""MPT: ALiBi, LayerNorms without biases, no biases at all, a feed-forward size of 4*D.

``expansion_ratio`` is read by no class. Source: the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import (
    AttentionPlan,
    DecoderPlan,
    FeedForwardPlan,
    decoder,
    four_times_hidden,
)
from sizewise.plans.fields import Skeleton, equal_heads

MODEL_TYPES: dict[str, DecoderPlan] = {
    "mpt": DecoderPlan(
        model_class="MptForCausalLM",
        attention=AttentionPlan(
            part="attn", heads=equal_heads, names=AttentionNames(fused="Wqkv", output="out_proj")
        ),
        feed_forward=FeedForwardPlan(part="ffn", width=four_times_hidden, gated=False),
        norms=("norm_1", "norm_2"),
        skeleton=Skeleton(
            embedding="transformer.wte",
            layers="transformer.blocks",
            final_norm="transformer.norm_f",
            norm="layer_no_bias",
        ),
        context=("max_seq_len",),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of MPT."""
    return decoder(config, MODEL_TYPES[config.model_type])
