"""How many tokens of the language model a piece of sound becomes, by the rule of its processor.

Sound is sampled at 16 kHz and cut into frames, one every 160 samples; towers join frames to tokens.
Counted are the tokens that stand for the sound, not the marks around them. What a file does not say
(the longest sound) has the default of the processor's class, one piece of sound at a time.
Source: the processor and feature-extraction files of transformers 5.23, named at each rule.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sizewise.ledger import Line, leaf

RATE = 16_000
"""Samples of a second."""
HOP = 160
"""Samples from frame to frame."""
WHISPER_SECONDS = 30
"""Longest sound of a Whisper feature extractor, and its window: feature_extraction_whisper.py."""
GEMMA_SECONDS = 30
"""Longest sound by default: feature_extraction_gemma4.py (``max_length``)."""
GEMMA_FRAME = 161
"""Samples that a sound needs for its first frame, half of which is padding."""
PHI_FRAME = 400
"""Samples of a frame: feature_extraction_phi4_multimodal.py (``win_length``)."""
CHUNK_FRAMES, CHUNK_TOKENS = 100, 13
"""Frames that Qwen3-Omni's convolutions see at once, and their tokens: processing_qwen3_omni_moe.py."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledFrames:
    """Whisper's frames, halved by a convolution, then ``merge`` of them joined; the rest is dropped.

    >>> PooledFrames(merge=2, longest=30, source="").line(10).value
    250
    """

    merge: int
    longest: int | None
    """Seconds that are heard; None: all."""
    source: str

    def line(self, seconds: float) -> Line:
        """Return the tokens with their formula."""
        samples = heard(seconds, self.longest)
        frames = _up(samples, HOP)
        return _tokens(
            ((frames - 1) // 2 + 1) // self.merge,
            "((ceil(samples / hop) - 1) // 2 + 1) // merge",
            {"samples": samples, "hop": HOP, "merge": self.merge},
            self.source,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkedFrames:
    """Whole frames in chunks, each of which the convolutions halve three times.

    Source: processing_qwen3_omni_moe.py.

    >>> ChunkedFrames().line(10).value
    130
    """

    longest: int | None = None

    def line(self, seconds: float) -> Line:
        """Return the tokens with their formula."""
        samples = heard(seconds, self.longest)
        chunks, rest = divmod(samples // HOP, CHUNK_FRAMES)
        return _tokens(
            chunks * CHUNK_TOKENS + _up(rest, 8),
            "samples // hop // chunk * tokens + ceil(samples // hop % chunk / 8)",
            {"samples": samples, "hop": HOP, "chunk": CHUNK_FRAMES, "tokens": CHUNK_TOKENS},
            "processing_qwen3_omni_moe.py",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PaddedWindows:
    """Sound padded to whole windows of 30 seconds, each with the same number of tokens.

    Source: processing_voxtral.py; modeling_voxtral.py (``get_audio_features``).

    >>> PaddedWindows(per_window=375).line(31).value
    750
    """

    per_window: int
    longest: int | None = None

    def line(self, seconds: float) -> Line:
        """Return the tokens with their formula."""
        samples, window = heard(seconds, self.longest), WHISPER_SECONDS * RATE
        return _tokens(
            _up(samples, window) * self.per_window,
            "ceil(samples / window) * per_window",
            {"samples": samples, "window": window, "per_window": self.per_window},
            "processing_voxtral.py",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueriedWindows:
    """Pairs of frames in windows, from each of which a number of learned queries gathers a token.

    Source: feature_extraction_granite_speech.py (``_get_num_audio_features``).

    >>> QueriedWindows(window=15, queries=3).line(10).value
    102
    """

    window: int
    queries: int
    longest: int | None = None

    def line(self, seconds: float) -> Line:
        """Return the tokens with their formula."""
        samples = heard(seconds, self.longest)
        pairs = (samples // HOP + 1) // 2
        return _tokens(
            _up(pairs, self.window) * self.queries,
            "ceil((samples // hop + 1) // 2 / window) * queries",
            {"samples": samples, "hop": HOP, "window": self.window, "queries": self.queries},
            "feature_extraction_granite_speech.py",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducedFrames:
    """Whole frames of 400 samples, ``reduction`` of them a step, ``rate`` steps a token.

    Source: feature_extraction_phi4_multimodal.py (``_compute_audio_embed_size``).

    >>> ReducedFrames(reduction=8, rate=1).line(10).value
    125
    """

    reduction: int
    rate: int
    longest: int | None = None

    def line(self, seconds: float) -> Line:
        """Return the tokens with their formula."""
        samples = heard(seconds, self.longest)
        frames = max((samples - PHI_FRAME) // HOP + 1, 0)
        return _tokens(
            _up(_up(frames, self.reduction), self.rate),
            "ceil(ceil(max((samples - frame) // hop + 1, 0) / reduction) / rate)",
            {
                "samples": samples,
                "frame": PHI_FRAME,
                "hop": HOP,
                "reduction": self.reduction,
                "rate": self.rate,
            },
            "feature_extraction_phi4_multimodal.py",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarteredFrames:
    """Frames that two convolutions halve, both rounding up.

    Source: processing_gemma4.py (``_compute_audio_num_tokens``).

    >>> QuarteredFrames().line(10).value
    250
    """

    longest: int | None = GEMMA_SECONDS

    def line(self, seconds: float) -> Line:
        """Return the tokens with their formula."""
        samples = heard(seconds, self.longest)
        frames = max((samples - GEMMA_FRAME) // HOP + 1, 0)
        return _tokens(
            _up(frames, 4),
            "ceil(max((samples - first) // hop + 1, 0) / 4)",
            {"samples": samples, "first": GEMMA_FRAME, "hop": HOP},
            "processing_gemma4.py",
        )


def heard(seconds: float, longest: int | None) -> int:
    """Count the samples of a sound, of one that is too long those that are kept.

    >>> heard(2.5, None), heard(2.5, 1)
    (40000, 16000)
    """
    samples = round(seconds * RATE)
    return samples if longest is None else min(samples, longest * RATE)


def _up(size: int, unit: int) -> int:
    """Divide and round up."""
    return -(-size // unit)


def _tokens(amount: int, formula: str, inputs: Mapping[str, int], source: str) -> Line:
    where = f"{source}, transformers 5.23"
    return leaf("sound", amount, "tokens", formula=formula, inputs=inputs, source=where, status="derived")
