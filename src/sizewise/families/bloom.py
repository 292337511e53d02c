"""BLOOM: ALiBi in place of positions, a LayerNorm on the embedding, a feed-forward size of 4*D.

Source: Scao et al. 2022, arXiv:2211.05100; the modelling file of transformers 5.23.
"""

from collections.abc import Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import (
    AttentionPlan,
    DecoderPlan,
    FeedForwardPlan,
    decoder,
    four_times_hidden,
    older_hidden_size,
)
from sizewise.plans.fields import Heads, Skeleton, equal_heads


def bloom_heads(config: Config) -> Heads:
    """Read the head count: every head has keys and values of its own."""
    return equal_heads(config, hidden=older_hidden_size(config))


def embedding_norm(config: Config) -> Sequence[Part]:
    """Return the LayerNorm that stands on the embedding."""
    norm = Norm(width=older_hidden_size(config), kind="layer")
    return (Part(name="transformer.word_embeddings_layernorm", component=norm),)


MODEL_TYPES: dict[str, DecoderPlan] = {
    "bloom": DecoderPlan(
        model_class="BloomForCausalLM",
        attention=AttentionPlan(
            part="self_attention",
            heads=bloom_heads,
            qkv_bias=True,
            out_bias=True,
            names=AttentionNames(fused="query_key_value", output="dense"),
        ),
        feed_forward=FeedForwardPlan(
            width=four_times_hidden,
            gated=False,
            bias=True,
            names=FeedForwardNames(up="dense_h_to_4h", down="dense_4h_to_h"),
        ),
        skeleton=Skeleton(
            embedding="transformer.word_embeddings",
            layers="transformer.h",
            final_norm="transformer.ln_f",
            norm="layer",
        ),
        hidden=older_hidden_size,
        before=embedding_norm,
        context=("max_position_embeddings", "seq_length"),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of BLOOM."""
    return decoder(config, MODEL_TYPES[config.model_type])
