"""HY V4: indexed latent attention with sinks and a gated output, streams that stay apart, experts.

Source: configuration and modelling files of transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.hyper_connections import HyperConnection, HyperHead
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import ExpertStyle, listed_or_after_first
from sizewise.plans.fields import causal_model
from sizewise.plans.indexers import INDEXED, indexer, listed_indexers
from sizewise.plans.latent import feed_forward, latent_attention

MODEL_TYPES = {"hy_v4": "HYV4ForCausalLM"}

EXPERTS = ExpertStyle(
    experts="n_routed_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
)


def _indexers(config: Config, layers: int) -> list[bool]:
    """Tell which layers own an indexer: ``indexer_types``, else layer 0 and every fourth from layer 1 on."""
    config.per_layer("layer_types", layers, INDEXED)
    if config.raw("indexer_types") is not None:
        return listed_indexers(config, "indexer_types", layers)
    return [index == 0 or (index - 1) % 4 == 0 for index in range(layers)]


def _attention(config: Config, owns_indexer: bool) -> tuple[Part, ...]:
    """Return the attention, its sinks and the gate of its output."""
    own = indexer(config) if owns_indexer else None
    attention = latent_attention(config, indexer=own, indexed=True)
    gate = Linear(inputs=attention.hidden, outputs=attention.values, role="attention")
    sinks = LearnedTensor(name="sinks", shape=(attention.heads,), role="attention")
    return (
        Part(name="self_attn", component=attention),
        Part(name="self_attn", component=sinks),
        Part(name="self_attn.gate_proj", component=gate),
    )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of an HY V4 configuration."""
    hidden, streams, layers = config.size("hidden_size"), config.size("hc_mult"), config.layers()
    norm = Norm(width=hidden)
    connection = HyperConnection(hidden=hidden, streams=streams, mixes=False)
    kinds = list(zip(_indexers(config, layers), listed_or_after_first(config, layers), strict=True))

    def layer(index: int) -> tuple[Part, ...]:
        owns_indexer, is_sparse = kinds[index]
        return (
            *_attention(config, owns_indexer),
            *feed_forward(config, EXPERTS, is_sparse),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
            Part(name="attn_hc", component=connection),
            Part(name="ffn_hc", component=connection),
        )

    found = causal_model(config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer))
    head = Part(name="model.hc_head", component=HyperHead(hidden=hidden, streams=streams))
    return with_corrections(replace(found, body=(*found.body[:-1], head, found.body[-1])))
