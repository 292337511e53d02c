"""DeepSeek-V4: compressed attention, hyper-connections around every layer, experts in all of them.

Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Mapping
from typing import Any

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.compressed_attention import CompressedAttention, Compressor, EntryIndexer
from sizewise.components.feed_forward import FeedForward
from sizewise.components.hyper_connections import HyperConnection, HyperHead
from sizewise.components.norms import Norm
from sizewise.configuration import SIZE_LIMIT, Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import causal_model

MODEL_TYPES = {"deepseek_v4": "DeepseekV4ForCausalLM"}

SLIDING, SPARSE, HEAVY = "sliding_attention", "compressed_sparse_attention", "heavily_compressed_attention"
LAYER_KINDS = {SLIDING: SLIDING, SPARSE: SPARSE, HEAVY: HEAVY}
OF_RATIO = {0: SLIDING, 4: SPARSE, 128: HEAVY}
"""Kinds of layers by their older name, a ratio of compression."""
OLDER_RATES = {SPARSE: "compress_rate_csa", HEAVY: "compress_rate_hca"}
DEFAULT_RATES = {SPARSE: 4, HEAVY: 128}
EXPERTS = ExpertStyle(experts="n_routed_experts", width="moe_intermediate_size")


def _kinds(config: Config) -> list[str]:
    """Return the attention of each layer: a list, longer ones are cut, or two heavy layers and turns."""
    layers = config.layers()
    if config.raw("layer_types") is not None:
        return _cut(config, "layer_types", LAYER_KINDS, layers)
    if config.raw("compress_ratios") is not None:
        return _cut(config, "compress_ratios", OF_RATIO, layers)
    return [SPARSE if index >= 2 and index % 2 else HEAVY for index in range(layers)]


def _cut(config: Config, name: str, known: Mapping[Any, str], layers: int) -> list[str]:
    """Read a list with one entry per layer, or more: those of prediction layers are not used."""
    entries = config.entries(name) or ()
    if len(entries) < layers:
        raise InputError(
            "inconsistent", f"deepseek_v4 config: {name} has {len(entries)} entries for {layers} layers"
        )
    if any(isinstance(entry, bool | float | list | dict) or entry not in known for entry in entries):
        raise config.bad(name, f"holds an unknown kind; known are {', '.join(map(str, known))}")
    return [known[entry] for entry in entries[:layers]]


def _rate(config: Config, kind: str) -> int:
    """Return how many tokens become one entry: the older field wins over ``compress_rates``."""
    if config.given(OLDER_RATES[kind]):
        return config.size(OLDER_RATES[kind])
    rates = config.raw("compress_rates")
    if rates is None:
        return DEFAULT_RATES[kind]
    rate = rates.get(kind) if isinstance(rates, Mapping) else None
    if isinstance(rate, bool) or not isinstance(rate, int) or not 1 <= rate <= SIZE_LIMIT:
        raise config.bad("compress_rates", f"has no whole number from 1 for {kind}")
    return rate


def _compressor(config: Config, kind: str) -> Compressor | None:
    if kind == SLIDING:
        return None
    indexer = EntryIndexer(
        heads=config.size("index_n_heads"),
        head_size=config.size("index_head_dim"),
        selected=config.size("index_topk"),
    )
    return Compressor(rate=_rate(config, kind), indexer=indexer if kind == SPARSE else None)


def _attention(config: Config, kind: str) -> CompressedAttention:
    heads, groups = config.size("num_attention_heads"), config.size("o_groups")
    size = config.size("head_dim")
    if heads * size % groups:
        raise InputError(
            "inconsistent", f"deepseek_v4 config: o_groups {groups} do not divide {heads} heads of {size}"
        )
    return CompressedAttention(
        hidden=config.size("hidden_size"),
        heads=heads,
        head_size=size,
        query_rank=config.size("q_lora_rank"),
        groups=groups,
        output_rank=config.size("o_lora_rank"),
        window=config.size("sliding_window"),
        compressor=_compressor(config, kind),
    )


def _shared_expert(config: Config) -> Part:
    """Return the shared expert: one, whatever ``n_shared_experts`` says."""
    count = config.optional_count("n_shared_experts")
    if count != 1:
        config.notice("inconsistent", f"n_shared_experts is {count}; the class has one")
    layer = FeedForward(
        hidden=config.size("hidden_size"),
        width=config.size("moe_intermediate_size"),
        bias=config.flag("mlp_bias"),
        role="shared_expert",
    )
    return Part(name="mlp.shared_experts", component=layer)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture; layers that route by a table of tokens store the same weights as others."""
    hidden, kinds = config.size("hidden_size"), _kinds(config)
    norm, streams = Norm(width=hidden), config.size("hc_mult")
    connection = HyperConnection(hidden=hidden, streams=streams)
    feed_forward = (*expert_parts(config, EXPERTS, "mlp"), _shared_expert(config))

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=_attention(config, kinds[index])),
            *feed_forward,
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
            Part(name="attn_hc", component=connection),
            Part(name="ffn_hc", component=connection),
        )

    head = Part(name="model.hc_head", component=HyperHead(hidden=hidden, streams=streams))
    layers = stack("model.layers", kinds, layer)
    return causal_model(config, MODEL_TYPES[config.model_type], layers, extra=(head,))
