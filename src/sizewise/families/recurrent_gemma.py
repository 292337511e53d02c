"""RecurrentGemma (Griffin): recurrent blocks with attention to a window every few layers.

Source: the configuration and modelling files of transformers 5.23; Botev et al. 2024, arXiv:2404.07839.
"""

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.components.rg_lru import RecurrentBlock
from sizewise.configuration import LAYER_LIMIT, Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model, checked_heads

MODEL_TYPES = {"recurrent_gemma": "RecurrentGemmaForCausalLM"}

PATTERN_REPEATS = 100
"""How often the class repeats the pattern of blocks; deeper models have no block for the rest."""


def _blocks(config: Config) -> list[str]:
    """Return the block of each layer: ``block_types``, repeated; what is not recurrent is attention."""
    pattern, layers = config.entries("block_types"), config.layers()
    if not pattern or len(pattern) * PATTERN_REPEATS < layers:
        raise config.bad("block_types", f"repeated {PATTERN_REPEATS} times does not fill {layers} layers")
    kinds = ["recurrent" if block == "recurrent" else "attention" for block in pattern]
    return [kinds[index % len(kinds)] for index in range(min(layers, LAYER_LIMIT))]


def _recurrent(config: Config) -> RecurrentBlock:
    hidden, heads = config.size("hidden_size"), config.size("num_attention_heads")
    width = config.optional_size("lru_width") or hidden
    if width % heads:
        raise InputError(
            "inconsistent", f"recurrent_gemma config: {heads} heads do not divide lru_width {width}"
        )
    return RecurrentBlock(hidden=hidden, width=width, blocks=heads, kernel=config.size("conv1d_width"))


def _attention(config: Config) -> GroupedQueryAttention:
    query = config.size("num_attention_heads")
    key_value = config.optional_size("num_key_value_heads") or query
    given = config.size("head_dim") if config.present("head_dim") else None
    counts = checked_heads(config, query, key_value, given or max(config.size("hidden_size") // query, 1))
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=config.flag("attention_bias"),
        out_bias=True,
        window=config.size("attention_window_size"),
    )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture; the feed-forward layers have half of the width that the file says."""
    hidden, blocks = config.size("hidden_size"), _blocks(config)
    mixers: dict[str, Component] = {}
    if "recurrent" in blocks:
        mixers["recurrent"] = _recurrent(config)
    if "attention" in blocks:
        mixers["attention"] = _attention(config)
    norm = Norm(width=hidden)
    feed_forward = FeedForward(hidden=hidden, width=config.size("intermediate_size") // 2, bias=True)

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="temporal_pre_norm", component=norm),
            Part(name="temporal_block", component=mixers[blocks[index]]),
            Part(name="channel_pre_norm", component=norm),
            Part(name="mlp_block", component=feed_forward),
        )

    skeleton = Skeleton(final_norm="model.final_norm")
    layers = stack("model.layers", blocks, layer)
    return causal_model(config, MODEL_TYPES[config.model_type], layers, skeleton=skeleton)
