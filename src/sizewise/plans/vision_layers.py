"""Layers of vision encoders: bidirectional attention and a feed-forward layer, each with a norm.

A plan names the modules and says what has a bias; `encoder` builds the stack from the sizes.
Source: Dosovitskiy et al. 2020, arXiv:2010.11929; modelling files of transformers 5.23.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.architecture import Part, Stack, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention, HeadNorm
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.plans.fields import Heads, equal_heads


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionLayerPlan:
    """Module names, biases and norms of a layer."""

    attention: str = "self_attn"
    attention_names: AttentionNames = AttentionNames(output="out_proj")
    qkv_bias: bool = True
    key_bias: bool = True
    """Keys have a bias where queries and values have one."""
    out_bias: bool = True
    head_norm: HeadNorm = "none"
    mlp: str = "mlp"
    mlp_names: FeedForwardNames = FeedForwardNames(up="fc1", down="fc2")
    gated: bool = False
    mlp_bias: bool = True
    norms: tuple[str, ...] = ("layer_norm1", "layer_norm2")
    norm: NormKind = "layer"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionSizes:
    """Hidden size D, heads, feed-forward size F and number of layers of an encoder."""

    hidden: int
    heads: Heads
    width: int
    layers: int


def vision_sizes(
    config: Config,
    *,
    hidden: str = "hidden_size",
    heads: str = "num_attention_heads",
    width: int | None = None,
    layers: str = "num_hidden_layers",
) -> VisionSizes:
    """Read the sizes under the usual names, or under the given ones; ``width`` replaces the field."""
    size = config.size(hidden)
    return VisionSizes(
        hidden=size,
        heads=equal_heads(config, query=config.size(heads), hidden=size),
        width=config.size("intermediate_size") if width is None else width,
        layers=config.layers(layers),
    )


def no_parts(index: int) -> tuple[Part, ...]:
    """Return no parts."""
    return ()


def encoder(
    name: str,
    sizes: VisionSizes,
    plan: VisionLayerPlan,
    *,
    extra: Callable[[int], tuple[Part, ...]] = no_parts,
) -> Stack:
    """Return the layers under the module ``name``; ``extra`` adds parts to the layer of an index."""
    norm = Norm(width=sizes.hidden, kind=plan.norm)
    parts = (
        Part(name=plan.attention, component=_attention(sizes, plan)),
        Part(name=plan.mlp, component=_feed_forward(sizes, plan)),
        *(Part(name=each, component=norm) for each in plan.norms),
    )
    additions = [extra(index) for index in range(sizes.layers)]
    return stack(name, additions, lambda index: (*parts, *additions[index]))


def _attention(sizes: VisionSizes, plan: VisionLayerPlan) -> GroupedQueryAttention:
    return GroupedQueryAttention(
        hidden=sizes.hidden,
        query_heads=sizes.heads.query,
        kv_heads=sizes.heads.key_value,
        head_size=sizes.heads.size,
        qkv_bias=plan.qkv_bias,
        key_bias=plan.key_bias,
        out_bias=plan.out_bias,
        head_norm=plan.head_norm,
        cached=False,
        names=plan.attention_names,
    )


def _feed_forward(sizes: VisionSizes, plan: VisionLayerPlan) -> FeedForward:
    return FeedForward(
        hidden=sizes.hidden,
        width=sizes.width,
        gated=plan.gated,
        bias=plan.mlp_bias,
        names=plan.mlp_names,
    )
