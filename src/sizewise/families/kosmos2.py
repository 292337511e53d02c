"""Kosmos-2: CLIP's tower, learned queries that attend to its patches, and a decoder with inner norms.

Source: Peng et al. 2023, arXiv:2306.14824; Wang et al. 2022, arXiv:2210.06423 (inner norms); the
modelling file of transformers 5.23.
"""

from collections.abc import Iterator

from sizewise.architecture import Architecture, Part, Tower, stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.fields import chosen_class, equal_heads
from sizewise.plans.images import FixedTokens
from sizewise.plans.tower_parts import dense, learned, norm
from sizewise.plans.towers import Body, clip
from sizewise.plans.wrappers import Inner, either_tie, inner_section

MODEL_CLASS = "Kosmos2ForConditionalGeneration"
TEXT = Inner(field="text_config", model_type="kosmos_2_text_model", fixed=True)
VISION = Inner(field="vision_config", model_type="kosmos_2_vision_model", fixed=True)
DECODER, PROJECTION = "text_model.model", "image_to_text_projection"
MARKS = 2
"""Around a picture."""


def attention(config: Config, *, cached: bool) -> GroupedQueryAttention:
    """Return attention as wide as the decoder, all of it biased."""
    hidden = config.size("embed_dim")
    counts = equal_heads(config, query=config.size("attention_heads"), hidden=hidden)
    return GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=True,
        out_bias=True,
        cached=cached,
        names=AttentionNames(output="out_proj"),
    )


def text_layers(config: Config, *, tied: bool) -> Body:
    """Return the table, the layers, the norm behind them and the head; positions are computed.

    Raises InputError (unsupported_architecture) for layers with cross-attention.
    """
    if config.flag("add_cross_attention"):
        raise InputError("unsupported_architecture", "kosmos-2 config: add_cross_attention is not modelled")
    hidden, vocabulary = config.size("embed_dim"), config.size("vocab_size")
    parts = tuple(_layer(config, hidden))
    return (
        Part(name=f"{DECODER}.embed_tokens", component=Embedding(rows=vocabulary, width=hidden)),
        stack(f"{DECODER}.layers", [0] * config.layers("layers"), lambda index: parts),
        norm(f"{DECODER}.layer_norm", hidden),
        Part(name="text_model.lm_head", component=Head(hidden=hidden, vocabulary=vocabulary, tied=tied)),
    )


def _layer(config: Config, hidden: int) -> Iterator[Part]:
    """Yield attention and the feed-forward layer, each with a norm before it and one inside."""
    width = config.size("ffn_dim")
    feed_forward = FeedForward(
        hidden=hidden, width=width, gated=False, bias=True, names=FeedForwardNames(up="fc1", down="fc2")
    )
    yield Part(name="self_attn", component=attention(config, cached=True))
    yield Part(name="self_attn.inner_attn_ln", component=Norm(width=hidden, kind="layer"))
    yield Part(name="self_attn_layer_norm", component=Norm(width=hidden, kind="layer"))
    yield Part(name="ffn", component=feed_forward)
    yield Part(name="ffn.ffn_layernorm", component=Norm(width=width, kind="layer"))
    yield Part(name="final_layer_norm", component=Norm(width=hidden, kind="layer"))


def towers(config: Config, text: Config, vision: Config) -> tuple[Tower, ...]:
    """Return CLIP's tower, and the matrix, queries and attention that make tokens of its patches."""
    hidden = text.size("embed_dim")
    projector = (
        dense(f"{PROJECTION}.dense", vision.size("hidden_size"), hidden),
        learned(f"{PROJECTION}.latent_query", config.size("latent_query_num"), hidden, role="projector"),
        Part(name=f"{PROJECTION}.x_attn", component=attention(text, cached=False)),
    )
    body = clip(vision, "vision_model.model")
    return Tower(role="vision", body=body), Tower(role="projector", body=projector)


MODEL_TYPES: dict[str, str] = {"kosmos-2": MODEL_CLASS}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type."""
    text, vision = inner_section(config, TEXT), inner_section(config, VISION)
    tied = either_tie(config, text)
    return Architecture(
        model_class=chosen_class(config, (MODEL_CLASS,), MODEL_CLASS),
        body=text_layers(text, tied=tied),
        hidden=text.size("embed_dim"),
        vocabulary=text.size("vocab_size"),
        context=text.context(),
        tied=tied,
        towers=towers(config, text, vision),
        images=FixedTokens(count=config.size("latent_query_num") + MARKS),
    )
