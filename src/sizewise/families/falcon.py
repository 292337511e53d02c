"""Falcon: fused attention with one, few or all key/value heads, and one or two LayerNorms per layer.

Source: Almazrouei et al. 2023, arXiv:2311.16867; the modelling file of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import (
    AttentionPlan,
    DecoderPlan,
    FeedForwardPlan,
    decoder,
    older_hidden_size,
    width_or_four_times_hidden,
)
from sizewise.plans.fields import Heads, Skeleton, equal_heads


def falcon_heads(config: Config) -> Heads:
    """Read the head counts: ``num_kv_heads`` counts in the new architecture alone.

    In the old one ``multi_query`` means one key/value head, else every head has its own.
    """
    counts = equal_heads(config, hidden=older_hidden_size(config))
    if not config.flag("new_decoder_architecture"):
        return replace(counts, key_value=1) if config.flag("multi_query") else counts
    key_value = config.optional_size("num_kv_heads") or counts.query
    if key_value > counts.query:
        raise config.bad("num_kv_heads", f"is {key_value}, more than the {counts.query} heads")
    if counts.query % key_value:
        config.notice("inconsistent", f"{key_value} key/value heads do not divide {counts.query} heads")
    return replace(counts, key_value=key_value)


def norm_names(config: Config) -> tuple[str, ...]:
    """Return the LayerNorms of a layer: one or two where attention and feed-forward are parallel."""
    if not config.flag("parallel_attn"):
        return ("input_layernorm", "post_attention_layernorm")
    default = 2 if config.flag("new_decoder_architecture") else 1
    count = config.optional_count("num_ln_in_parallel_attn")
    return ("ln_attn", "ln_mlp") if (default if count is None else count) == 2 else ("input_layernorm",)


MODEL_TYPES: dict[str, DecoderPlan] = {
    "falcon": DecoderPlan(
        model_class="FalconForCausalLM",
        attention=AttentionPlan(
            part="self_attention",
            heads=falcon_heads,
            qkv_bias="bias",
            out_bias="bias",
            repeated="new_decoder_architecture",
            names=AttentionNames(fused="query_key_value", output="dense"),
        ),
        feed_forward=FeedForwardPlan(
            width=width_or_four_times_hidden("ffn_hidden_size"),
            gated=False,
            bias="bias",
            names=FeedForwardNames(up="dense_h_to_4h", down="dense_4h_to_h"),
        ),
        skeleton=Skeleton(
            embedding="transformer.word_embeddings",
            layers="transformer.h",
            final_norm="transformer.ln_f",
            norm="layer",
        ),
        hidden=older_hidden_size,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of Falcon."""
    found = decoder(config, replace(MODEL_TYPES[config.model_type], norms=norm_names(config)))
    return replace(found, parallel=config.flag("parallel_attn") or config.flag("new_decoder_architecture"))
