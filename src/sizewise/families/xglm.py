"""XGLM and BioGPT: decoders in BART's shape that norm before their blocks.

XGLM computes the sines of its positions, BioGPT has a table with two rows that no position uses.
Source: Lin et al. 2021, arXiv:2112.10668; Luo et al. 2022, arXiv:2210.10341; the modelling files of
transformers 5.23.
"""

from collections.abc import Sequence

from sizewise.architecture import Architecture, Part
from sizewise.components.embeddings import Embedding
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder, width_field
from sizewise.plans.fields import Skeleton, equal_heads

SPARE_POSITIONS = 2
ATTENTION = AttentionPlan(
    heads=equal_heads, qkv_bias=True, out_bias=True, names=AttentionNames(output="out_proj")
)
NORMS = ("self_attn_layer_norm", "final_layer_norm")


def feed_forward(width: str) -> FeedForwardPlan:
    """Return the feed-forward layer whose size the field names."""
    return FeedForwardPlan(
        part="",
        width=width_field(width),
        gated=False,
        bias=True,
        names=FeedForwardNames(up="fc1", down="fc2"),
    )


def spare_positions(config: Config) -> Sequence[Part]:
    """Return BioGPT's table of positions."""
    rows = config.size("max_position_embeddings") + SPARE_POSITIONS
    table = Embedding(rows=rows, width=config.size("hidden_size"), role="position", absolute=True)
    return (Part(name="biogpt.embed_positions", component=table),)


MODEL_TYPES: dict[str, DecoderPlan] = {
    "xglm": DecoderPlan(
        model_class="XGLMForCausalLM",
        attention=ATTENTION,
        feed_forward=feed_forward("ffn_dim"),
        norms=NORMS,
        skeleton=Skeleton(final_norm="model.layer_norm", norm="layer"),
    ),
    "biogpt": DecoderPlan(
        model_class="BioGptForCausalLM",
        attention=ATTENTION,
        feed_forward=feed_forward("intermediate_size"),
        norms=NORMS,
        skeleton=Skeleton(
            embedding="biogpt.embed_tokens",
            layers="biogpt.layers",
            final_norm="biogpt.layer_norm",
            head="output_projection",
            norm="layer",
        ),
        before=spare_positions,
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of one of these types.

    Raises InputError (unsupported_architecture) for a decoder with cross-attention.
    """
    if config.flag("add_cross_attention"):
        raise InputError(
            "unsupported_architecture",
            f"{config.model_type} config: add_cross_attention is true; only the decoder alone is modelled",
        )
    return decoder(config, MODEL_TYPES[config.model_type])
