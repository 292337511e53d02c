"""A.X K2: indexed latent attention with a gated output, norms with gates of low rank, then experts.

Source: configuration and modelling files of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.low_rank import LowRank
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.beside import with_corrections
from sizewise.plans.experts import ExpertStyle, listed_or_every_few
from sizewise.plans.fields import causal_model
from sizewise.plans.indexers import INDEXED, indexer
from sizewise.plans.latent import feed_forward, latent_attention

MODEL_TYPES = {"axk2": "AXK2ForCausalLM"}

EXPERTS = ExpertStyle(
    experts="n_routed_experts", width="moe_intermediate_size", shared_count="n_shared_experts"
)


def _gated_norm(config: Config, name: str) -> tuple[Part, ...]:
    """Return a norm and the two small matrices whose product gates its output."""
    hidden = config.size("hidden_size")
    gate = LowRank(
        inputs=hidden,
        outputs=hidden,
        rank=config.size("gated_norm_rank"),
        role="feed_forward",
        names=("fc1", "fc2"),
    )
    return (
        Part(name=f"{name}.norm", component=Norm(width=hidden)),
        Part(name=f"{name}.mlp", component=gate),
    )


def _check_groups(config: Config) -> None:
    """Raise InputError (inconsistent) for groups of experts that the class refuses."""
    groups, chosen = config.optional_size("n_group"), config.optional_count("topk_group")
    experts = config.size("n_routed_experts")
    if (groups is None) != (chosen is None):
        raise InputError("inconsistent", "axk2 config: n_group and topk_group must be set together")
    if groups and (experts % groups or (chosen or 0) > groups):
        raise InputError(
            "inconsistent",
            f"axk2 config: {experts} experts do not make {groups} groups of which {chosen} are chosen",
        )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of an A.X K2 configuration."""
    _check_groups(config)
    layers = config.layers()
    sparse = listed_or_every_few(config, layers)
    config.per_layer("layer_types", layers, INDEXED)
    attention = latent_attention(config, indexer=indexer(config), indexed=True, gated=True)
    plain = Part(name="post_attention_layernorm", component=Norm(width=config.size("hidden_size")))

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=attention),
            *feed_forward(config, EXPERTS, sparse[index]),
            *_gated_norm(config, "input_layernorm"),
            *(_gated_norm(config, "post_attention_layernorm") if sparse[index] else (plain,)),
        )

    body = stack("model.layers", sparse, layer)
    return with_corrections(causal_model(config, MODEL_TYPES[config.model_type], body))
