"""Recipes of further wrappers, to be joined with those of ``wrappers``."""

from . import choices_text_more_b
from .choices import FLAG, Recipe, between, maybe, of, section, times
from .wrappers import TIE, text, tower

SAM: Recipe = (
    {
        "num_attention_heads": of(2, 4),
        "hidden_size": times("num_attention_heads", 8),
        "num_hidden_layers": between(1, 3),
        "mlp_dim": maybe(between(9, 80)),
        "mlp_ratio": maybe(of(2.0, 3.0)),
        "patch_size": of(8, 14),
        "image_size": times("patch_size", 8, 16),
        "output_channels": of(8, 16),
        "window_size": of(2, 3),
        "global_attn_indexes": of([0], [0, 1]),
        "qkv_bias": maybe(FLAG),
        "use_abs_pos": maybe(FLAG),
        "use_rel_pos": maybe(FLAG),
    },
)

RECIPES: dict[str, Recipe] = {
    **choices_text_more_b.WRAPPERS,
    "glmga": (TIE, text("glm4v_text"), tower("glm4v_vision")),
    "deepseek_vl_hybrid": (
        TIE,
        text("llama"),
        tower("siglip_vision_model"),
        {"high_res_vision_config": section("sam_vision_model", SAM)},
    ),
}
