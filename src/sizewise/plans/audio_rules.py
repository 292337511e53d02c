"""From the configurations of a wrapper to its rule for the tokens of a sound.

Sizes come from the file; where only a processor knows them, the default of the processor's class holds.
Source: the processor files of transformers 5.23.
"""

from collections.abc import Callable

from sizewise.architecture import SoundTokens
from sizewise.plans.audio import (
    CHUNK_FRAMES,
    WHISPER_SECONDS,
    ChunkedFrames,
    PaddedWindows,
    PooledFrames,
    QueriedWindows,
    ReducedFrames,
)
from sizewise.plans.wrappers import Heard

GLM_MERGE = 4
"""Frames that GLM-ASR's processor joins: processing_glmasr.py."""
OMNI_SECONDS = 300
"""Longest sound of Qwen2.5-Omni's own processor file (the class keeps 30): 30,000 frames of an hour remain,
github.com/KD-TAO/OmniZip issue 14, 2026-08-21."""
FLAMINGO_SECONDS = 600
"""Longest sound by default, in whole windows of 30: processing_audioflamingo3.py."""
MUSIC_SECONDS = 1200
"""Longest sound by default, in whole windows of 30: processing_musicflamingo.py."""
GLM_SECONDS = 630
"""Longest sound by default: the whole windows of 30 in 655, processing_glmasr.py."""


def pooled_pairs(longest: int, source: str) -> Callable[[Heard], SoundTokens]:
    """Return a builder of Qwen2-Audio's rule: pairs of halved frames are averaged."""

    def rule(heard: Heard) -> SoundTokens:
        return PooledFrames(merge=2, longest=longest, source=source)

    return rule


qwen2_audio_tokens = pooled_pairs(WHISPER_SECONDS, "processing_qwen2_audio.py")
qwen2_omni_tokens = pooled_pairs(OMNI_SECONDS, "processing_qwen2_5_omni.py")
flamingo_tokens = pooled_pairs(FLAMINGO_SECONDS, "processing_audioflamingo3.py")
music_tokens = pooled_pairs(MUSIC_SECONDS, "processing_musicflamingo.py")


def glm_tokens(heard: Heard) -> SoundTokens | None:
    """Return GLM-ASR's rule; nothing where the tower joins another number of frames than the processor."""
    if heard.sound.size("intermediate_size") != GLM_MERGE * heard.sound.size("hidden_size"):
        return None
    return PooledFrames(merge=GLM_MERGE, longest=GLM_SECONDS, source="processing_glmasr.py")


def voxtral_tokens(heard: Heard) -> SoundTokens | None:
    """Return Voxtral's rule: the features of a window, joined to vectors of the feed-forward size."""
    features = heard.sound.size("max_source_positions") * heard.sound.size("hidden_size")
    width = heard.sound.size("intermediate_size")
    return None if features % width else PaddedWindows(per_window=features // width)


def chunked_tokens(heard: Heard) -> SoundTokens | None:
    """Return Qwen3-Omni's rule; nothing for chunks of another length than its processor counts with."""
    return ChunkedFrames() if 2 * heard.sound.size("n_window") == CHUNK_FRAMES else None


def granite_tokens(heard: Heard) -> SoundTokens:
    """Return Granite Speech's rule: ``window_size`` / ``downsample_rate`` queries a window."""
    window = heard.config.size("window_size")
    return QueriedWindows(window=window, queries=window // heard.config.size("downsample_rate"))


def phi4_tokens(heard: Heard) -> SoundTokens:
    """Return Phi-4-multimodal's rule."""
    return ReducedFrames(
        reduction=heard.sound.size("time_reduction"), rate=heard.sound.size("downsample_rate")
    )
