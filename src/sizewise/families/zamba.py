"""Zamba: Mamba layers, of which some also pass through one transformer block that all of them share.

The block sees the hidden state beside the embedding, so it is twice as wide; it is stored once, at the
first of its layers, and every use computes and keeps keys anew. Without ``tie_word_embeddings`` the
class shares nothing: each of these layers has a block of its own. Source: the configuration and modelling
files of transformers 5.23; Glorioso et al. 2024, arXiv:2405.16712.
"""

from collections.abc import Iterator

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.linear import Linear
from sizewise.components.mamba import Mamba, default_step_rank
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model, checked_heads

MODEL_TYPES = {"zamba": "ZambaForCausalLM"}

LAYER_KINDS = {"mamba": "mamba", "linear_attention": "mamba", "hybrid": "hybrid"}


def _kinds(config: Config) -> list[str]:
    """Return the kind of each layer: the list, else the third and then the offset-th of every period."""
    layers = config.layers()
    listed = config.per_layer("layers_block_type", layers, LAYER_KINDS)
    if listed is not None:
        return listed
    if layers < 3:
        raise config.bad("num_hidden_layers", f"is {layers}; without layers_block_type at least 3 are needed")
    period, offset = config.size("attn_layer_period"), config.count("attn_layer_offset")
    rest = ["hybrid" if index % period == offset else "mamba" for index in range(layers - 3)]
    return ["mamba", "mamba", "hybrid", *rest]


def _mamba(config: Config) -> Mamba:
    hidden, heads = config.size("hidden_size"), config.size("n_mamba_heads")
    inner = config.size("mamba_expand") * hidden
    if inner % heads:
        raise InputError(
            "inconsistent", f"zamba config: n_mamba_heads {heads} do not divide the {inner} inner channels"
        )
    return Mamba(
        hidden=hidden,
        inner=inner,
        state=config.size("mamba_d_state"),
        step_rank=config.size_or_auto("mamba_dt_rank") or default_step_rank(hidden),
        kernel=config.size("mamba_d_conv"),
        bias=config.flag("mamba_proj_bias"),
        conv_bias=config.flag("mamba_conv_bias"),
        heads=heads,
    )


def _attention(config: Config) -> GroupedQueryAttention:
    hidden, query = config.size("hidden_size"), config.size("num_attention_heads")
    size = config.optional_count("attention_head_dim") or max(2 * hidden // query, 1)
    counts = checked_heads(config, query, config.size("num_key_value_heads"), size)
    return GroupedQueryAttention(
        hidden=hidden,
        query_heads=query,
        kv_heads=counts.key_value,
        head_size=size,
        inputs=_attention_width(config),
    )


def _attention_width(config: Config) -> int:
    """Return the width of the hidden state beside the embedding."""
    return config.optional_count("attention_hidden_size") or 2 * config.size("hidden_size")


def _shared_block(config: Config, uses: int) -> Iterator[Part]:
    """Yield the transformer block that ``uses`` layers share."""
    hidden = config.size("hidden_size")
    feed_forward = FeedForward(hidden=hidden, width=config.size("intermediate_size"))
    components: dict[str, Component] = {
        "self_attn": _attention(config),
        "feed_forward": feed_forward,
        "input_layernorm": Norm(width=_attention_width(config)),
        "pre_ff_layernorm": Norm(width=hidden),
    }
    for name, component in components.items():
        yield Part(name=f"shared_transf.{name}", component=component, uses=uses)


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a Zamba configuration."""
    hidden, kinds = config.size("hidden_size"), _kinds(config)
    mamba, norm = _mamba(config), Norm(width=hidden)
    shared = config.flag("tie_word_embeddings")
    hybrids = [index for index, kind in enumerate(kinds) if kind == "hybrid"]
    owners = hybrids[:1] if shared else hybrids
    uses = len(hybrids) if shared else 1

    def layer(index: int) -> tuple[Part, ...]:
        if kinds[index] == "mamba":
            return Part(name="mamba", component=mamba), Part(name="input_layernorm", component=norm)
        joint = Linear(inputs=hidden, outputs=hidden, role="attention")
        return (
            *(_shared_block(config, uses) if index in owners else ()),
            Part(name="linear", component=joint),
            Part(name="mamba_decoder.mamba", component=mamba),
            Part(name="mamba_decoder.input_layernorm", component=norm),
        )

    alike = [(kind, index in owners) for index, kind in enumerate(kinds)]
    skeleton = Skeleton(final_norm="model.final_layernorm")
    return causal_model(
        config, MODEL_TYPES[config.model_type], stack("model.layers", alike, layer), skeleton=skeleton
    )
