"""The plan that most decoders with experts follow, and the architecture that comes of it.

Grouped-query attention, then experts or one feed-forward layer. A style says for one type which layers
are sparse, which see a window, and how biases, norms, modules and fields are called.
Source: the configuration and modelling files of transformers 5.23.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from sizewise.architecture import Architecture, Part, stack
from sizewise.components.feed_forward import FeedForward
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention, HeadNorm
from sizewise.components.norms import Norm, NormKind
from sizewise.configuration import Config
from sizewise.errors import InputError
from sizewise.plans.experts import ExpertStyle, SparseRule, every_layer, expert_parts
from sizewise.plans.fields import Heads, Skeleton, causal_model, flag, heads

SLIDING, CHUNKED, FULL = "sliding_attention", "chunked_attention", "full_attention"
LAYER_KINDS = {SLIDING: SLIDING, CHUNKED: CHUNKED, FULL: FULL, "attention": FULL}

KindRule = Callable[[Config, int, int | None], list[str]]
"""From a configuration, a number of layers and the window in force to one kind per layer."""


FurtherParts = Callable[[Config, bool], Sequence[Part]]
"""From a configuration and whether a layer is sparse to parts that it has beside the usual ones."""


def nothing_further(_config: Config, _sparse: bool) -> Sequence[Part]:
    """Return no parts."""
    return ()


def one_kind(_config: Config, layers: int, window: int | None) -> list[str]:
    """Return the same kind for all layers: a window, if one is in force."""
    return [SLIDING if window else FULL] * layers


def alternating(_config: Config, layers: int, _window: int | None) -> list[str]:
    """Give layers 0, 2, 4 … a window."""
    return [SLIDING if index % 2 == 0 else FULL for index in range(layers)]


def alternating_below(config: Config, layers: int, window: int | None) -> list[str]:
    """Give layers 0, 2, 4 … below ``max_window_layers`` a window, if one is in force."""
    last = config.count("max_window_layers") if window else 0
    return [SLIDING if index % 2 == 0 and index < last else FULL for index in range(layers)]


def windows_from(config: Config, layers: int, window: int | None) -> list[str]:
    """Give layers from ``max_window_layers`` on a window, if one is in force."""
    first = config.count("max_window_layers") if window else layers
    return [SLIDING if index >= first else FULL for index in range(layers)]


def all_full(_config: Config, layers: int, _window: int | None) -> list[str]:
    """Give no layer a window."""
    return [FULL] * layers


def windows_but_first_of(period: int) -> KindRule:
    """Give all layers a window but the first of every ``period``."""

    def rule(_config: Config, layers: int, _window: int | None) -> list[str]:
        return [SLIDING if index % period else FULL for index in range(layers)]

    return rule


def windows_but_every(field: str) -> KindRule:
    """Give all layers a window but every n-th, where the field says n."""

    def rule(config: Config, layers: int, _window: int | None) -> list[str]:
        period = config.size(field)
        return [SLIDING if (index + 1) % period else FULL for index in range(layers)]

    return rule


def chunks_with_positions(config: Config, layers: int, _window: int | None) -> list[str]:
    """Give layers with rotary positions chunks; every n-th layer has no positions and sees everything.

    ``no_rope_layers`` holds a 1 where a layer has positions; null or empty: ``no_rope_layer_interval``.
    """
    marks = config.entries("no_rope_layers")
    if not marks:
        interval = config.size("no_rope_layer_interval")
        marks = [(index + 1) % interval != 0 for index in range(layers)]
    if len(marks) != layers:
        where = f"{config.model_type} config: no_rope_layers"
        raise InputError("inconsistent", f"{where} has {len(marks)} entries for {layers} layers")
    if any(mark not in (0, 1) for mark in marks):
        raise config.bad("no_rope_layers", "holds something else than 0 and 1")
    return [CHUNKED if mark else FULL for mark in marks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Where a type differs from the plan; a string of a flag names the config field that decides."""

    model_class: str
    experts: ExpertStyle
    sparse: SparseRule = every_layer
    kinds: KindRule = one_kind
    window_flag: str | bool = True
    """Whether ``sliding_window`` is in force."""
    qkv_bias: str | bool = "attention_bias"
    out_bias: str | bool = "attention_bias"
    mlp_bias: str | bool = False
    head_bias: str | bool = False
    head_norm: HeadNorm = "none"
    head_norm_flag: str | bool = True
    sinks: bool = False
    norm: NormKind = "rms"
    kv_required: bool = False
    head_size_required: bool = False
    mlp: str = "mlp"
    dense_width: str = "intermediate_size"
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    names: AttentionNames = AttentionNames()
    further: FurtherParts = nothing_further
    skeleton: Skeleton = Skeleton()


def expert_decoder(config: Config, style: Style) -> Architecture:
    """Return the architecture of a type that follows the plan."""
    hidden, layers = config.size("hidden_size"), config.layers()
    counts = heads(config, kv_required=style.kv_required, size_required=style.head_size_required)
    window = _window(config, style)
    attentions = config.per_layer("layer_types", layers, LAYER_KINDS) or style.kinds(config, layers, window)
    sparse = style.sparse(config, layers)
    feed_forwards = {is_sparse: _feed_forward(config, style, is_sparse) for is_sparse in set(sparse)}
    norm = Norm(width=hidden, kind=style.norm)

    def layer(index: int) -> tuple[Part, ...]:
        return (
            Part(name="self_attn", component=_attention(config, style, counts, attentions[index], window)),
            *feed_forwards[sparse[index]],
            *(Part(name=name, component=norm) for name in style.norms),
            *style.further(config, sparse[index]),
        )

    kinds = list(zip(attentions, sparse, strict=True))
    skeleton = replace(style.skeleton, norm=style.norm, head_bias=flag(config, style.head_bias))
    return causal_model(config, style.model_class, stack("model.layers", kinds, layer), skeleton=skeleton)


def _window(config: Config, style: Style) -> int | None:
    """Return the window in force; 0 and null mean none."""
    return (config.optional_count("sliding_window") or None) if flag(config, style.window_flag) else None


def _attention(
    config: Config, style: Style, counts: Heads, kind: str, window: int | None
) -> GroupedQueryAttention:
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=flag(config, style.qkv_bias),
        out_bias=flag(config, style.out_bias),
        head_norm=style.head_norm if flag(config, style.head_norm_flag) else "none",
        sinks=style.sinks,
        names=style.names,
        window=window if kind == SLIDING else None,
        chunk=config.optional_size("attention_chunk_size") if kind == CHUNKED else None,
    )


def _feed_forward(config: Config, style: Style, is_sparse: bool) -> tuple[Part, ...]:
    bias = flag(config, style.mlp_bias)
    if is_sparse:
        return expert_parts(config, style.experts, style.mlp, shared_bias=bias)
    dense = FeedForward(hidden=config.size("hidden_size"), width=config.size(style.dense_width), bias=bias)
    return (Part(name=style.mlp, component=dense),)
