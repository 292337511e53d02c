"""dots 3 note: latent attention with a gate per head, indexed or sliding, then experts or one MLP.

Sliding layers have sizes of their own. Source: the configuration and modelling files of
transformers 5.23.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.latent_attention import Indexer, LatentAttention
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm
from sizewise.configuration import LAYER_LIMIT, SIZE_LIMIT, Config
from sizewise.errors import InputError
from sizewise.families import Resolve
from sizewise.plans.changed_layers import changed_layers
from sizewise.plans.experts import ExpertStyle, expert_parts
from sizewise.plans.fields import causal_model

MODEL_TYPES = {"dots3_note_text": "Dots3NoteForCausalLM"}

FULL, INDEXED, SLIDING = "full_attention", "indexed_attention", "sliding_attention"
LAYER_KINDS = {FULL: FULL, INDEXED: INDEXED, SLIDING: SLIDING}
MLP_KINDS = {"dense": "dense", "sparse": "sparse"}
FIRST_FULL, PERIOD = 2, 4
"""Layers that do not slide where the file says nothing: the first two, then every fourth."""
DEFAULT_WINDOW = 512
SLIDING_DEFAULTS = {
    "num_attention_heads": 64,
    "num_key_value_heads": 64,
    "q_lora_rank": 1024,
    "kv_lora_rank": 1024,
    "head_dim": 256,
    "qk_nope_head_dim": 192,
    "v_head_dim": 128,
}
"""Sizes of sliding layers where the file has neither ``swa_`` fields nor ``per_layer_config``."""
SIZES = (*SLIDING_DEFAULTS, "qk_rope_head_dim")
EXPERTS = ExpertStyle(experts="n_routed_experts", width="moe_intermediate_size")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Heads, ranks and features of a head of one kind of layer."""

    num_attention_heads: int
    num_key_value_heads: int
    q_lora_rank: int
    kv_lora_rank: int
    head_dim: int
    qk_nope_head_dim: int
    v_head_dim: int
    qk_rope_head_dim: int


def _kinds(config: Config) -> list[str]:
    """Return the attention of each layer; ``use_dsa`` says whether those that do not slide are indexed."""
    layers, listed_sizes = config.layers(), config.present("per_layer_config")
    indexed = config.flag("use_dsa") if config.present("use_dsa") else None if listed_sizes else True
    listed = config.per_layer("layer_types", layers, LAYER_KINDS)
    slides = config.flag("use_sliding_window", default=True)
    whole = FULL if indexed is False else INDEXED
    if listed is None:
        return [
            whole if not slides or index < FIRST_FULL or index % PERIOD == 1 else SLIDING
            for index in range(layers)
        ]
    return [kind if indexed is None or kind == SLIDING else whole for kind in listed]


def _sizes(config: Config, kinds: list[str]) -> dict[str, Sizes]:
    """Return the sizes of each kind of layer, which are the same in all layers of a kind."""
    usual = {name: config.raw(name) for name in SIZES}
    if usual["num_key_value_heads"] is None:
        usual["num_key_value_heads"] = usual["num_attention_heads"]
    if config.present("per_layer_config"):
        changes = changed_layers(config, len(kinds), SIZES, "the sizes of attention")
    else:
        sliding = _sliding_changes(config)
        changes = [sliding if kind == SLIDING else {} for kind in kinds]
    found: dict[str, Sizes] = {}
    for kind, change in zip(kinds, changes, strict=True):
        own = _checked(config, kind, {**usual, **change})
        if found.setdefault(kind, own) != own:
            raise InputError(
                "inconsistent",
                f"{config.model_type} config: per_layer_config differs among layers of one kind",
            )
    return found


def _sliding_changes(config: Config) -> Mapping[str, Any]:
    """Return the ``swa_`` fields of the file, else their defaults."""
    found = {
        name: config.raw(f"swa_{name}") if config.present(f"swa_{name}") else value
        for name, value in SLIDING_DEFAULTS.items()
    }
    if config.present("swa_qk_rope_head_dim"):
        return {**found, "qk_rope_head_dim": config.raw("swa_qk_rope_head_dim")}
    whole, plain = found["head_dim"], found["qk_nope_head_dim"]
    if not isinstance(whole, int) or not isinstance(plain, int):
        raise config.bad("swa_head_dim", "or swa_qk_nope_head_dim is no whole number")
    return {**found, "qk_rope_head_dim": whole - plain}


def _checked(config: Config, kind: str, fields: Mapping[str, Any]) -> Sizes:
    for name, value in fields.items():
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SIZE_LIMIT:
            raise config.bad(name, f"of {kind} layers is no whole number from 1")
    found = Sizes(**fields)
    if found.num_key_value_heads != found.num_attention_heads:
        raise config.bad("num_key_value_heads", f"of {kind} layers is not the number of heads")
    if kind == SLIDING and found.head_dim != found.qk_nope_head_dim + found.qk_rope_head_dim:
        raise config.bad("head_dim", f"of {kind} layers is not qk_nope_head_dim + qk_rope_head_dim")
    return found


def _sparse_layers(config: Config) -> list[bool]:
    """Follow ``mlp_layer_types``; else ``moe_layer_freq`` from ``first_k_dense_replace`` (1) on."""
    layers = config.layers()
    listed = config.per_layer("mlp_layer_types", layers, MLP_KINDS)
    if listed is not None:
        return [kind == "sparse" for kind in listed]
    first = config.count("first_k_dense_replace") if config.present("first_k_dense_replace") else 1
    marks = config.raw("moe_layer_freq")
    if isinstance(marks, list | tuple):
        if not layers <= len(marks) <= LAYER_LIMIT:
            raise config.bad("moe_layer_freq", f"has {len(marks)} entries for {layers} layers")
        return [index >= first and bool(marks[index]) for index in range(layers)]
    step = config.size("moe_layer_freq") if config.present("moe_layer_freq") else 1
    return [index >= first and index % step == 0 for index in range(layers)]


def _attention(config: Config, kind: str, sizes: Sizes) -> tuple[Part, ...]:
    """Return the attention, the norm of its rotary key and the gate of its heads."""
    hidden, name = config.size("hidden_size"), "self_attn"
    indexer = Indexer(
        hidden=hidden,
        query_rank=sizes.q_lora_rank,
        heads=config.size("index_n_heads"),
        head_size=config.size("index_head_dim"),
        wide=True,
    )
    attention = LatentAttention(
        hidden=hidden,
        heads=sizes.num_attention_heads,
        query_rank=sizes.q_lora_rank,
        latent_rank=sizes.kv_lora_rank,
        plain_size=sizes.qk_nope_head_dim,
        rotary_size=sizes.qk_rope_head_dim,
        value_size=sizes.v_head_dim,
        bias=config.flag("attention_bias"),
        indexer=indexer if kind == INDEXED else None,
        selected=config.size("index_topk") if kind == INDEXED else None,
        window=_window(config) if kind == SLIDING else None,
    )
    gate = Linear(inputs=hidden, outputs=sizes.num_attention_heads, role="attention")
    return (
        Part(name=name, component=attention),
        Part(name=f"{name}.k_rope_only_layernorm", component=Norm(width=sizes.qk_rope_head_dim)),
        Part(name=f"{name}.g_proj", component=gate),
    )


def _window(config: Config) -> int:
    if config.given("sliding_window"):
        return config.size("sliding_window")
    return config.size("sliding_window_size") if config.present("sliding_window_size") else DEFAULT_WINDOW


def _feed_forward(config: Config, *, sparse: bool) -> tuple[Part, ...]:
    """Return one dense layer, or router, routed and shared experts."""
    hidden = config.size("hidden_size")
    if not sparse:
        return (
            Part(name="mlp", component=FeedForward(hidden=hidden, width=config.size("intermediate_size"))),
        )
    older = "moe_shared_expert_intermediate_size"
    each = config.size(older if config.present(older) else "shared_experts_intermediate_size")
    shared = FeedForward(hidden=hidden, width=each * config.size("n_shared_experts"), role="shared_expert")
    return (*expert_parts(config, EXPERTS, "mlp"), Part(name="mlp.shared_experts", component=shared))


def describe(config: Config, _resolve: Resolve) -> Architecture:
    """Return the architecture of a dots 3 note language model."""
    attentions = _kinds(config)
    sizes = _sizes(config, attentions)
    norm = Norm(width=config.size("hidden_size"))
    kinds = list(zip(attentions, _sparse_layers(config), strict=True))

    def layer(index: int) -> tuple[Part, ...]:
        kind, sparse = kinds[index]
        return (
            *_attention(config, kind, sizes[kind]),
            *_feed_forward(config, sparse=sparse),
            Part(name="input_layernorm", component=norm),
            Part(name="post_attention_layernorm", component=norm),
        )

    return causal_model(config, MODEL_TYPES[config.model_type], stack("model.layers", kinds, layer))
