"""Recipes of the vision towers inside of wrappers, by their own model type."""

from .choices import ABSENT, FLAG, Draw, Recipe, between, divisor_of, either, maybe, of, times

WIDE: Draw = lambda random, fields: fields["patch_size"] * random.choice((3, 4)) + random.randint(0, 3)  # noqa: E731
LAYERS = {
    "num_attention_heads": of(2, 4),
    "hidden_size": times("num_attention_heads", 8, 16),
    "num_hidden_layers": between(1, 4),
    "intermediate_size": between(10, 150),
    "patch_size": of(8, 14),
}
CHANNELS = {"num_channels": maybe(of(1, 3), 0.3)}
IMAGE = {**LAYERS, **CHANNELS, "image_size": WIDE}
HEAD = {"vision_use_head": maybe(FLAG)}
BLOCKS = {
    "num_heads": of(2, 4),
    "hidden_size": times("num_heads", 8, 16),
    "depth": between(1, 4),
    "intermediate_size": between(10, 150),
    "patch_size": of(8, 14),
    "in_channels": maybe(of(3)),
    "temporal_patch_size": of(1, 2),
    "spatial_merge_size": of(1, 2),
    "out_hidden_size": of(32, 40),
}
LEARNED = {"num_position_embeddings": of(16, 64)}
DEEP = {"deepstack_visual_indexes": of([], [0], [0, 1])}
GLM = {**BLOCKS, "image_size": WIDE, "attention_bias": maybe(FLAG)}
INTERN: Recipe = (
    IMAGE,
    {
        "attention_bias": maybe(FLAG),
        "use_qk_norm": maybe(FLAG),
        "norm_type": maybe(of("layer_norm", "rms_norm")),
        "use_mean_pooling": maybe(FLAG),
        "use_mask_token": maybe(FLAG),
        "use_absolute_position_embeddings": maybe(FLAG),
    },
    either({}, {"patch_size": of([8, 8], [14, 14]), "image_size": of([42, 56], [28, 60])}),
)

RECIPES: dict[str, Recipe] = {
    "clip_vision_model": (IMAGE,),
    "siglip_vision_model": (IMAGE, HEAD),
    "siglip2_vision_model": (LAYERS, CHANNELS, HEAD, {"num_patches": of(16, 64)}),
    "pixtral": (IMAGE,),
    "idefics2_vision": (IMAGE,),
    "idefics3_vision": (IMAGE,),
    "smolvlm_vision": (IMAGE,),
    "internvl_vision": INTERN,
    "qianfan_ocr_vision": INTERN,
    "llama4_vision_model": (
        LAYERS,
        {
            "image_size": WIDE,
            "vision_output_dim": of(40, 80),
            "projector_input_dim": of(48, 56),
            "projector_output_dim": of(40, 64),
            "pixel_shuffle_ratio": maybe(of(0.5)),
        },
    ),
    "kimi_k25_vision": (
        LAYERS,
        {
            "pos_emb_height": of(4, 8),
            "pos_emb_width": of(4, 8),
            "merge_kernel_size": of([2, 2], [1, 2]),
        },
    ),
    "qwen2_vl_vision": (
        {
            **BLOCKS,
            "embed_dim": times("num_heads", 8, 16),
            "hidden_size": of(32, 48),
            "mlp_ratio": maybe(of(2, 4)),
            "intermediate_size": ABSENT,
            "out_hidden_size": ABSENT,
        },
    ),
    "qwen2_5_vl_vision": (BLOCKS,),
    "exaone4_5_vision": (BLOCKS, {"num_key_value_heads": divisor_of("num_heads")}),
    "qwen3_vl_vision": (BLOCKS, LEARNED, DEEP),
    "qwen3_vl_moe_vision": (BLOCKS, LEARNED, DEEP),
    "qwen3_5_vision": (BLOCKS, LEARNED),
    "qwen3_5_moe_vision": (BLOCKS, LEARNED),
    "glm4v_vision": (GLM,),
    "glm4v_moe_vision": (GLM,),
    "glm_ocr_vision": (GLM,),
    "got_ocr2_vision": (
        IMAGE,
        {
            "output_channels": of(8, 16),
            "mlp_dim": between(10, 90),
            "window_size": of(2, 3),
            "global_attn_indexes": of([0], [], [0, 2]),
            "qkv_bias": maybe(FLAG),
            "use_abs_pos": maybe(FLAG),
            "use_rel_pos": maybe(FLAG),
        },
    ),
    "ovis2_vision": (
        IMAGE,
        {
            "vocab_size": of(64, 100),
            "num_visual_indicator_tokens": maybe(of(3, 5)),
            "hidden_stride": maybe(of(1, 2)),
            "qkv_bias": maybe(FLAG),
            "mlp_bias": maybe(FLAG),
        },
    ),
    "video_llama_3_vision": (LAYERS, CHANNELS),
    "paddleocr_vl_vision": (IMAGE, {"spatial_merge_size": of(1, 2)}),
}
