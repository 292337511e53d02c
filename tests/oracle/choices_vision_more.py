"""Recipes of further wrappers whose towers or language models are of their own kind."""

from random import Random

from .choices import (
    ABSENT,
    FLAG,
    Fields,
    Recipe,
    any_of,
    between,
    either,
    maybe,
    of,
    or_null,
    per_layer,
    section,
    some_layers,
    times,
)
from .dense import BASE, BIAS, HEAD_NEEDED, KV, KV_OR_NULL, MLP_BIAS, PADDING
from .dense import RECIPES as DENSE
from .early import RECIPES as EARLY
from .encoders import RECIPES as ENCODERS
from .experts import EXPERTS
from .vision import CHANNELS, IMAGE, LAYERS
from .vision import RECIPES as SIGHT
from .wrappers import TIE, text

MLLAMA_TEXT: Recipe = (BASE, KV, PADDING, {"cross_attention_layers": maybe(or_null(some_layers()))})
MLLAMA_TILES = either(
    {},
    {"max_num_tiles": of(4)},
    {"max_num_tiles": of(2, 3), "supported_aspect_ratios": of([[1, 1], [1, 2], [2, 1]], [[1, 1]])},
    {"supported_aspect_ratios": of(None, [[1, 1], [2, 2]])},
)
MLLAMA_VISION: Recipe = (
    {
        **IMAGE,
        "num_global_layers": between(1, 3),
        "vision_output_dim": of(40, 96),
        "intermediate_layers_indices": maybe(of([0], [0, 0])),
    },
    MLLAMA_TILES,
)
Q_FORMER: Recipe = (
    {
        "num_attention_heads": of(2, 4),
        "hidden_size": times("num_attention_heads", 8, 12),
        "num_hidden_layers": between(1, 5),
        "intermediate_size": between(9, 90),
        "cross_attention_frequency": maybe(of(1, 2, 3)),
        "vocab_size": between(20, 90),
        "max_position_embeddings": between(8, 40),
        "encoder_hidden_size": maybe(of(99)),
        "use_qformer_text_input": maybe(FLAG),
    },
)
BLIP_VISION: Recipe = (IMAGE, {"num_channels": ABSENT, "qkv_bias": maybe(FLAG)})
BEHIND = any_of(
    section("opt", EARLY["opt"]),
    section("t5", (*ENCODERS["t5"], {"architectures": ABSENT})),
    section("llama", DENSE["llama"]),
)


def blip(prefix: str) -> Recipe:
    """A tower, a Q-Former and a whole language model, which says its type."""
    return (
        {
            "text_config": BEHIND,
            "vision_config": section(f"{prefix}_vision_model", BLIP_VISION, named=0.7),
            "qformer_config": section(f"{prefix}_qformer", Q_FORMER, named=0.7),
            "num_query_tokens": maybe(of(4, 9)),
        },
    )


GRANITE_TEXT: Recipe = (BASE, KV_OR_NULL, BIAS, MLP_BIAS, PADDING)
HUNYUAN_TEXT: Recipe = (BASE, KV_OR_NULL, HEAD_NEEDED, BIAS)
HUNYUAN_FLAT = {**BASE, **KV_OR_NULL, **HEAD_NEEDED, **BIAS}


def rotated_parts(random: Random, fields: Fields) -> Fields:
    """Divide half of a head among height, width and time."""
    size = fields["head_dim"]
    if not isinstance(size, int):
        size = fields["hidden_size"] // fields["num_attention_heads"]
    return {"rope_theta": 10000.0, "rope_type": "default", "mrope_section": [1, 1, size // 2 - 2]}


ERNIE_TEXT: Recipe = (
    BASE,
    KV,
    {
        "head_dim": maybe(of(8, 10, 16), 0.3),
        "rope_parameters": rotated_parts,
        "use_bias": maybe(FLAG),
        "moe_intermediate_size": maybe(of([20, 12], [9, 31])),
        "moe_num_experts": EXPERTS,
        "moe_k": of(1, 2),
        "moe_num_shared_experts": maybe(of(0, 1, 3)),
        "mlp_layer_types": maybe(or_null(per_layer("dense", "sparse"))),
    },
)
KOSMOS_TEXT: Recipe = (
    {
        ("attention_heads", "num_attention_heads"): of(2, 4),
        ("embed_dim", "hidden_size"): times("attention_heads", 8, 12),
        ("layers", "num_hidden_layers"): between(1, 4),
        "ffn_dim": between(9, 90),
        "vocab_size": between(20, 90),
        "tie_word_embeddings": maybe(FLAG),
    },
)
TEXTS: dict[str, Recipe] = {
    "mllama_text_model": MLLAMA_TEXT,
    "granite4_vision_text": GRANITE_TEXT,
    "granite_docling_text": GRANITE_TEXT,
    "hunyuan_vl_text": HUNYUAN_TEXT,
    "ernie4_5_vl_moe_text": ERNIE_TEXT,
}
"""Language models that no class builds by themselves."""


def own(text_type: str, vision_type: str, vision: Recipe) -> Recipe:
    """Sections that are always of the wrapper's own types, whether they say so or not."""
    return (
        TIE,
        {
            "text_config": section(text_type, TEXTS[text_type], named=0.7),
            "vision_config": section(vision_type, vision, named=0.7),
        },
    )


def text_width(random: Random, fields: Fields) -> Fields:
    """Give the tower the width of the language model."""
    width = fields["text_config"]["hidden_size"]
    return {**fields["vision_config"], "out_hidden_size": width}


def routed(random: Random, fields: Fields) -> int | None:
    """A router needs the fine path to choose."""
    fine = fields["vision_config"].get("use_fine_route", True)
    return random.choice((None, 16, 24)) if fine else None


JANUS_VISION: Recipe = (
    IMAGE,
    {
        "mlp_ratio": maybe(of(2.0, 2.5, 3)),
        "attention_bias": maybe(FLAG),
        "use_qk_norm": maybe(FLAG),
        "projection_dim": of(32, 48),
        "depth": maybe(of(1, 2, 3)),
    },
)
JANUS_CODES: Recipe = (
    {
        "embed_dim": of(4, 8),
        "num_embeddings": of(30, 64),
        "double_latent": maybe(FLAG),
        "latent_channels": of(16, 32),
        "base_channels": of(32, 64),
        "channel_multiplier": maybe(of([1], [1, 2], [2, 1, 1], [1, 1, 2, 2])),
        "num_res_blocks": maybe(of(0, 1, 2)),
        "in_channels": maybe(of(1, 3)),
        "out_channels": maybe(of(1, 3)),
        "projection_dim": of(24, 40),
        "num_hidden_layers": maybe(of(1, 2, 3)),
        "image_token_embed_dim": of(24, 56),
    },
)
CHAMELEON_CODES: Recipe = (
    *JANUS_CODES,
    {
        "attn_type": maybe(of("vanilla", "none")),
        "attn_resolutions": maybe(or_null(of([], [16], [64, 16], [32, 8]))),
        "resolution": of(32, 64),
        "out_channels": ABSENT,
        "projection_dim": ABSENT,
        "num_hidden_layers": ABSENT,
        "image_token_embed_dim": ABSENT,
    },
)
MINICPM_VISION: Recipe = (IMAGE, {"window_kernel_size": maybe(of([2, 2]))})
SIDE_64 = {"num_attention_heads": of(1, 2), "hidden_size": of(64, 128)}
DOCLING_VISION: Recipe = (
    IMAGE,
    {
        "patch_size": of(8),
        "image_size": of(32, 64),
        "scale_factor": of(2, 4),
        "deepstack_visual_indexes": maybe(or_null(of([], [0], [0, 0, 0, 0]))),
        "use_fine_route": maybe(FLAG),
    },
)
HUNYUAN_VISION: Recipe = (
    LAYERS,
    CHANNELS,
    {"spatial_merge_size": of(1, 2), "max_image_size": of(60, 99), "head_dim": maybe(of(8, 10), 0.3)},
)
ERNIE_VISION: Recipe = (
    {
        ("num_heads", "num_attention_heads"): of(2, 4),
        "hidden_size": times("num_heads", 8, 16),
        ("depth", "num_hidden_layers"): between(1, 3),
        "intermediate_size": maybe(between(9, 90)),
        "patch_size": of(8, 14),
        "in_channels": maybe(of(1, 3)),
        "spatial_merge_size": maybe(of(1, 2)),
        "temporal_merge_size": maybe(of(1, 2)),
    },
)

RECIPES: dict[str, Recipe] = {
    "granite4_vision": (
        TIE,
        {
            "text_config": section("granite4_vision_text", GRANITE_TEXT, named=0.7),
            "vision_config": any_of(
                section("siglip_vision_model", (*SIGHT["siglip_vision_model"], SIDE_64)),
                section("clip_vision_model", (*SIGHT["clip_vision_model"], SIDE_64)),
            ),
            "qformer_config": section("blip_2_qformer", Q_FORMER, named=0.7),
            "downsample_rate": of("1/2", "4/8", "2/4"),
            "deepstack_layer_map": of([], [[-1, 0]], [[-2, 0], [-1, 1]]),
        },
    ),
    "granite_docling": (
        *own("granite_docling_text", "granite_docling_vision", DOCLING_VISION),
        {"vision_config": text_width},
        {"density_router_hidden_size": routed},
    ),
    "hunyuan_vl": (
        either({"text_config": section("hunyuan_vl_text", HUNYUAN_TEXT, named=0.7), **TIE}, HUNYUAN_FLAT),
        {"vision_config": section("hunyuan_vl_vision", HUNYUAN_VISION, named=0.7)},
    ),
    "minicpmv4_6": (
        TIE,
        text("qwen3_5_text", "qwen3"),
        {
            "vision_config": section("minicpmv4_6_vision", MINICPM_VISION, named=0.7),
            "merger_times": maybe(of(0, 1, 3)),
            "drop_vision_last_layer": maybe(FLAG),
        },
    ),
    "janus": (
        TIE,
        text("llama"),
        {
            "vision_config": section("janus_vision_model", JANUS_VISION, named=0.7),
            "vq_config": section("janus_vqgan", JANUS_CODES, named=0.7),
        },
    ),
    "chameleon": (
        BASE,
        KV,
        BIAS,
        MLP_BIAS,
        {
            "swin_norm": maybe(FLAG),
            "vocabulary_map": of({"<image>": 3, "a": 4}),
            "vq_config": section("chameleon_vqgan", CHAMELEON_CODES, named=0.7),
        },
    ),
    "git": (
        BASE,
        TIE,
        PADDING,
        {
            "max_position_embeddings": maybe(between(8, 90)),
            "num_image_with_embedding": maybe(or_null(of(1, 3))),
            "vision_config": section("git_vision_model", (IMAGE,), named=0.7),
        },
    ),
    "kosmos-2": (
        TIE,
        {
            "latent_query_num": maybe(of(4, 9)),
            "text_config": section("kosmos_2_text_model", KOSMOS_TEXT, named=0.7),
            "vision_config": section("kosmos_2_vision_model", (IMAGE,), named=0.7),
        },
    ),
    "ernie4_5_vl_moe": own("ernie4_5_vl_moe_text", "ernie4_5_vl_moe_vision", ERNIE_VISION),
    "blip-2": blip("blip_2"),
    "instructblip": blip("instructblip"),
    "instructblipvideo": blip("instructblipvideo"),
    "fuyu": (
        TIE,
        either(text("persimmon"), DENSE["persimmon"][0]),
        {"patch_size": maybe(of(8, 14)), "num_channels": maybe(of(1, 3))},
    ),
    "mllama": (
        TIE,
        {
            "text_config": section("mllama_text_model", MLLAMA_TEXT, named=0.7),
            "vision_config": section("mllama_vision_model", MLLAMA_VISION, named=0.7),
        },
    ),
}
