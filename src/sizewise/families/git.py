"""GIT: the patches of a picture stand before the text in a decoder with the layers of BERT.

Source: Wang et al. 2022, arXiv:2205.14100; the modelling file of transformers 5.23.
"""

from collections.abc import Iterator

from sizewise.architecture import Architecture, Part, Tower, stack
from sizewise.components.embeddings import Embedding, Head
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import chosen_class, equal_heads
from sizewise.plans.images import FixedTokens
from sizewise.plans.tower_parts import dense, learned, norm, table
from sizewise.plans.towers import Body, clip, square_patches
from sizewise.plans.wrappers import Inner, inner_section

MODEL_CLASS = "GitForCausalLM"
VISION = Inner(field="vision_config", model_type="git_vision_model", fixed=True)
MOST_FRAMES = 10_000
ATTENTION = AttentionNames(query="self.query", key="self.key", value="self.value", output="output.dense")


def text_layers(config: Config) -> Body:
    """Return tables, layers and head; the head is biased."""
    hidden, vocabulary = config.size("hidden_size"), config.size("vocab_size")
    place = "git.embeddings"
    parts = tuple(_layer(config))
    head = Head(hidden=hidden, vocabulary=vocabulary, tied=config.flag("tie_word_embeddings"), bias=True)
    return (
        Part(name=f"{place}.word_embeddings", component=Embedding(rows=vocabulary, width=hidden)),
        table(f"{place}.position_embeddings", config.size("max_position_embeddings"), hidden),
        norm(f"{place}.LayerNorm", hidden),
        stack("git.encoder.layer", [0] * config.layers(), lambda index: parts),
        Part(name="output", component=head),
    )


def _layer(config: Config) -> Iterator[Part]:
    """Yield attention and the feed-forward layer, each with the norm behind it."""
    hidden, counts = config.size("hidden_size"), equal_heads(config)
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=True,
        out_bias=True,
        names=ATTENTION,
    )
    feed_forward = FeedForward(
        hidden=hidden,
        width=config.size("intermediate_size"),
        gated=False,
        bias=True,
        names=FeedForwardNames(up="intermediate.dense", down="output.dense"),
    )
    yield Part(name="attention", component=attention)
    yield Part(name="attention.output.LayerNorm", component=Norm(width=hidden, kind="layer"))
    yield Part(name="", component=feed_forward)
    yield Part(name="output.LayerNorm", component=Norm(width=hidden, kind="layer"))


def towers(config: Config, vision: Config) -> tuple[Tower, ...]:
    """Return CLIP's tower, the matrix and norm behind it, and a vector per frame of a video."""
    features, hidden = vision.size("hidden_size"), config.size("hidden_size")
    given = config.given("num_image_with_embedding")
    frames = config.count("num_image_with_embedding", high=MOST_FRAMES) if given else 0
    name = "git.visual_projection.visual_projection"
    projector = (
        dense(f"{name}.0", features, hidden),
        norm(f"{name}.1", hidden),
        *(learned(f"git.img_temporal_embedding.{frame}", 1, 1, features) for frame in range(frames)),
    )
    body = clip(vision, "git.image_encoder.vision_model")
    return Tower(role="vision", body=body), Tower(role="projector", body=projector)


MODEL_TYPES: dict[str, str] = {"git": MODEL_CLASS}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of this type; all patches and the class token stand in the cache."""
    vision = inner_section(config, VISION)
    return Architecture(
        model_class=chosen_class(config, (MODEL_CLASS,), MODEL_CLASS),
        body=text_layers(config),
        hidden=config.size("hidden_size"),
        vocabulary=config.size("vocab_size"),
        context=config.context(),
        tied=config.flag("tie_word_embeddings"),
        towers=towers(config, vision),
        images=FixedTokens(count=square_patches(vision) + 1),
    )
