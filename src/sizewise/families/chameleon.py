"""Chameleon: pictures are tokens of the vocabulary, made by the encoder of a VQ-GAN.

Queries and keys have a LayerNorm with an own scale and bias [H] for every head.
Source: Chameleon team 2024, arXiv:2405.09818; the modelling file of transformers 5.23.
"""

from collections.abc import Sequence
from dataclasses import replace

from sizewise.architecture import Architecture, Part, Tower
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder
from sizewise.plans.fields import Heads, chosen_class, equal_heads
from sizewise.plans.images import FixedTokens
from sizewise.plans.tower_parts import convolution, learned, table
from sizewise.plans.towers import Body
from sizewise.plans.vq_gan import drawn_down, levels
from sizewise.plans.wrappers import Inner, inner_section

CODES = "model.vqmodel"
CODE_CONFIG = Inner(field="vq_config", model_type="chameleon_vqgan", fixed=True)
ATTENDING = "vanilla"
"""The ``attn_type`` of an encoder that attends at all."""
MARKS = 2


def even_heads(config: Config) -> Heads:
    """Read heads of size hidden / heads."""
    return equal_heads(config, key_value=config.size("num_key_value_heads"))


def norm_biases(config: Config) -> Sequence[Part]:
    """Return the biases [N, H] and [K, H] of the norms of queries and keys."""
    counts = even_heads(config)
    return (
        learned("self_attn.q_norm.bias", counts.query, counts.size, role="norm"),
        learned("self_attn.k_norm.bias", counts.key_value, counts.size, role="norm"),
    )


def encoder(config: Config) -> Body:
    """Return the encoder, the book of codes, and the convolutions before and after it."""
    attends = config.text("attn_type") == ATTENDING
    codes, size = config.size("num_embeddings"), config.size("embed_dim")
    latent = config.size("latent_channels")
    at = _attending(config) if attends else frozenset[int]()
    return (
        *drawn_down(config, f"{CODES}.encoder", attending=at, middle=attends),
        table(f"{CODES}.quantize.embedding", codes, size),
        convolution(f"{CODES}.quant_conv", latent, size, 1, 1, bias=True),
        convolution(f"{CODES}.post_quant_conv", size, latent, 1, 1, bias=True),
    )


def _attending(config: Config) -> frozenset[int]:
    """Return the levels whose resolution is in ``attn_resolutions``; each level halves it."""
    resolutions, side = config.indices("attn_resolutions") or frozenset(), config.size("resolution")
    return frozenset(level for level in range(len(levels(config))) if side >> level in resolutions)


def codes_of_a_picture(config: Config) -> FixedTokens:
    """Return a code for each position of the last level, and the marks around them."""
    side = config.size("resolution") >> (len(levels(config)) - 1)
    return FixedTokens(count=side**2 + MARKS)


MODEL_TYPES: dict[str, DecoderPlan] = {
    "chameleon": DecoderPlan(
        model_class="ChameleonForConditionalGeneration",
        attention=AttentionPlan(
            heads=even_heads,
            qkv_bias="attention_bias",
            out_bias="attention_bias",
            head_norm="every_head",
        ),
        feed_forward=FeedForwardPlan(bias="mlp_bias"),
        further=norm_biases,
    )
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    plan = MODEL_TYPES[config.model_type]
    chosen_class(config, (plan.model_class,), plan.model_class)
    codes = inner_section(config, CODE_CONFIG)
    tower = Tower(role="vision", body=encoder(codes))
    return replace(decoder(config, plan), towers=(tower,), images=codes_of_a_picture(codes))
