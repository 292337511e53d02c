"""The tower of Segment Anything: windows with relative positions, some layers without, and a neck.

Shapes: D hidden, w side of a window in patches; tables of relative positions are [2*w - 1, H].
Source: Kirillov et al. 2023, arXiv:2304.02643; modelling files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Part
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.plans.tower_parts import convolution, learned, norm
from sizewise.plans.towers import Body
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes


def sam_vit(config: Config, name: str) -> Body:
    """Return a SAM encoder: layers with windows, some without, and a neck of two convolutions."""
    hidden, patch = config.size("hidden_size"), config.size("patch_size")
    side = config.size("image_size") // patch
    positions = (learned(f"{name}.pos_embed", 1, side, side, hidden),) if config.flag("use_abs_pos") else ()
    plan = VisionLayerPlan(
        attention="attn",
        attention_names=AttentionNames(fused="qkv", output="proj"),
        qkv_bias=config.flag("qkv_bias"),
        mlp_names=FeedForwardNames(up="lin1", down="lin2"),
    )
    width = config.optional_size("mlp_dim") or int(hidden * config.ratio("mlp_ratio"))
    sizes = vision_sizes(config, width=width)
    relative = _relative_positions(config, sizes.heads.size, side)
    return (
        *positions,
        convolution(
            f"{name}.patch_embed.projection", config.size("num_channels"), hidden, patch, patch, bias=True
        ),
        encoder(f"{name}.layers", sizes, plan, extra=relative),
        *neck(config, f"{name}.neck"),
    )


def neck(config: Config, name: str) -> tuple[Part, ...]:
    """Return two convolutions to ``output_channels``, each with a norm."""
    hidden, channels = config.size("hidden_size"), config.size("output_channels")
    return (
        convolution(f"{name}.conv1", hidden, channels, 1, 1),
        norm(f"{name}.layer_norm1", channels),
        convolution(f"{name}.conv2", channels, channels, 3, 3),
        norm(f"{name}.layer_norm2", channels),
    )


def _relative_positions(config: Config, head_size: int, side: int) -> Callable[[int], tuple[Part, ...]]:
    """Return the tables [2*w - 1, H] of a layer: w is its window, the whole side without one."""
    everywhere = config.indices("global_attn_indexes") or frozenset()
    window = config.count("window_size")

    def tables(index: int) -> tuple[Part, ...]:
        if not config.flag("use_rel_pos"):
            return ()
        size = side if index in everywhere or window == 0 else window
        names = ("attn.rel_pos_h", "attn.rel_pos_w")
        return tuple(learned(name, 2 * size - 1, head_size) for name in names)

    return tables
