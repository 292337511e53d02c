"""LED: BART with an encoder that looks near, and with other projections for the few tokens that see all.

Which tokens see all is the caller's choice, so their queries and scores are not counted as work.
Source: Beltagy et al. 2020, arXiv:2004.05150; the modelling file of transformers 5.23.
"""

from collections.abc import Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.linear import Linear
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.encoder_decoder import (
    ANSWERS,
    BARE,
    GENERATION,
    AttentionStyle,
    EncoderDecoderPlan,
    Half,
    encoder_decoder,
)

INNER = "longformer_self_attn"


def window(config: Config) -> int | None:
    """Return the tokens that one token sees: the widest ``attention_window`` and itself."""
    given = config.raw("attention_window")
    if not isinstance(given, list):
        return config.size("attention_window") + 1
    sizes = config.indices("attention_window") or frozenset()
    if not sizes or min(sizes) < 1:
        raise config.bad("attention_window", "holds no window sizes")
    return max(sizes) + 1


def global_projections(config: Config) -> Sequence[Part]:
    """Return the projections for tokens that see all: every token has keys and values for them."""
    hidden = config.size("d_model")
    projection = Linear(inputs=hidden, outputs=hidden, role="attention", bias=True)
    return tuple(
        Part(name=f"self_attn.{INNER}.{name}_global", component=projection, uses=uses)
        for name, uses in (("query", 0), ("key", 1), ("value", 1))
    )


def rows(config: Config, half: Half) -> int | None:
    """Return the positions of one half."""
    return config.size(f"max_{half}_position_embeddings")


MODEL_TYPES: dict[str, EncoderDecoderPlan] = {
    "led": EncoderDecoderPlan(
        tasks={
            "LEDForConditionalGeneration": GENERATION,
            "LEDModel": BARE,
            "LEDForQuestionAnswering": ANSWERS,
        },
        default="LEDForConditionalGeneration",
        prefix="led",
        rows=rows,
        embedding_norm=True,
        encoder_attention=AttentionStyle(
            names=AttentionNames(
                query=f"{INNER}.query", key=f"{INNER}.key", value=f"{INNER}.value", output="output"
            ),
            reach=window,
            beside=global_projections,
        ),
        context=("max_decoder_position_embeddings",),
        bounded=False,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the class that the file names, the one that generates if none.

    Raises InputError (unsupported_architecture) for a class that is not known.
    """
    return encoder_decoder(config, MODEL_TYPES[config.model_type])
