"""Llama 3.2 Vision: layers of cross-attention between those of Llama, and a tower of two encoders.

A picture is one token of the text; the layers of cross-attention keep the keys and values of all its
patches. Shapes: n patches of a tile and its class token, R aspect ratios and one for padding.
Source: Grattafiori et al. 2024, arXiv:2407.21783, section 7; the modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import replace

from sizewise.architecture import Architecture, Part, Tower, stack
from sizewise.components.embeddings import Embedding
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.families import Resolve
from sizewise.plans.fields import Skeleton, causal_model, checked_heads
from sizewise.plans.images import FixedTokens
from sizewise.plans.projectors import with_projector
from sizewise.plans.tower_parts import dense, learned, norm, table
from sizewise.plans.towers import Body, patch_kernel, square_patches
from sizewise.plans.vision_layers import VisionLayerPlan, encoder, vision_sizes
from sizewise.plans.wrappers import Inner, Inside, WrapperPlan, inner_section, wrapper

CROSSING = frozenset((3, 8, 13, 18, 23, 28, 33, 38))
"""Layers of cross-attention where a file does not list them."""
RATIOS = 8
"""Aspect ratios of a picture of at most four tiles."""
PICTURE_TOKENS = 8
"""Rows that the token table has more than the head."""
TOWER = "model.vision_model"
VISION = Inner(field="vision_config", model_type="mllama_vision_model", fixed=True)
LAYER = VisionLayerPlan(
    attention_names=AttentionNames(),
    qkv_bias=False,
    out_bias=False,
    norms=("input_layernorm", "post_attention_layernorm"),
)


def never_tied(config: Config, text: Config) -> bool:
    """Return false: the token table has more rows than the head."""
    return False


def language_model(config: Config) -> Architecture:
    """Return the text model; without pictures its layers of cross-attention are passed over."""
    listed = config.indices("cross_attention_layers")
    crossing = CROSSING if listed is None else listed
    kinds = [index in crossing for index in range(config.layers())]
    layers = stack("model.layers", kinds, lambda index: tuple(_layer(config, crosses=kinds[index])))
    text = causal_model(config, "MllamaForCausalLM", layers, skeleton=Skeleton(tied=False))
    rows = Embedding(rows=text.vocabulary + PICTURE_TOKENS, width=text.hidden)
    body = (Part(name="model.embed_tokens", component=rows), *text.body[1:])
    return replace(text, body=body, crossed=FixedTokens(count=0))


def _layer(config: Config, *, crosses: bool) -> Iterator[Part]:
    """Yield attention, feed-forward layer and norms; gates where the layer attends to pictures."""
    hidden = config.size("hidden_size")
    counts = checked_heads(
        config, config.size("num_attention_heads"), config.size("num_key_value_heads"), None
    )
    attention = GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        head_norm="per_head" if crosses else "none",
        cross=crosses,
    )
    feed_forward = FeedForward(hidden=hidden, width=config.size("intermediate_size"))
    yield Part(name="cross_attn" if crosses else "self_attn", component=attention)
    yield Part(name="mlp", component=feed_forward)
    yield Part(name="input_layernorm", component=Norm(width=hidden))
    yield Part(name="post_attention_layernorm", component=Norm(width=hidden))
    if crosses:
        yield learned("cross_attn_attn_gate", 1, role="attention")
        yield learned("cross_attn_mlp_gate", 1, role="feed_forward")


def tower(config: Config) -> Body:
    """Return both encoders, the second with gates, and the tables of tiles [R + 1, tiles * …]."""
    hidden, tiles, positions = config.size("hidden_size"), config.size("max_num_tiles"), _positions(config)
    listed = config.entries("supported_aspect_ratios")
    ratios = (RATIOS if listed is None else len(listed)) + 1
    place, sizes = f"{TOWER}.gated_positional_embedding", vision_sizes(config)
    gates = (learned("gate_attn", 1), learned("gate_ffn", 1))
    further = vision_sizes(config, layers="num_global_layers")
    return (
        patch_kernel(config, f"{TOWER}.patch_embedding", bias=False),
        learned(f"{TOWER}.class_embedding", hidden),
        learned(f"{place}.gate", 1),
        learned(f"{place}.embedding", positions, hidden),
        table(f"{place}.tile_embedding", ratios, tiles * positions * hidden),
        *_tile_table(f"{TOWER}.pre_tile_positional_embedding", ratios, tiles * hidden),
        *_tile_table(f"{TOWER}.post_tile_positional_embedding", ratios, tiles * hidden),
        norm(f"{TOWER}.layernorm_pre", hidden),
        norm(f"{TOWER}.layernorm_post", hidden),
        encoder(f"{TOWER}.transformer.layers", sizes, LAYER),
        encoder(f"{TOWER}.global_transformer.layers", further, LAYER, extra=lambda index: gates),
    )


def _positions(config: Config) -> int:
    """Count the patches of a tile and its class token."""
    return square_patches(config) + 1


def _tile_table(name: str, ratios: int, width: int) -> tuple[Part, Part]:
    return table(f"{name}.embedding", ratios, width), learned(f"{name}.gate", 1)


def towers(inside: Inside) -> tuple[Tower, ...]:
    """Return the tower and the matrix to the text model."""
    outputs = inside.vision.size("vision_output_dim")
    matrix = dense("model.multi_modal_projector", outputs, inside.text.hidden)
    return with_projector(tower(inside.vision), matrix)


def one_token(inside: Inside) -> FixedTokens:
    """Return one token: the mark of a picture in the text."""
    return FixedTokens(count=1)


def all_tiles(config: Config) -> FixedTokens:
    """Return the keys of a picture, which the processor pads to ``max_num_tiles`` tiles.

    Source: image_processing_mllama.py (``pad_batches_and_tiles``).
    """
    return FixedTokens(count=config.size("max_num_tiles") * _positions(config))


PLAN = WrapperPlan(
    model_class="MllamaForConditionalGeneration",
    text=Inner(field="text_config", model_type="mllama_text_model", fixed=True),
    vision=VISION,
    towers=towers,
    images=one_token,
    tie=never_tied,
    text_class="MllamaForCausalLM",
)

MODEL_TYPES: dict[str, WrapperPlan | None] = {"mllama": PLAN, "mllama_text_model": None}


def describe(config: Config, resolve: Resolve) -> Architecture:
    """Return the architecture of the wrapper or of its text model."""
    plan = MODEL_TYPES[config.model_type]
    if plan is None:
        return language_model(config)
    found = wrapper(config, plan, resolve)
    if not found.towers:
        return found
    return replace(found, crossed=all_tiles(inner_section(config, VISION)))
