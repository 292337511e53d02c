"""Vision towers of the Qwen-VL line: patches over space and time, rotary positions, merged squares.

Shapes: D hidden, P patch size, t frames of a patch, s merge size; the merger takes s^2*D features.
Source: Wang et al. 2024, arXiv:2409.12191; Bai et al. 2025, arXiv:2502.13923; modelling files of
transformers 5.23.
"""

from dataclasses import replace

from sizewise.architecture import Part, Stack, stack
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.plans.tower_parts import convolution, dense, norm, table
from sizewise.plans.towers import Body
from sizewise.plans.vision_layers import VisionLayerPlan, VisionSizes, encoder, vision_sizes

FIRST_LAYER = VisionLayerPlan(
    attention="attn",
    attention_names=AttentionNames(fused="qkv", output="proj"),
    norms=("norm1", "norm2"),
)
GATED_LAYER = replace(FIRST_LAYER, mlp_names=FeedForwardNames(), gated=True, norm="rms")
APART_LAYER = replace(
    GATED_LAYER, attention_names=AttentionNames(query="q", key="k", value="v", output="proj")
)
MERGER = ("norm", "linear_fc1", "linear_fc2")
"""Module names in a merger of Qwen3-VL."""
OMNI_MERGER = ("ln_q", "mlp.0", "mlp.2")
THIRD_LAYER = replace(FIRST_LAYER, mlp_names=FeedForwardNames(up="linear_fc1", down="linear_fc2"))


def frames_and_patches(config: Config, name: str, hidden: int, *, bias: bool) -> Part:
    """Return the patch embedding [D, channels, t, P, P]."""
    patch, frames = config.size("patch_size"), config.size("temporal_patch_size")
    return convolution(name, config.size("in_channels"), hidden, frames, patch, patch, bias=bias)


def merged_features(config: Config, hidden: int) -> int:
    """Count the features of a token: a square of s^2 patches."""
    return hidden * config.size("spatial_merge_size") ** 2


def _merger(config: Config, name: str, hidden: int, outputs: int, kind: NormKind) -> tuple[Part, ...]:
    joined = merged_features(config, hidden)
    return (
        norm(f"{name}.ln_q", hidden, kind),
        dense(f"{name}.mlp.0", joined, joined),
        dense(f"{name}.mlp.2", joined, outputs),
    )


def qwen2_vit(config: Config, name: str) -> Body:
    """Return Qwen2-VL's tower: D is ``embed_dim``, ``hidden_size`` the width of the language model."""
    hidden = config.size("embed_dim")
    width = int(hidden * config.ratio("mlp_ratio"))
    sizes = vision_sizes(config, hidden="embed_dim", heads="num_heads", width=width, layers="depth")
    return (
        frames_and_patches(config, f"{name}.patch_embed.proj", hidden, bias=False),
        encoder(f"{name}.blocks", sizes, FIRST_LAYER),
        *_merger(config, f"{name}.merger", hidden, config.size("hidden_size"), "layer"),
    )


def qwen2_5_vit(config: Config, name: str) -> Body:
    """Return Qwen2.5-VL's tower: RMS norms and gated feed-forward layers."""
    return _gated_vit(config, name, vision_sizes(config, heads="num_heads", layers="depth"))


def grouped_vit(config: Config, name: str) -> Body:
    """Return EXAONE 4.5's tower: that of Qwen2.5-VL with fewer key/value heads."""
    sizes = vision_sizes(config, heads="num_heads", layers="depth")
    counts = replace(sizes.heads, key_value=config.size("num_key_value_heads"))
    return _gated_vit(config, name, replace(sizes, heads=counts))


def omni_vit(config: Config, name: str) -> Body:
    """Return Qwen2.5-Omni's tower: that of Qwen2.5-VL with queries, keys and values apart."""
    return _gated_vit(config, name, vision_sizes(config, heads="num_heads", layers="depth"), APART_LAYER)


def omni3_vit(config: Config, name: str) -> Body:
    """Return Qwen3-Omni's tower: that of Qwen3-VL, its mergers named as Qwen2-VL's."""
    sizes = vision_sizes(config, heads="num_heads", layers="depth")
    hidden, outputs = sizes.hidden, config.size("out_hidden_size")
    merged = merged_features(config, hidden)
    return (
        frames_and_patches(config, f"{name}.patch_embed.proj", hidden, bias=True),
        table(f"{name}.pos_embed", config.size("num_position_embeddings"), hidden),
        encoder(f"{name}.blocks", sizes, THIRD_LAYER),
        *_merger(config, f"{name}.merger", hidden, outputs, "layer"),
        *_deep_mergers(config, f"{name}.merger_list", OMNI_MERGER, merged, outputs),
    )


def _gated_vit(config: Config, name: str, sizes: VisionSizes, layer: VisionLayerPlan = GATED_LAYER) -> Body:
    return (
        frames_and_patches(config, f"{name}.patch_embed.proj", sizes.hidden, bias=False),
        encoder(f"{name}.blocks", sizes, layer),
        *_merger(config, f"{name}.merger", sizes.hidden, config.size("out_hidden_size"), "rms"),
    )


def qwen3_vit(config: Config, name: str, *, deep: bool) -> Body:
    """Return Qwen3-VL's tower: learned positions, and mergers of inner layers where it is ``deep``."""
    sizes = vision_sizes(config, heads="num_heads", layers="depth")
    hidden = sizes.hidden
    merged, outputs = merged_features(config, hidden), config.size("out_hidden_size")
    return (
        frames_and_patches(config, f"{name}.patch_embed.proj", hidden, bias=True),
        table(f"{name}.pos_embed", config.size("num_position_embeddings"), hidden),
        encoder(f"{name}.blocks", sizes, THIRD_LAYER),
        norm(f"{name}.merger.norm", hidden),
        dense(f"{name}.merger.linear_fc1", merged, merged),
        dense(f"{name}.merger.linear_fc2", merged, outputs),
        *(_deep_mergers(config, f"{name}.deepstack_merger_list", MERGER, merged, outputs) if deep else ()),
    )


def _deep_mergers(
    config: Config, name: str, names: tuple[str, str, str], merged: int, outputs: int
) -> tuple[Stack, ...]:
    taps = config.entries("deepstack_visual_indexes") or ()
    if not taps:
        return ()
    parts = (
        Part(name=names[0], component=Norm(width=merged, kind="layer")),
        Part(
            name=names[1],
            component=Linear(inputs=merged, outputs=merged, role="projector", bias=True),
        ),
        Part(
            name=names[2],
            component=Linear(inputs=merged, outputs=outputs, role="projector", bias=True),
        ),
    )
    return (stack(name, [0] * len(taps), lambda index: parts),)
