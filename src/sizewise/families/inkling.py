"""Inkling: attention with relative logits and short convolutions, experts of which some are shared.

Full and sliding layers have heads of their own. Source: the configuration and modelling files of
transformers 5.23.
"""

from sizewise.architecture import Architecture, Component, Part, stack
from sizewise.components.causal_convolution import CausalConvolution
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.components.separate_experts import SeparateExperts
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.experts import active_experts
from sizewise.plans.fields import Skeleton, causal_model, checked_heads

MODEL_TYPES = {"inkling_text": "InklingForCausalLM"}

FULL, SLIDING = "hybrid", "hybrid_sliding"
LAYER_KINDS = {FULL: FULL, SLIDING: SLIDING}
MLP_KINDS = {"dense": "dense", "sparse": "sparse"}
PERIOD = 6
"""Every how many layers attention is full where the file says nothing."""


def _attentions(config: Config) -> list[str]:
    """Return the attention of each layer: the list, else ``local_layer_ids``, else every sixth is full."""
    layers = config.layers()
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    if listed is not None:
        return listed
    local = config.indices("local_layer_ids")
    if local is None:
        return [SLIDING if (index + 1) % PERIOD else FULL for index in range(layers)]
    return [SLIDING if index in local else FULL for index in range(layers)]


def _feed_forwards(config: Config) -> list[str]:
    """Return the feed-forward layers: the list, else the first ``dense_mlp_idx`` (0) are dense."""
    layers = config.layers()
    listed = config.per_layer("mlp_layer_types", layers, MLP_KINDS)
    dense = config.count("dense_mlp_idx") if config.present("dense_mlp_idx") else 0
    return listed or ["dense" if index < dense else "sparse" for index in range(layers)]


def _attention(config: Config, kind: str) -> dict[str, Component]:
    """Return attention, the relative states and their logits, and the convolutions of keys and values."""
    prefix = "swa_" if kind == SLIDING else ""
    hidden = config.size("hidden_size")
    query = config.size(f"{prefix}num_attention_heads")
    counts = checked_heads(
        config, query, config.size(f"{prefix}num_key_value_heads"), config.size(f"{prefix}head_dim")
    )
    window = config.size("sliding_window_size")
    rank, extent = config.size("d_rel"), window if kind == SLIDING else config.size("rel_extent")
    mixer = GroupedQueryAttention(
        hidden=hidden,
        query_heads=query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        head_norm="per_head",
        window=window if kind == SLIDING else None,
    )
    short = CausalConvolution(channels=mixer.keys, kernel=config.size("conv_kernel_size"))
    return {
        "self_attn": mixer,
        "self_attn.r_proj": Linear(inputs=hidden, outputs=query * rank, role="attention"),
        "self_attn.rel_logits_proj": LearnedTensor(name="proj", shape=(rank, extent), role="attention"),
        "self_attn.k_sconv.conv1d": short,
        "self_attn.v_sconv.conv1d": short,
    }


def _widths(config: Config) -> tuple[int, int]:
    """Return the sizes of dense layers and of experts; older files name both in another way."""
    if config.given("dense_intermediate_size"):
        return config.size("dense_intermediate_size"), config.size("intermediate_size")
    return config.size("intermediate_size"), config.size("moe_intermediate_size")


def _feed_forward(config: Config, kind: str) -> dict[str, Component]:
    """Return one dense layer with a scale, or router, routed and shared experts."""
    hidden, (dense, width) = config.size("hidden_size"), _widths(config)
    scale = LearnedTensor(name="global_scale", shape=(1,), role="feed_forward")
    if kind == "dense":
        return {"mlp": FeedForward(hidden=hidden, width=dense), "mlp.": scale}
    routed, shared = config.size("n_routed_experts"), config.size("n_shared_experts")
    return {
        "mlp.gate": Router(hidden=hidden, experts=routed + shared),
        "mlp.gate.": scale,
        "mlp.experts": Experts(
            hidden=hidden,
            width=width,
            experts=routed,
            active=active_experts(config, "num_experts_per_tok", routed),
        ),
        "mlp.shared_experts": SeparateExperts(hidden=hidden, width=width, experts=shared),
    }


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of an Inkling language model."""
    hidden, name = config.size("hidden_size"), "model.embed_tokens.embed_norm"
    kinds = list(zip(_attentions(config), _feed_forwards(config), strict=True))
    norm = Norm(width=hidden)
    short = CausalConvolution(channels=hidden, kernel=config.size("conv_kernel_size"))
    around: dict[str, Component] = {
        "input_layernorm": norm,
        "post_attention_layernorm": norm,
        "attn_sconv.conv1d": short,
        "mlp_sconv.conv1d": short,
    }

    def layer(index: int) -> tuple[Part, ...]:
        attention, feed_forward = kinds[index]
        found = {**_attention(config, attention), **_feed_forward(config, feed_forward), **around}
        return tuple(Part(name=key.rstrip("."), component=component) for key, component in found.items())

    return causal_model(
        config,
        MODEL_TYPES[config.model_type],
        stack("model.layers", kinds, layer),
        skeleton=Skeleton(tied=False),
        extra=(Part(name=name, component=norm),),
    )
