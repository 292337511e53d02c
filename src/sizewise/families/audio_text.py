"""Language models that listen: a tower on Whisper's pattern, a projector and a text model.

Heads are never tied but GLM-ASR's. Source: Chu et al. 2024, arXiv:2407.10759 (Qwen2-Audio); Liu et al.
2025, arXiv:2507.13264 (Voxtral); Goel et al. 2025, arXiv:2507.08128 (Audio Flamingo 3); the modelling
files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import Architecture, Part, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.audio_rules import (
    flamingo_tokens,
    glm_tokens,
    music_tokens,
    qwen2_audio_tokens,
    voxtral_tokens,
)
from sizewise.plans.audio_towers import audio_tower
from sizewise.plans.projectors import sound_with_projector, two_layers
from sizewise.plans.tower_parts import dense
from sizewise.plans.wrappers import Heard, Inner, SoundPlan, WrapperPlan, wrapper

PROJECTOR = "model.multi_modal_projector"
QWEN2 = Inner(field="text_config", model_type="qwen2")
VOXTRAL_TEXT = Inner(
    field="text_config",
    model_type="llama",
    defaults={
        "vocab_size": 131_072,
        "hidden_size": 3072,
        "intermediate_size": 8192,
        "num_hidden_layers": 30,
        "num_key_value_heads": 8,
        "max_position_embeddings": 131_072,
        "head_dim": 128,
    },
)
GLM_TEXT = Inner(
    field="text_config",
    model_type="llama",
    defaults={
        "vocab_size": 59_264,
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 4,
        "max_position_embeddings": 8192,
    },
)


def one_layer(heard: Heard) -> tuple[Part, ...]:
    """Return Qwen2-Audio's projector."""
    return (dense(f"{PROJECTOR}.linear", heard.sound.size("hidden_size"), heard.text.hidden),)


def joined_frames(heard: Heard) -> tuple[Part, ...]:
    """Return Voxtral's projector, over as many frames as fill the tower's feed-forward size."""
    return two_layers(PROJECTOR, heard.sound.size("intermediate_size"), heard.text.hidden, bias=False)


def mlp(heard: Heard) -> tuple[Part, ...]:
    """Return the projector of Audio Flamingo 3 and Music Flamingo; ``projector_bias`` says its bias."""
    bias = heard.config.flag("projector_bias")
    return two_layers(PROJECTOR, heard.sound.size("hidden_size"), heard.text.hidden, bias=bias)


def wide_mlp(heard: Heard) -> tuple[Part, ...]:
    """Return GLM-ASR's projector: joined frames, twice the text model's width, its width."""
    hidden = heard.text.hidden
    return (
        dense(f"{PROJECTOR}.linear_1", heard.sound.size("intermediate_size"), 2 * hidden),
        dense(f"{PROJECTOR}.linear_2", 2 * hidden, hidden),
    )


def listening(projector: Callable[[Heard], tuple[Part, ...]]) -> Callable[[Heard], tuple[Tower, ...]]:
    """Return a builder of the tower that the file names, and its projector."""

    def towers(heard: Heard) -> tuple[Tower, ...]:
        return sound_with_projector(audio_tower(heard.sound, "model.audio_tower"), *projector(heard))

    return towers


def encoder_of(model_type: str) -> Inner:
    """Return the inner configuration of the tower."""
    return Inner(field="audio_config", model_type=model_type)


def never_tied(config: Config, text: Config) -> bool:
    """Return false: these classes have no tied tensors, whatever the file says."""
    return False


MODEL_TYPES: dict[str, WrapperPlan] = {
    "qwen2_audio": WrapperPlan(
        model_class="Qwen2AudioForConditionalGeneration",
        text=QWEN2,
        sound=SoundPlan(
            inner=encoder_of("qwen2_audio_encoder"), towers=listening(one_layer), tokens=qwen2_audio_tokens
        ),
        tie=never_tied,
    ),
    "voxtral": WrapperPlan(
        model_class="VoxtralForConditionalGeneration",
        text=VOXTRAL_TEXT,
        sound=SoundPlan(
            inner=encoder_of("voxtral_encoder"), towers=listening(joined_frames), tokens=voxtral_tokens
        ),
        tie=never_tied,
    ),
    "audioflamingo3": WrapperPlan(
        model_class="AudioFlamingo3ForConditionalGeneration",
        text=QWEN2,
        sound=SoundPlan(
            inner=encoder_of("audioflamingo3_encoder"), towers=listening(mlp), tokens=flamingo_tokens
        ),
        tie=never_tied,
    ),
    "musicflamingo": WrapperPlan(
        model_class="MusicFlamingoForConditionalGeneration",
        text=QWEN2,
        sound=SoundPlan(
            inner=encoder_of("audioflamingo3_encoder"), towers=listening(mlp), tokens=music_tokens
        ),
        tie=never_tied,
    ),
    "glmasr": WrapperPlan(
        model_class="GlmAsrForConditionalGeneration",
        text=GLM_TEXT,
        sound=SoundPlan(inner=encoder_of("glmasr_encoder"), towers=listening(wide_mlp), tokens=glm_tokens),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types."""
    return wrapper(config, MODEL_TYPES[config.model_type], resolve)
