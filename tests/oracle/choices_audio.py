"""Recipes of the language models that listen, and of their audio towers."""

from random import Random

from . import special, vision
from .choices import (
    ABSENT,
    FLAG,
    Draw,
    Fields,
    Recipe,
    any_of,
    between,
    divisor_of,
    maybe,
    of,
    section,
    times,
)
from .dense import BASE, HEAD, KV, PADDING, SWITCHED
from .dense import RECIPES as DENSE
from .experts import ACTIVE, EXPERTS, STEPS, WIDTH
from .vision import CHANNELS, DEEP, IMAGE, LEARNED
from .wrappers import TIE, text

WHISPER: Recipe = (
    {
        ("num_attention_heads", "encoder_attention_heads"): of(2, 4),
        ("hidden_size", "d_model"): times("num_attention_heads", 8, 16),
        ("num_hidden_layers", "encoder_layers"): between(1, 4),
        ("intermediate_size", "encoder_ffn_dim"): between(10, 150),
        "num_mel_bins": maybe(of(20, 80)),
        "max_source_positions": of(30, 50),
        "scale_embedding": maybe(FLAG),
    },
)
OMNI: Recipe = (*WHISPER, {"output_dim": of(32, 40), "n_window": maybe(of(50, 100))})
OMNI3: Recipe = (*OMNI, {"downsample_hidden_size": of(8, 12), "n_window_infer": maybe(of(400))})
GLM: Recipe = (
    {
        "num_attention_heads": of(2, 4),
        "hidden_size": times("num_attention_heads", 8, 16),
        "num_key_value_heads": maybe(any_of(of(None), divisor_of("num_attention_heads"))),
        "num_hidden_layers": between(1, 4),
        "intermediate_size": between(10, 150),
        "num_mel_bins": maybe(of(20, 80)),
        "max_position_embeddings": maybe(of(200)),
    },
)
GEMMA4_VISION: Recipe = (
    vision.LAYERS,
    {
        "head_dim": of(8, 16),
        "num_key_value_heads": of(1, 2),
        "position_embedding_size": of(32, 64),
        "use_clipped_linears": maybe(FLAG),
        "standardize": maybe(FLAG),
    },
)
GEMMA4: Recipe = (
    {
        "num_attention_heads": of(2, 4),
        "hidden_size": times("num_attention_heads", 8, 16),
        "num_hidden_layers": between(1, 4),
        "subsampling_conv_channels": maybe(of([8, 4], [13, 6])),
        "conv_kernel_size": maybe(of(3, 5)),
        "use_clipped_linears": maybe(FLAG),
        "output_proj_dims": of(32, 48),
        "attention_chunk_size": maybe(of(6)),
    },
)
GRANITE: Recipe = (
    {
        ("num_heads", "num_attention_heads"): of(2, 4),
        ("hidden_dim", "hidden_size"): times("num_heads", 8, 16),
        ("num_layers", "num_hidden_layers"): between(1, 4),
        ("input_dim", "num_mel_bins"): maybe(of(20, 80)),
        "output_dim": maybe(of(10, 42)),
        "feedforward_mult": maybe(of(2, 3)),
        "dim_head": maybe(of(None, 8, 12)),
        "conv_kernel_size": maybe(of(5, 7)),
        "conv_expansion_factor": maybe(of(1, 3)),
        "max_pos_emb": maybe(of(200, 300)),
    },
)
QUERY_FORMER: Recipe = (
    {
        "num_attention_heads": of(2, 4),
        "hidden_size": times("num_attention_heads", 8, 16),
        "num_hidden_layers": between(1, 5),
        "intermediate_size": between(10, 150),
        "encoder_hidden_size": of(32, 48),
        "cross_attention_frequency": maybe(of(1, 3)),
        "use_qformer_text_input": maybe(FLAG),
    },
)
PHI4: Recipe = (
    {
        "num_attention_heads": of(2, 4),
        "hidden_size": times("num_attention_heads", 8, 16),
        "num_blocks": between(1, 4),
        "intermediate_size": between(10, 150),
        "kernel_size": maybe(of(1, 5)),
        "input_size": maybe(of(20, 41)),
        "time_reduction": maybe(of(2, 4, 6, 16)),
        "downsample_rate": maybe(of(2)),
        "nemo_conv_channels": of(12, 16),
        "ext_pw_out_channel": of(20, 24),
        "depthwise_separable_out_channel": of(20, 24),
        "depthwise_multiplier": maybe(of(2)),
        "bias_max_distance": maybe(of(10, 100)),
        "bias_symmetric": maybe(FLAG),
    },
)
TEXTS: dict[str, Recipe] = {
    "qwen2_5_omni_text": (BASE, KV, SWITCHED),
    "qwen3_omni_moe_text": (
        BASE,
        KV,
        HEAD,
        {**ACTIVE, **WIDTH, "num_experts": EXPERTS, "attention_bias": maybe(FLAG)},
        STEPS,
    ),
}
"""Language models that no class builds by themselves."""


def tower(model_type: str, recipe: Recipe, *, named: float = 0.7) -> Draw:
    """The section of an audio tower."""
    return section(model_type, recipe, named=named)


def thinker(name: str, audio: Recipe, sight: Recipe) -> Recipe:
    """Sections that are always of the wrapper's own types, whether they say so or not."""
    return (
        TIE,
        {
            "text_config": section(f"{name}_text", TEXTS[f"{name}_text"], named=0.7),
            "vision_config": section(f"{name}_vision_encoder", sight, named=0.7),
            "audio_config": section(f"{name}_audio_encoder", audio, named=0.7),
        },
    )


JOINED: Recipe = ({"cat_hidden_layers": maybe(of(None, [], [0], [0, 0]))},)


def query_former(random: Random, fields: Fields) -> Fields:
    """The Q-Former, as wide as the layers of the tower that are joined for it."""
    drawn: Fields = tower("blip_2_qformer", QUERY_FORMER)(random, fields)
    sound = fields["encoder_config"]
    joined = sound.get("cat_hidden_layers")
    if joined is not None and random.random() < 0.8:
        hidden = sound.get("hidden_dim") or sound["hidden_size"]
        drawn["encoder_hidden_size"] = hidden * (len(joined) + 1)
    return drawn


def speech(name: str, more: Recipe = ()) -> Recipe:
    """Granite Speech, whose tower is always of its own type."""
    return (
        TIE,
        text("granite", "llama"),
        {
            "encoder_config": tower(f"{name}_encoder", (*GRANITE, *more)),
            "projector_config": query_former,
            "window_size": maybe(of(8, 15)),
            "downsample_rate": maybe(of(3, 5)),
            "has_lora_adapter": maybe(FLAG),
        },
    )


FLAMINGO: Recipe = (
    TIE,
    text("qwen2", "qwen3"),
    {
        "audio_config": tower("audioflamingo3_encoder", WHISPER),
        "projector_bias": maybe(FLAG),
    },
)
SIGHT = vision.RECIPES["qwen2_5_vl_vision"]

RECIPES: dict[str, Recipe] = {
    "qwen2_audio": (TIE, text("qwen2", "llama"), {"audio_config": tower("qwen2_audio_encoder", WHISPER)}),
    "voxtral": (
        TIE,
        {"text_config": section("llama", (*DENSE["llama"], KV), named=0.7)},
        {"audio_config": tower("voxtral_encoder", WHISPER)},
    ),
    "audioflamingo3": FLAMINGO,
    "musicflamingo": (*FLAMINGO, {"audio_config": tower("audioflamingo3_encoder", WHISPER, named=1)}),
    "glmasr": (
        TIE,
        {"text_config": section("llama", (*DENSE["llama"], KV), named=0.7)},
        {"audio_config": tower("glmasr_encoder", GLM)},
    ),
    "granite_speech": speech("granite_speech"),
    "granite_speech_plus": speech("granite_speech_plus", JOINED),
    "qwen2_5_omni_thinker": thinker("qwen2_5_omni", OMNI, SIGHT),
    "qwen3_omni_moe_thinker": thinker("qwen3_omni_moe", OMNI3, (*SIGHT, LEARNED, DEEP)),
    "phi4_multimodal": (
        BASE,
        KV,
        TIE,
        PADDING,
        {"sliding_window": maybe(of(None, 6))},
        {
            "vision_config": section("phi4_multimodal_vision", (IMAGE, CHANNELS), named=0.7),
            "audio_config": tower("phi4_multimodal_audio", PHI4),
        },
    ),
    "gemma4": (
        TIE,
        {
            "text_config": section("gemma4_text", special.RECIPES["gemma4_text"], named=0.7),
            "vision_config": any_of(of(None), *[section("gemma4_vision", GEMMA4_VISION, named=0.7)] * 3),
            "audio_config": any_of(ABSENT, of(None), *[tower("gemma4_audio", GEMMA4)] * 3),
        },
    ),
}

CLASSES = {
    "phi4_multimodal": "Phi4MultimodalForCausalLM",
    "qwen2_audio": "Qwen2AudioForConditionalGeneration",
    "voxtral": "VoxtralForConditionalGeneration",
    "audioflamingo3": "AudioFlamingo3ForConditionalGeneration",
    "musicflamingo": "MusicFlamingoForConditionalGeneration",
    "glmasr": "GlmAsrForConditionalGeneration",
    "granite_speech": "GraniteSpeechForConditionalGeneration",
    "granite_speech_plus": "GraniteSpeechPlusForConditionalGeneration",
    "qwen2_5_omni_thinker": "Qwen2_5OmniThinkerForConditionalGeneration",
    "qwen3_omni_moe_thinker": "Qwen3OmniMoeThinkerForConditionalGeneration",
}
"""Classes of types that the mappings of causal and of image-text models do not have."""
