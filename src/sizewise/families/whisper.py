"""Whisper: an encoder of sound behind two convolutions and a decoder of text, keys without biases.

Source: Radford et al. 2022, arXiv:2212.04356; the modelling file of transformers 5.23.
"""

from collections.abc import Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.convolution import Convolution
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.encoder_decoder import (
    BARE,
    CAUSAL,
    GENERATION,
    AttentionStyle,
    EncoderDecoderPlan,
    Half,
    encoder_decoder,
)

KERNEL = (3,)


def convolutions(config: Config) -> Sequence[Part]:
    """Return the convolutions over the spectrum: from mel bins to D, then halving the frames."""
    hidden, bins = config.size("d_model"), config.size("num_mel_bins")
    first = Convolution(inputs=bins, outputs=hidden, kernel=KERNEL, bias=True, role="audio")
    second = Convolution(inputs=hidden, outputs=hidden, kernel=KERNEL, bias=True, role="audio")
    return Part(name="conv1", component=first), Part(name="conv2", component=second)


def rows(config: Config, half: Half) -> int | None:
    """Return the frames of the encoder or the tokens of the decoder."""
    return config.size("max_source_positions" if half == "encoder" else "max_target_positions")


STYLE = AttentionStyle(key_bias=False)

MODEL_TYPES: dict[str, EncoderDecoderPlan] = {
    "whisper": EncoderDecoderPlan(
        tasks={
            "WhisperForConditionalGeneration": GENERATION,
            "WhisperModel": BARE,
            "WhisperForCausalLM": CAUSAL,
        },
        default="WhisperForConditionalGeneration",
        causal="WhisperForCausalLM",
        shared=False,
        front=convolutions,
        rows=rows,
        sines=("encoder",),
        final_norm=True,
        encoder_attention=STYLE,
        attention=STYLE,
        head="proj_out",
        context=("max_target_positions",),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names, the one that transcribes if none.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    return encoder_decoder(config, MODEL_TYPES[config.model_type])
