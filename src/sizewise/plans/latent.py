"""Layers with latent attention: what most types read alike, the attention and what follows it.

Source: configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Part
from sizewise.components.feed_forward import FeedForward
from sizewise.components.latent_attention import Indexer, LatentAttention
from sizewise.configuration import Config
from sizewise.plans.experts import ExpertStyle, expert_parts


def latent_attention(
    config: Config,
    *,
    compressed: bool = True,
    indexer: Indexer | None = None,
    indexed: bool = False,
    gated: bool = False,
) -> LatentAttention:
    """Return the attention; ``compressed`` queries have a latent, ``indexed`` keys are picked."""
    return LatentAttention(
        hidden=config.size("hidden_size"),
        heads=config.size("num_attention_heads"),
        query_rank=config.size("q_lora_rank") if compressed else None,
        latent_rank=config.size("kv_lora_rank"),
        plain_size=config.size("qk_nope_head_dim"),
        rotary_size=config.size("qk_rope_head_dim"),
        value_size=config.size("v_head_dim"),
        bias=config.flag("attention_bias"),
        indexer=indexer,
        selected=config.size("index_topk") if indexed else None,
        gated=gated,
    )


def feed_forward(config: Config, experts: ExpertStyle, is_sparse: bool) -> tuple[Part, ...]:
    """Return the experts of a sparse layer, the feed-forward layer of a dense one."""
    if is_sparse:
        return expert_parts(config, experts, "mlp")
    dense = FeedForward(hidden=config.size("hidden_size"), width=config.size("intermediate_size"))
    return (Part(name="mlp", component=dense),)
