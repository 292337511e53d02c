"""OPT: learned positions with two spare rows, and token vectors that may be narrower than the layers.

Source: Zhang et al. 2022, arXiv:2205.01068; the modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import replace

from sizewise.architecture import Architecture, Part
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.decoder import AttentionPlan, DecoderPlan, FeedForwardPlan, decoder_layers, width_field
from sizewise.plans.fields import Skeleton, equal_heads

SPARE_POSITIONS = 2

MODEL_TYPES: dict[str, DecoderPlan] = {
    "opt": DecoderPlan(
        model_class="OPTForCausalLM",
        attention=AttentionPlan(
            heads=equal_heads,
            qkv_bias="enable_bias",
            out_bias="enable_bias",
            names=AttentionNames(output="out_proj"),
        ),
        feed_forward=FeedForwardPlan(
            part="",
            width=width_field("ffn_dim"),
            gated=False,
            bias="enable_bias",
            names=FeedForwardNames(up="fc1", down="fc2"),
        ),
        norms=("self_attn_layer_norm", "final_layer_norm"),
        skeleton=Skeleton(layers="model.decoder.layers"),
    ),
}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of OPT."""
    plan = MODEL_TYPES[config.model_type]
    kind: NormKind = "layer" if config.flag("layer_norm_elementwise_affine") else "none"
    plan = replace(plan, skeleton=replace(plan.skeleton, norm=kind))
    hidden, vocabulary = config.size("hidden_size"), config.size("vocab_size")
    width = config.optional_size("word_embed_proj_dim") or hidden
    tied = config.flag("tie_word_embeddings")
    return Architecture(
        model_class=plan.model_class,
        body=(
            Part(name="model.decoder.embed_tokens", component=Embedding(rows=vocabulary, width=width)),
            *_before_layers(config, hidden, width),
            decoder_layers(config, plan),
            *_after_layers(config, hidden, width, kind),
            Part(name="lm_head", component=Head(hidden=width, vocabulary=vocabulary, tied=tied)),
        ),
        hidden=hidden,
        vocabulary=vocabulary,
        context=config.context(),
        tied=tied,
    )


def _before_layers(config: Config, hidden: int, width: int) -> Iterator[Part]:
    """Yield what widens token vectors, and the positions that are added then."""
    if width != hidden:
        inwards = Linear(inputs=width, outputs=hidden, role="projector")
        yield Part(name="model.decoder.project_in", component=inwards)
    rows = config.size("max_position_embeddings") + SPARE_POSITIONS
    positions = Embedding(rows=rows, width=hidden, role="position", absolute=True)
    yield Part(name="model.decoder.embed_positions", component=positions)


def _after_layers(config: Config, hidden: int, width: int, kind: NormKind) -> Iterator[Part]:
    """Yield the final norm where there is one, and what narrows hidden states for the head."""
    if config.flag("do_layer_norm_before") and not config.flag("_remove_final_layer_norm"):
        yield Part(name="model.decoder.final_layer_norm", component=Norm(width=hidden, kind=kind))
    if width != hidden:
        outwards = Linear(inputs=hidden, outputs=width, role="projector")
        yield Part(name="model.decoder.project_out", component=outwards)
