"""MiniCPM-V 4.6: a SigLIP tower that joins windows of patches inside, and mergers behind it.

Source: Yao et al. 2024, arXiv:2408.01800 (its forerunner); the modelling file of transformers 5.23.
"""

from sizewise.architecture import Architecture, Part, Tower
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.projectors import with_projector
from sizewise.plans.tower_parts import dense, norm
from sizewise.plans.towers import Body, pair, plain_siglip
from sizewise.plans.vision_layers import vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, wrapper

TOWER = "model.vision_tower"
SQUARE = 4
"""Patches of a square that a merger joins."""


def window_merger(config: Config) -> Body:
    """Return what joins windows inside the tower: attention, norms and two layers over a window."""
    name, sizes = f"{TOWER}.vit_merger", vision_sizes(config)
    rows, columns = pair(config, "window_kernel_size")
    window = rows * columns
    attention = GroupedQueryAttention(
        hidden=sizes.hidden,
        query_heads=sizes.heads.query,
        kv_heads=sizes.heads.key_value,
        head_size=sizes.heads.size,
        qkv_bias=True,
        out_bias=True,
        cached=False,
        names=AttentionNames(output="out_proj"),
    )
    return (
        Part(name=f"{name}.self_attn", component=attention),
        norm(f"{name}.layer_norm1", sizes.hidden),
        norm(f"{name}.pre_norm", window * sizes.hidden),
        dense(f"{name}.linear_1", window * sizes.hidden, window * sizes.width),
        dense(f"{name}.linear_2", window * sizes.width, sizes.hidden),
    )


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower, and ``merger_times`` mergers of which the last is as wide as the language model."""
    hidden = inside.vision.size("hidden_size")
    joined, times = SQUARE * hidden, max(inside.config.count("merger_times", high=1000), 1)
    outputs = [hidden] * (times - 1) + [inside.text.hidden]
    mergers = (
        part
        for index, width in enumerate(outputs)
        for part in (
            norm(f"model.merger.mlp.{index}.pre_norm", joined),
            dense(f"model.merger.mlp.{index}.linear_1", joined, joined),
            dense(f"model.merger.mlp.{index}.linear_2", joined, width),
        )
    )
    return with_projector((*plain_siglip(inside.vision, TOWER), *window_merger(inside.vision)), *mergers)


MODEL_TYPES: dict[str, WrapperPlan] = {
    "minicpmv4_6": WrapperPlan(
        model_class="MiniCPMV4_6ForConditionalGeneration",
        text=Inner(field="text_config", model_type="qwen3_5_text"),
        vision=Inner(field="vision_config", model_type="minicpmv4_6_vision", fixed=True),
        towers=towers,
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
