"""Language models that listen: published totals, tokens of a sound, and what is refused.

Expected tokens are what each processor class of transformers 5.23 makes of silence with its defaults;
lengths are in samples at 16 kHz.
"""

from math import ceil
from typing import Any

import pytest

from sizewise.architecture import Architecture, SoundTokens
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import describe
from sizewise.plans.audio import (
    RATE,
    ChunkedFrames,
    PaddedWindows,
    PooledFrames,
    QuarteredFrames,
    QueriedWindows,
    ReducedFrames,
)

TEXT = {"model_type": "llama", "num_key_value_heads": 8}
SAMPLES = (1_000, 16_000, 160_001, 479_999, 480_000, 480_001, 1_000_000)


def build(model_type: str, **fields: Any) -> Architecture:
    return describe(Config(fields, model_type))


def total(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


RULES: dict[str, tuple[SoundTokens, list[int]]] = {
    "qwen2_audio": (PooledFrames(merge=2, longest=30, source=""), [2, 25, 250, 750, 750, 750, 750]),
    "voxtral": (PaddedWindows(per_window=375), [375, 375, 375, 375, 375, 750, 1125]),
    "audioflamingo3": (PooledFrames(merge=2, longest=600, source=""), [2, 25, 250, 750, 750, 750, 1562]),
    "glmasr": (PooledFrames(merge=4, longest=630, source=""), [1, 12, 125, 375, 375, 375, 781]),
    "granite_speech": (QueriedWindows(window=15, queries=3), [3, 12, 102, 300, 300, 300, 627]),
    "qwen3_omni_moe": (ChunkedFrames(), [1, 13, 130, 390, 390, 390, 813]),
    "phi4_multimodal": (ReducedFrames(reduction=8, rate=1), [1, 13, 125, 375, 375, 375, 781]),
    "gemma4": (QuarteredFrames(), [2, 25, 250, 750, 750, 750, 750]),
}


@pytest.mark.parametrize("name", sorted(RULES))
def test_the_processor_makes_as_many_tokens(name: str) -> None:
    rule, expected = RULES[name]
    assert [rule.line(samples / RATE).value for samples in SAMPLES] == expected


@pytest.mark.parametrize("name", sorted(RULES))
@pytest.mark.parametrize("seconds", [0.01, 0.5, 7.3, 29.99, 31, 700])
def test_the_shown_formula_gives_the_tokens(name: str, seconds: float) -> None:
    line = RULES[name][0].line(seconds)
    assert eval(line.formula, {"ceil": ceil, "max": max}, dict(line.inputs)) == line.value


def test_a_sound_without_a_frame_is_no_token() -> None:
    for name in ("glmasr", "phi4_multimodal", "gemma4", "qwen3_omni_moe"):
        assert RULES[name][0].line(0.005).value == 0


def test_the_rule_comes_from_the_file() -> None:
    voxtral = build("voxtral", text_config=TEXT, audio_config={"max_source_positions": 1000})
    assert voxtral.audio == PaddedWindows(per_window=250)
    speech = {"encoder_config": {}, "projector_config": {}, "text_config": TEXT}
    assert build("granite_speech", **speech, window_size=12, downsample_rate=4).audio == QueriedWindows(
        window=12, queries=3
    )
    assert build("phi4_multimodal", audio_config={"time_reduction": 4}).audio == ReducedFrames(
        reduction=4, rate=1
    )


@pytest.mark.parametrize(
    ("model_type", "audio"),
    [
        ("voxtral", {"intermediate_size": 999}),
        ("glmasr", {"intermediate_size": 999}),
        ("qwen3_omni_moe_thinker", {"n_window": 100}),
    ],
)
def test_sizes_that_the_processor_does_not_count_with_have_no_rule(model_type: str, audio: Any) -> None:
    model = build(model_type, text_config=TEXT, audio_config=audio, vision_config={})
    assert model.audio is None
    assert any(tower.role == "audio" for tower in model.towers)


def test_qwen_omni_keeps_30_000_frames_of_an_hour() -> None:
    """As github.com/KD-TAO/OmniZip issue 14 of 2026-08-21 saw it: 3,579 seconds became 7,500 tokens."""
    sections = {"text_config": {}, "vision_config": {}, "audio_config": {}}
    rule = build("qwen2_5_omni_thinker", **sections).audio
    assert rule is not None
    assert rule.line(3579.47).value == 7_500


def test_text_models_hear_nothing() -> None:
    assert build(**TEXT).audio is None
    assert build("gemma4", text_config={}, audio_config=None).audio is None


def gemma4(audio: Any, vision: Any, *, full: int, borrowed: int, **text: Any) -> Architecture:
    """A small Gemma 4 by its published sizes; one of ``full`` layers attends to everything."""
    layers = text["num_hidden_layers"]
    kinds = ["full_attention" if index % full == full - 1 else "sliding_attention" for index in range(layers)]
    shape = {"num_attention_heads": 8, "head_dim": 256, "global_head_dim": 512, "vocab_size": 262_144}
    tables = {"vocab_size_per_layer_input": 262_144, "hidden_size_per_layer_input": 256}
    inner = {**shape, **tables, **text, "layer_types": kinds, "num_kv_shared_layers": borrowed}
    return build("gemma4", text_config=inner, audio_config=audio, vision_config=vision)


def unused_keys(hidden: int, heads: int, sliding: int, full: int) -> int:
    """Keys, values and key norms of layers that borrow them: files hold these all the same."""
    return sum(count * (2 * heads * size * hidden + size) for count, size in ((sliding, 256), (full, 512)))


def test_small_gemma_4_has_the_published_tensors() -> None:
    """Tensor elements of the checkpoints: google/gemma-4-E2B-it and -E4B-it, read 2026-03-02.

    A file holds a scale per layer too, which is a buffer of the class.
    """
    shape = {"num_hidden_layers": 35, "hidden_size": 1536, "num_key_value_heads": 1}
    small = gemma4({}, {}, full=5, borrowed=20, **shape, intermediate_size=6144, use_double_wide_mlp=True)
    assert total(small) + unused_keys(1536, 1, sliding=16, full=4) + 35 == 5_123_178_051
    shape = {"num_hidden_layers": 42, "hidden_size": 2560, "num_key_value_heads": 2}
    large = gemma4({}, {}, full=6, borrowed=18, **shape, intermediate_size=10_240)
    assert total(large) + unused_keys(2560, 2, sliding=15, full=3) + 42 == 7_996_156_490


def test_every_layer_of_a_query_former_may_look_at_the_sound() -> None:
    speech = {"encoder_config": {}, "text_config": TEXT}
    each, second = (
        build("granite_speech", **speech, projector_config={"cross_attention_frequency": frequency})
        for frequency in (1, 2)
    )
    crossed = {name for name, _ in each.tensors()} - {name for name, _ in second.tensors()}
    assert {name.split(".")[5] for name in crossed} == {"1", "3", "5", "7", "9", "11"}


@pytest.mark.parametrize(
    ("model_type", "fields", "code", "named"),
    [
        ("qwen2_audio", {"text_config": TEXT}, "bad_config", "audio_config"),
        (
            "qwen2_audio",
            {"text_config": TEXT, "audio_config": {"model_type": "wav2vec2"}},
            "unsupported_architecture",
            "wav2vec2",
        ),
        (
            "granite_speech",
            {"text_config": TEXT, "encoder_config": {}, "projector_config": {"model_type": "bert"}},
            "unsupported_architecture",
            "bert",
        ),
        (
            "granite_speech",
            {"text_config": TEXT, "encoder_config": {"context_size": 900}, "projector_config": {}},
            "bad_config",
            "context_size",
        ),
        ("phi4_multimodal", {"audio_config": {"time_reduction": 3}}, "bad_config", "time_reduction"),
    ],
)
def test_what_cannot_be_counted_is_refused_by_name(
    model_type: str, fields: dict[str, Any], code: str, named: str
) -> None:
    with pytest.raises(InputError) as raised:
        build(model_type, **fields)
    assert raised.value.code == code
    assert named in str(raised.value)
