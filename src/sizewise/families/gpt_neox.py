"""GPT-NeoX and Pythia: fused attention with rotary positions, biases, two LayerNorms per layer.

Source: Black et al. 2022, arXiv:2204.06745; the modelling file of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.beside import causal_masks, rotary_frequencies
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import Skeleton, equal_heads

ROTARY_SHARE = 0.25
"""Share of a head's features with rotary positions where the file does not say it."""

MODEL_TYPES: dict[str, DecoderPlan] = {
    "gpt_neox": DecoderPlan(
        model_class="GPTNeoXForCausalLM",
        attention=AttentionPlan(
            part="attention",
            heads=equal_heads,
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            names=AttentionNames(fused="query_key_value", output="dense"),
        ),
        feed_forward=FeedForwardPlan(
            gated=False, bias=True, names=FeedForwardNames(up="dense_h_to_4h", down="dense_4h_to_h")
        ),
        skeleton=Skeleton(
            embedding="gpt_neox.embed_in",
            layers="gpt_neox.layers",
            final_norm="gpt_neox.final_layer_norm",
            norm="layer",
        ),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of GPT-NeoX."""
    found = decoder(config, MODEL_TYPES[config.model_type])
    share = config.ratio("rotary_pct") if config.given("rotary_pct") else ROTARY_SHARE
    rotary = rotary_frequencies(found.depth, int(equal_heads(config).size * share))
    masks = causal_masks(found.depth, found.context or 0)
    return replace(found, beside=(masks, rotary), parallel=config.flag("use_parallel_residual"))
