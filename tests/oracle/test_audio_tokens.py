"""Tokens of a sound: the rules against the processors' own code, for sounds of random lengths."""

from collections.abc import Callable
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from sizewise.architecture import SoundTokens
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.plans.audio import RATE

from .conftest import Oracle

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]

SECONDS = 100
TEXT = {"model_type": "llama", "num_key_value_heads": 8}
LISTENING = {"audio_config": {}, "text_config": TEXT}
FILES: dict[str, dict[str, Any]] = {
    "qwen2_audio": LISTENING,
    "voxtral": LISTENING,
    "audioflamingo3": LISTENING,
    "musicflamingo": LISTENING,
    "glmasr": LISTENING,
    "granite_speech": {
        "encoder_config": {},
        "projector_config": {"encoder_hidden_size": 1024},
        "text_config": TEXT,
    },
    "qwen2_5_omni_thinker": {"audio_config": {}, "text_config": {}, "vision_config": {}},
    "qwen3_omni_moe_thinker": {"audio_config": {}, "text_config": {}, "vision_config": {}},
    "phi4_multimodal": {},
    "gemma4": {"audio_config": {}, "text_config": {}},
}


def silence(samples: int) -> Any:
    import numpy

    return numpy.zeros(samples, dtype=numpy.float32)


def processor(name: str, window: int = 30, **attributes: Any) -> Any:
    """Return a processor without a tokenizer: one that only listens."""
    import transformers

    found = getattr(transformers, name)
    made = found.__new__(found)
    made.audio_token, made.boa_token, made.eoa_token = "s", "", ""
    made.feature_extractor = transformers.WhisperFeatureExtractor(feature_size=128, chunk_length=window)
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made


def replaced(name: str, **attributes: Any) -> Callable[[int], int]:
    """Count the tokens that the processor puts into the text."""

    def count(samples: int) -> int:
        made = processor(name, **attributes)
        return len(made._process_audio([silence(samples)], **made.audio_kwargs)[1][0])

    return count


def voxtral(samples: int) -> int:
    """Count the features that the tower of a small model gives for the processor's windows."""
    from transformers import VoxtralConfig, VoxtralModel

    made = processor("VoxtralProcessor")
    given = {**made.audio_kwargs}
    windows = made._retrieve_input_features([silence(samples)], given.pop("max_source_positions"), **given)
    sound = {"hidden_size": 8, "num_attention_heads": 1, "intermediate_size": 32, "num_hidden_layers": 1}
    text = {"hidden_size": 8, "num_attention_heads": 1, "num_hidden_layers": 1, "vocab_size": 9}
    model = VoxtralModel(VoxtralConfig(audio_config=sound, text_config={**text, "num_key_value_heads": 1}))
    return int(model.get_audio_features(windows).pooler_output.shape[0])


def granite(samples: int) -> int:
    from transformers.models.granite_speech.feature_extraction_granite_speech import (
        GraniteSpeechFeatureExtractor as Extractor,
    )

    sizes = {"projector_window_size": 15, "projector_downsample_rate": 5}
    made = SimpleNamespace(melspec_kwargs={"hop_length": 160}, **sizes)
    return int(Extractor._get_num_audio_features(made, [samples])[0])


def phi4(samples: int) -> int:
    from transformers import Phi4MultimodalFeatureExtractor

    heard = Phi4MultimodalFeatureExtractor()(silence(samples), sampling_rate=RATE)
    return int(heard["audio_embed_sizes"][0])


def gemma4(samples: int) -> int:
    from transformers import Gemma4AudioFeatureExtractor

    extractor = Gemma4AudioFeatureExtractor()
    made = processor("Gemma4Processor", feature_extractor=extractor, audio_seq_length=750)
    count = len(made.replace_audio_token(extractor([silence(samples)]), 0))
    assert count == made._compute_audio_num_tokens(silence(samples), RATE)
    return count


NO_MARKS = {"audio_bos_token": "", "audio_eos_token": ""}

PROCESSORS: dict[str, Callable[[int], int]] = {
    "qwen2_audio": replaced("Qwen2AudioProcessor"),
    "voxtral": voxtral,
    "audioflamingo3": replaced("AudioFlamingo3Processor", max_audio_len=600),
    "musicflamingo": replaced("MusicFlamingoProcessor", max_audio_len=1200, **NO_MARKS),
    "glmasr": replaced("GlmAsrProcessor", max_audio_len=655),
    "granite_speech": granite,
    "qwen2_5_omni_thinker": replaced("Qwen2_5OmniProcessor", window=300),
    "qwen3_omni_moe_thinker": replaced("Qwen3OmniMoeProcessor"),
    "phi4_multimodal": phi4,
    "gemma4": gemma4,
}


def rule(model_type: str) -> SoundTokens:
    found = describe(Config(FILES[model_type], model_type)).audio
    assert found is not None
    return found


def lengths(seed: str) -> list[int]:
    """Samples of sounds: short ones, some whole seconds, some around the windows of 30 seconds."""
    random = Random(seed)
    whole = [RATE * random.randint(1, SECONDS) for _ in range(3)]
    any_length = [random.randint(RATE // 10, SECONDS * RATE) for _ in range(6)]
    edges = [30 * RATE * random.randint(1, 2) + random.choice((-161, -1, 0, 1, 159, 160)) for _ in range(4)]
    return [*whole, *any_length, *edges, random.randint(480, 4 * RATE)]


@pytest.mark.parametrize("model_type", sorted(PROCESSORS))
def test_a_sound_becomes_as_many_tokens_as_the_processor_makes(model_type: str, oracle: Oracle) -> None:
    for samples in lengths(f"{oracle.seed} {model_type}"):
        ours = rule(model_type).line(samples / RATE).value
        assert ours == PROCESSORS[model_type](samples), f"{model_type}: {samples} samples"


@pytest.mark.parametrize("model_type", ["audioflamingo3", "glmasr"])
def test_a_long_sound_is_cut_where_the_processor_cuts_it(model_type: str, oracle: Oracle) -> None:
    samples = 660 * RATE + Random(oracle.seed).randint(0, RATE)
    assert rule(model_type).line(samples / RATE).value == PROCESSORS[model_type](samples)
