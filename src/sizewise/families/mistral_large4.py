"""The language model of Mistral Large 4: indexed latent attention whose latents may be borrowed, experts.

Some layers have no rotary positions; their latents have no rotary key. Queries are scaled by position.
Source: configuration and modelling files of transformers 5.23.
"""

from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Beside, Part, stack
from sizewise.components.latent_attention import Indexer
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.experts import ExpertStyle, listed_or_after_first_dense
from sizewise.plans.fields import causal_model
from sizewise.plans.indexers import INDEXED, shared_indexers
from sizewise.plans.latent import feed_forward, latent_attention

MODEL_TYPES = {"mistral_large4_text": "MistralLarge4TextModel"}

EXPERTS = ExpertStyle(
    experts="n_routed_experts",
    experts_override="num_experts",
    width="moe_intermediate_size",
    shared_count="n_shared_experts",
)
ROTARY_INTERVAL = 4
ROTARY_SCALES = "rotary_frequency_scale_buffers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What tells a layer from others: indexer, experts, rotary positions, a borrowed latent."""

    owns_indexer: bool
    is_sparse: bool
    rotates: bool
    borrows: bool


def _rotations(config: Config, layers: int) -> list[bool]:
    """Tell which layers have rotary positions: ``no_rope_layers`` (1 has), else all but every fourth."""
    marks = config.entries("no_rope_layers")
    if marks is None:
        interval = config.optional_size("no_rope_layer_interval") or ROTARY_INTERVAL
        return [(index + 1) % interval != 0 for index in range(layers)]
    if len(marks) < layers or any(mark not in (0, 1) for mark in marks):
        raise config.bad("no_rope_layers", f"is no list of 0 or 1 for each of {layers} layers")
    return [bool(mark) for mark in marks[:layers]]


def _borrowers(config: Config, layers: int) -> list[bool]:
    """Tell which layers attend to the latents of the earlier layer that ``kv_source_layers`` names."""
    sources = config.entries("kv_source_layers")
    if sources is None:
        return [False] * layers
    if len(sources) != layers:
        text = f"kv_source_layers has {len(sources)} entries for {layers} layers"
        raise InputError("inconsistent", f"{config.model_type} config: {text}")
    for index, source in enumerate(sources):
        if type(source) is not int or not 0 <= source <= index or sources[source] != source:
            raise config.bad("kv_source_layers", f"gives layer {index} no earlier layer with its own latents")
    return [source != index for index, source in enumerate(sources)]


def _experts(config: Config) -> ExpertStyle:
    """Return how experts are spelled: ``num_local_experts`` wins, else ``num_experts``."""
    return replace(EXPERTS, experts_override="") if config.spelled("num_local_experts") else EXPERTS


def _indexer(config: Config) -> Indexer:
    """Return an indexer whose queries come straight from the hidden state."""
    hidden = config.size("hidden_size")
    return Indexer(
        hidden=hidden,
        query_rank=hidden,
        heads=config.size("index_n_heads"),
        head_size=config.size("index_head_dim"),
    )


def _scaling(name: str, heads: int) -> tuple[Part, ...]:
    """Return a scale and a bias per head, by which queries grow with the position."""
    tensors = (LearnedTensor(name=each, shape=(heads,), role="attention") for each in ("scale", "bias"))
    return tuple(Part(name=f"{name}.softmax_scaling", component=tensor) for tensor in tensors)


def _attention(config: Config, kind: Kind) -> tuple[Part, ...]:
    own = _indexer(config) if kind.owns_indexer else None
    usual = latent_attention(config, compressed=False, indexer=own, indexed=True)
    rotary = usual.rotary_size if kind.rotates else 0
    plain = usual.plain_size + usual.rotary_size - rotary
    attention = replace(usual, plain_size=plain, rotary_size=rotary, borrowed=kind.borrows)
    parts = (Part(name="self_attn", component=attention), *_scaling("self_attn", attention.heads))
    if own is None:
        return parts
    norm = Norm(width=attention.hidden, kind="layer")
    return (
        *parts,
        Part(name="self_attn.indexer.q_input_norm", component=norm),
        *_scaling("self_attn.indexer", own.heads),
    )


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of the language model of a Mistral Large 4 configuration."""
    layers = config.layers()
    config.per_layer("layer_types", layers, INDEXED)
    rules = (shared_indexers, listed_or_after_first_dense, _rotations, _borrowers)
    kinds = [
        Kind(owns_indexer=owns, is_sparse=sparse, rotates=rotates, borrows=borrows)
        for owns, sparse, rotates, borrows in zip(*(rule(config, layers) for rule in rules), strict=True)
    ]
    norm, experts = Norm(width=config.size("hidden_size")), _experts(config)

    def layer(index: int) -> tuple[Part, ...]:
        return (
            *_attention(config, kinds[index]),
            *feed_forward(config, experts, kinds[index].is_sparse),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    found = causal_model(config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer))
    scales = Beside(name=ROTARY_SCALES, elements=config.size("qk_rope_head_dim") // 2)
    return replace(found, beside=(*found.beside, scales))
