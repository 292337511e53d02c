"""What one rank of tensor parallelism holds of a mechanism: one rule per kind of component.

Matrices that widen are divided by rows, those that narrow by columns, so that two products need one sum:
heads, channels and feed-forward features are divided, everything that works on the hidden state whole is
on every rank. Key/value heads fewer than ranks are repeated.
Source: Shoeybi et al. 2019, arXiv:1909.08053; layers of vLLM 0.33.0 (model_executor/layers, models).
"""

from dataclasses import replace
from functools import singledispatch

from sizewise.architecture import Component
from sizewise.catalog.sharing import vocabulary_multiple
from sizewise.components.altup import AltUp
from sizewise.components.attention_experts import AttentionExperts
from sizewise.components.compressed_attention import CompressedAttention
from sizewise.components.convolution import Convolution
from sizewise.components.differential_attention import Differential
from sizewise.components.embeddings import Bias, Embedding, Head
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.flat_experts import FlatExperts
from sizewise.components.gated_delta_net import GatedDeltaNet
from sizewise.components.gated_residual import GatedResidual
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.hyper_connections import HyperConnection, HyperHead
from sizewise.components.key_indexer import KeyIndexer
from sizewise.components.kimi_delta_attention import KimiDeltaAttention
from sizewise.components.latent_attention import LatentAttention
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.lightning_attention import LightningAttention
from sizewise.components.linear import Linear
from sizewise.components.listed_experts import ListedExperts
from sizewise.components.mamba import Mamba
from sizewise.components.mamba2 import Mamba2
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.components.separate_experts import SeparateExperts
from sizewise.components.short_convolution import ShortConvolution
from sizewise.errors import UsageError
from sizewise.parallel.division import divided, divided_or_one, padded

WHOLE = (
    AltUp,
    Convolution,
    GatedResidual,
    HyperConnection,
    HyperHead,
    KeyIndexer,
    LearnedTensor,
    Norm,
    Router,
)
"""Kinds that engines hold whole on every rank."""


@singledispatch
def tensor_share(component: Component, ranks: int) -> Component:
    """Return what one of ``ranks`` holds; the component itself where it is not divided.

    Raises UsageError (bad_option) where it cannot be divided by so many.

    >>> layer = GroupedQueryAttention(hidden=8192, query_heads=64, kv_heads=8, head_size=128)
    >>> share = tensor_share(layer, 16)
    >>> share.query_heads, share.kv_heads
    (4, 1)
    """
    return component


def has_rule(component: Component) -> bool:
    """Tell whether it is known how engines hold a component: divided, or whole on every rank."""
    if isinstance(component, WHOLE) or tensor_share.dispatch(type(component)) is not _WITHOUT_RULE:
        return True
    return isinstance(component, Linear) and component.role in ("router", "head")


_WITHOUT_RULE = tensor_share.dispatch(object)


@tensor_share.register
def _attention(component: GroupedQueryAttention, ranks: int) -> Component:
    """Heads. A norm over the features of all heads is divided with them, as MiniMax-M2 has it in vLLM."""
    return replace(
        component,
        query_heads=divided(component.query_heads, ranks, "query heads"),
        kv_heads=divided_or_one(component.kv_heads, ranks, "KV heads"),
    )


@tensor_share.register
def _latent(component: LatentAttention, ranks: int) -> Component:
    """Heads; the projections to the latents, the indexer and with them the cache are on every rank."""
    return replace(component, heads=divided(component.heads, ranks, "attention heads"))


@tensor_share.register
def _compressed(component: CompressedAttention, ranks: int) -> Component:
    """Heads and groups of the output; the shared key, compressor and indexer are on every rank."""
    heads = divided(component.heads, ranks, "attention heads")
    return replace(component, heads=heads, groups=divided(component.groups, ranks, "groups of the output"))


@tensor_share.register
def _differential(component: Differential, ranks: int) -> Component:
    return replace(component, heads=divided(component.heads, ranks, "attention heads"))


@tensor_share.register
def _attention_experts(component: AttentionExperts, ranks: int) -> Component:
    return replace(component, kv_heads=divided(component.kv_heads, ranks, "KV heads"))


@tensor_share.register(FeedForward)
@tensor_share.register(Experts)
@tensor_share.register(FlatExperts)
@tensor_share.register(ListedExperts)
@tensor_share.register(SeparateExperts)
def _feed_forward(
    component: FeedForward | Experts | FlatExperts | ListedExperts | SeparateExperts, ranks: int
) -> Component:
    what = "feed-forward features" if isinstance(component, FeedForward) else "features of an expert"
    return replace(component, width=divided(component.width, ranks, what))


@tensor_share.register
def _embedding(component: Embedding, ranks: int) -> Component:
    """Tokens are divided, positions are on every rank."""
    if component.role != "embedding":
        return component
    return replace(component, rows=_vocabulary(component.rows, ranks))


@tensor_share.register
def _head(component: Head, ranks: int) -> Component:
    return replace(component, vocabulary=_vocabulary(component.vocabulary, ranks))


@tensor_share.register
def _bias(component: Bias, ranks: int) -> Component:
    return replace(component, width=_vocabulary(component.width, ranks))


def _vocabulary(rows: int, ranks: int) -> int:
    return divided(padded(rows, vocabulary_multiple()), ranks, "rows of the padded vocabulary")


@tensor_share.register
def _mamba(component: Mamba, ranks: int) -> Component:
    heads = None if component.heads is None else divided(component.heads, ranks, "state-space heads")
    return replace(component, inner=divided(component.inner, ranks, "state-space channels"), heads=heads)


@tensor_share.register
def _mamba2(component: Mamba2, ranks: int) -> Component:
    """Heads and groups; a single group is on every rank, several have to come out even."""
    groups = component.groups
    if groups > 1:
        groups = divided(groups, ranks, "state-space groups")
    return replace(component, heads=divided(component.heads, ranks, "state-space heads"), groups=groups)


@tensor_share.register
def _delta_net(component: GatedDeltaNet, ranks: int) -> Component:
    return replace(
        component,
        key_heads=divided(component.key_heads, ranks, "key heads of linear attention"),
        value_heads=divided(component.value_heads, ranks, "value heads of linear attention"),
    )


@tensor_share.register
def _kimi_delta(component: KimiDeltaAttention, ranks: int) -> Component:
    """Heads; the narrow matrices of decay and gate are on every rank."""
    heads = divided(component.heads, ranks, "heads of linear attention")
    shape = component.decay_shape
    shape = tuple(heads if size == component.heads else size for size in shape)
    return replace(component, heads=heads, decay_shape=shape)


@tensor_share.register
def _lightning(component: LightningAttention, ranks: int) -> Component:
    return replace(component, heads=divided(component.heads, ranks, "heads of linear attention"))


@tensor_share.register
def _short_convolution(component: ShortConvolution, ranks: int) -> Component:
    return replace(component, channels=divided(component.width, ranks, "channels of the short convolution"))


def tower_share(component: Component, ranks: int) -> Component:
    """Return what one rank holds of a component of a tower: the whole where it does not come out even."""
    try:
        return tensor_share(component, ranks)
    except UsageError:
        return component
