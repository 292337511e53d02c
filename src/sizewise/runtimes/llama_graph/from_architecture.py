"""From an architecture and the layout of its type to the plan of llama.cpp's graph."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from sizewise.architecture import Architecture, Component, Group, Part, Stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.experts import Experts
from sizewise.components.feed_forward import FeedForward
from sizewise.components.flat_experts import FlatExperts
from sizewise.components.gated_delta_net import GatedDeltaNet
from sizewise.components.grouped_query_attention import GroupedQueryAttention
from sizewise.components.kimi_delta_attention import KimiDeltaAttention
from sizewise.components.latent_attention import LatentAttention
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.mamba import Mamba
from sizewise.components.mamba2 import Mamba2
from sizewise.components.norms import Norm
from sizewise.components.router import Router
from sizewise.components.short_convolution import ShortConvolution
from sizewise.runtimes.llama_graph.from_components import feed_forward_plan, mixer_plan
from sizewise.runtimes.llama_graph.layouts import Layout, layout_of
from sizewise.runtimes.llama_graph.plan import (
    AttentionPlan,
    DualPlan,
    GraphPlan,
    LayerPlan,
    NormPlan,
    ScanPlan,
)

UNDERSTOOD = (
    FeedForward,
    GatedDeltaNet,
    GroupedQueryAttention,
    LatentAttention,
    LearnedTensor,
    Linear,
    Mamba,
    Mamba2,
    Norm,
    Router,
    ShortConvolution,
)
GATE_NAMES = ("self_attn.gate_proj", "self_attn.g_proj")


MOST_LAYERS, MOST_EXPERTS = 512, 1024
"""What llama.cpp takes; ``llama-hparams.h``."""


def graph_plan(architecture: Architecture, model_type: str) -> GraphPlan | None:
    """Return the plan of a model's graph, None where llama.cpp's graph of the type is not modelled."""
    layout = layout_of(model_type)
    stacks = [item for item in architecture.body if isinstance(item, Stack)]
    if layout is None or len(stacks) != 1 or stacks[0].depth > MOST_LAYERS:
        return None
    if layout.sliding_depth and stacks[0].depth != layout.sliding_depth:
        layout = replace(layout, sliding=False, sliding_rope=False)
    layout = _with_choices(layout, stacks[0], architecture.parallel)
    layers = _layers(stacks[0], layout)
    if layers is None or not _slides_as_assumed(layers, layout):
        return None
    parts = [item.component for item in architecture.body if isinstance(item, Part)]
    return GraphPlan(
        hidden=architecture.hidden,
        vocabulary=_rows(architecture.vocabulary, layout),
        layers=layers,
        norm=_norm_plan([part for part in parts if isinstance(part, Norm)][-1], layout),
        residual_first=layout.residual_first,
        parallel=layout.parallel,
        parallel_norm=layout.parallel_norm and _has_two_norms(stacks[0]),
        positions=layout.positions,
        deep_inputs=layout.deep_inputs,
        learned_positions=any(isinstance(part, Embedding) and part.role == "position" for part in parts),
        embedding_norm=layout.embedding_norm,
        norm_before_rows=layout.norm_before_rows,
        late_rows=layout.late_rows,
        layer_inputs=_layer_inputs(architecture),
        head_scaled=layout.head_scaled,
        head_bias=any(isinstance(part, Head) and part.bias for part in parts),
    )


def _with_choices(layout: Layout, layers: Stack, parallel: bool | None) -> Layout:
    """Return the layout as the configuration, or the norms of the layers, change it."""
    if parallel is False:
        layout = replace(layout, parallel=None, parallel_norm=False)
    if layout.parallel_if_one_norm and not _has_two_norms(layers):
        layout = replace(layout, parallel="ffn+(attention+input)")
    return layout


def _slides_as_assumed(layers: Sequence[LayerPlan], layout: Layout) -> bool:
    """Tell whether windows stand where llama.cpp has them built in, for types where it asks no file."""
    period = layout.sliding_period
    windows = [isinstance(layer.mixer, AttentionPlan) and layer.mixer.window is not None for layer in layers]
    full = 0 if layout.full_first else period - 1
    return not period or all(slides == (i % period != full) for i, slides in enumerate(windows))


def _rows(vocabulary: int, layout: Layout) -> int:
    """Return the rows of the embedding that the converter keeps: not those beyond the tokenizer."""
    return layout.vocabulary if vocabulary == layout.padded_vocabulary else vocabulary


def _layer_inputs(architecture: Architecture) -> int:
    """Return the features of the inputs per layer: those of the norm over them."""
    names = (item for item in architecture.body if isinstance(item, Part))
    norms = (item.component for item in names if item.name.endswith("per_layer_projection_norm"))
    return next((norm.width for norm in norms if isinstance(norm, Norm)), 0)


def _norm_plan(norm: Norm, layout: Layout) -> NormPlan:
    kind: Literal["rms", "layer"] = "rms" if norm.kind == "rms" else "layer"
    return NormPlan(kind=layout.norm_kind or kind, scale=norm.kind != "none", bias=norm.kind == "layer")


def _has_two_norms(layers: Stack) -> bool:
    norms = [part for part in layers.groups[0].block.parts if isinstance(part.component, Norm)]
    return len(norms) > 1


def _layers(layers: Stack, layout: Layout) -> tuple[LayerPlan, ...] | None:
    """Return the layers in their order, None where one has a component without an emitter."""
    found: dict[int, LayerPlan] = {}
    for group in layers.groups:
        for index in group.layers:
            plan = _layer(group, layout, index)
            if plan is None:
                return None
            found[index] = plan
    return tuple(found[index] for index in sorted(found))


def _layer(group: Group, layout: Layout, index: int) -> LayerPlan | None:
    components = [part.component for part in group.block.parts]
    if not all(_understood(component) for component in components):
        return None
    if layout.dense_rope and not any(isinstance(component, Experts) for component in components):
        layout = replace(layout, sliding_rope=False)
    gate = _gate_width(group)
    mixers = [
        mixer for mixer in (mixer_plan(c, layout, index, gate) for c in components) if mixer is not None
    ]
    feed_forward = feed_forward_plan(components, layout)
    mixers.sort(key=lambda mixer: isinstance(mixer, ScanPlan))
    if len(mixers) > 2 or (not mixers and feed_forward is None):
        return None
    dual = isinstance(feed_forward, DualPlan)
    before, after = layout.norms != "after", layout.norms != "before"
    return LayerPlan(
        mixer=mixers[0] if mixers else None,
        beside=mixers[1] if len(mixers) > 1 else None,
        feed_forward=feed_forward,
        pre_norm=before,
        post_mixer_norm=after,
        pre_ffn_norm=before and not dual,
        post_ffn_norm=after,
    )


def _understood(component: Component) -> bool:
    """Tell whether the nodes of a component are known."""
    if isinstance(component, KimiDeltaAttention):
        return not component.full_rank
    if isinstance(component, Experts | FlatExperts):
        return component.experts <= MOST_EXPERTS
    return isinstance(component, UNDERSTOOD)


def _gate_width(group: Group) -> int:
    """Return the outputs of a projection that gates attention, 0 where there is none."""
    found = (part.component for part in group.block.parts if part.name.endswith(GATE_NAMES))
    return next((gate.outputs for gate in found if isinstance(gate, Linear) and gate.role == "attention"), 0)
