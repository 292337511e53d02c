"""From the components of a layer to the plans of its blocks."""

from collections.abc import Sequence
from dataclasses import replace

from sizewise.architecture import Component
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.flat_experts import FlatExperts
from sizewise.components.gated_delta_net import GatedDeltaNet
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.kimi_delta_attention import KimiDeltaAttention
from sizewise.components.latent_attention import LatentAttention
from sizewise.components.mamba import Mamba
from sizewise.components.mamba2 import Mamba2
from sizewise.components.router import Router
from sizewise.components.short_convolution import ShortConvolution
from sizewise.runtimes.llama_graph.layouts import Layout
from sizewise.runtimes.llama_graph.plan import (
    AttentionPlan,
    ChannelDeltaPlan,
    DeltaPlan,
    DualPlan,
    ExpertsPlan,
    FeedForwardPlan,
    IndexerPlan,
    LatentPlan,
    Mixer,
    NormPlan,
    ScanPlan,
    ShortConvolutionPlan,
)


def mixer_plan(component: Component, layout: Layout, index: int, gate: int) -> Mixer | None:
    """Return the plan of a mixer in layer ``index``, None where the component is none.

    ``gate`` is the width of a projection beside it that gates its output.
    """
    match component:
        case GroupedQueryAttention():
            return _attention(component, layout, index, gate)
        case LatentAttention():
            return _latent(component, layout)
        case Mamba() | Mamba2():
            return _scan(component)
        case ShortConvolution():
            return ShortConvolutionPlan(kernel=component.kernel)
        case GatedDeltaNet() | KimiDeltaAttention():
            return _delta(component)
        case _:
            return None


def _latent(part: LatentAttention, layout: Layout) -> LatentPlan:
    indexer, selected = part.indexer, part.selected
    return LatentPlan(
        heads=part.heads,
        query_rank=part.query_rank,
        latent_rank=part.latent_rank,
        plain_size=part.plain_size,
        rotary_size=part.rotary_size,
        value_size=part.value_size,
        indexer=None
        if indexer is None or selected is None
        else IndexerPlan(heads=indexer.heads, head_size=indexer.head_size, selected=selected),
        rope=layout.rope,
        expanded=layout.latent == "expanded",
    )


def _scan(part: Mamba | Mamba2) -> ScanPlan:
    if isinstance(part, Mamba):
        return ScanPlan(
            inner=part.inner,
            state=part.state,
            kernel=part.kernel,
            step_rank=part.step_rank,
            step_norms=part.step_norms,
        )
    return ScanPlan(
        inner=part.inner,
        state=part.state,
        kernel=part.kernel,
        heads=part.heads,
        groups=part.groups,
        gated_norm=part.gated_norm,
    )


def _delta(part: GatedDeltaNet | KimiDeltaAttention) -> DeltaPlan | ChannelDeltaPlan:
    if isinstance(part, KimiDeltaAttention):
        return ChannelDeltaPlan(heads=part.heads, head_size=part.head_size, kernel=part.kernel)
    return DeltaPlan(
        key_heads=part.key_heads,
        value_heads=part.value_heads,
        key_size=part.key_size,
        value_size=part.value_size,
        kernel=part.kernel,
        fused=part.fused,
    )


def _attention(part: GroupedQueryAttention, layout: Layout, index: int, gate: int) -> AttentionPlan:
    window = (layout.chunk if part.chunk else part.window) if layout.sliding else None
    rope = layout.rope and not (layout.no_rope_every and (index + 1) % layout.no_rope_every == 0)
    return AttentionPlan(
        heads=part.query_heads,
        kv_heads=part.kv_heads,
        key_size=part.head_size,
        value_size=part.value_size or part.head_size,
        fused=bool(part.names.fused),
        qkv_bias=part.qkv_bias,
        out_bias=part.out_bias,
        head_norm="none" if part.head_norm == "none" else layout.head_norm,
        head_norm_kind=NormPlan(kind="rms" if part.head_norm in ("per_head", "full") else "layer"),
        rope=rope and (window is not None or not layout.sliding_rope),
        window=window,
        gate="interleaved" if part.gated else "separate" if gate else "none",
        gate_width=gate,
        tempered=layout.tempered,
        borrowed=part.borrowed,
        values_from_keys=part.values_from_keys,
        value_norm=layout.value_norm,
    )


def feed_forward_plan(
    components: Sequence[Component], layout: Layout
) -> FeedForwardPlan | ExpertsPlan | DualPlan | None:
    """Return the plan of a layer's feed-forward part, None where it has none."""
    dense = [c for c in components if isinstance(c, FeedForward)]
    routers = [c for c in components if isinstance(c, Router)]
    for component in components:
        if isinstance(component, Experts | FlatExperts):
            if layout.dual_experts:
                routed = _experts(component, routers, (), layout)
                return DualPlan(dense=_dense(dense[0]), experts=replace(routed, scaled=True))
            return _experts(component, routers, dense, layout)
    return _dense(dense[0]) if dense else None


def _dense(part: FeedForward) -> FeedForwardPlan:
    return FeedForwardPlan(
        width=part.width,
        gated=part.gated,
        fused=bool(part.names.fused),
        up_bias=part.bias,
        down_bias=part.bias,
    )


def _shared(part: FeedForward, layout: Layout) -> FeedForwardPlan:
    plan = _dense(part)
    return replace(plan, fused=False) if layout.split_shared else plan


def _experts(
    part: Experts | FlatExperts, routers: Sequence[Router], dense: Sequence[FeedForward], layout: Layout
) -> ExpertsPlan:
    return ExpertsPlan(
        experts=part.experts,
        active=part.active,
        width=part.width,
        gated=isinstance(part, FlatExperts) or part.gated,
        fused=layout.fused_experts,
        bias=isinstance(part, Experts) and part.bias,
        router_bias=any(router.bias for router in routers),
        gating=layout.gating,
        correction=layout.correction,
        weighted_inputs=layout.weighted_inputs,
        normalised=layout.normalised,
        groups=max((router.groups for router in routers), default=1),
        groups_used=max((router.groups_used for router in routers), default=1),
        shared=_shared(dense[0], layout) if dense and dense[0].width else None,
        shared_gate=layout.shared_gate,
    )
