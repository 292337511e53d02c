"""The plan that most dense decoders follow, and the architecture that comes of it.

A plan says for one type which heads, biases, norms and module names its class has; a string in place
of true or false names the config field that decides. `decoder` reads the sizes from the configuration.
Source: modelling files of transformers 5.23.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sizewise.architecture import Architecture, Part, Stack, stack
from sizewise.components.embeddings import Embedding
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention, HeadNorm
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.plans.fields import Heads, Skeleton, causal_model, flag, heads
from sizewise.plans.windows import Windows, layer_windows


def hidden_size(config: Config) -> int:
    """Read the hidden size D."""
    return config.size("hidden_size")


def older_hidden_size(config: Config) -> int:
    """Read the hidden size D; the older name ``n_embed`` wins where a file has it."""
    return config.optional_size("n_embed") or config.size("hidden_size")


Width = Callable[[Config, int], int]
"""From a configuration and the hidden size D to the feed-forward size F."""


def width_field(field: str) -> Width:
    """Return a reader of F from a field that must have a number."""

    def width(config: Config, hidden: int) -> int:
        return config.size(field)

    return width


INTERMEDIATE_SIZE = width_field("intermediate_size")


def width_or_four_times_hidden(field: str) -> Width:
    """Return a reader of F from a field whose null means 4*D."""

    def width(config: Config, hidden: int) -> int:
        return config.optional_size(field) or 4 * hidden

    return width


def four_times_hidden(config: Config, hidden: int) -> int:
    """Return F = 4*D, whatever the file says."""
    return 4 * hidden


Before = Callable[[Config], Sequence[Part]]
"""From a configuration to the parts between embedding and layers."""


def nothing(config: Config) -> Sequence[Part]:
    """Return no parts."""
    return ()


Further = Callable[[Config], Sequence[Part]]
"""From a configuration to parts that every layer has beside attention, feed-forward and norms."""


def learned_positions(name: str) -> Before:
    """Return a builder of the table of learned positions [P, D]."""

    def before(config: Config) -> Sequence[Part]:
        rows, width = config.size("max_position_embeddings"), config.size("hidden_size")
        return (Part(name=name, component=Embedding(rows=rows, width=width, role="position", absolute=True)),)

    return before


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionPlan:
    """The attention of every layer; ``head_norm_if`` says whether it has its head norms."""

    part: str = "self_attn"
    heads: Callable[[Config], Heads] = heads
    qkv_bias: str | bool = False
    out_bias: str | bool = False
    head_norm: HeadNorm = "none"
    head_norm_if: str | bool = True
    windows: Windows | None = None
    keeps_all: bool = False
    """Layers that slide keep all tokens nevertheless."""
    repeated: str | bool = False
    """Keys and values are repeated for every query head before they are kept."""
    sinks: bool = False
    cached: bool = True
    """The class keeps keys and values; without them every step reads the whole text again."""
    names: AttentionNames = AttentionNames()


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForwardPlan:
    """The feed-forward layer of every layer."""

    part: str = "mlp"
    width: Width = INTERMEDIATE_SIZE
    gated: bool = True
    bias: str | bool = False
    learned_activation: bool = False
    names: FeedForwardNames = FeedForwardNames()


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderPlan:
    """A decoder: attention, feed-forward and norms per layer, ``before`` them extra parts.

    The norms of the layers are of the kind of the final one, which the skeleton names.
    """

    model_class: str
    attention: AttentionPlan = AttentionPlan()
    feed_forward: FeedForwardPlan = FeedForwardPlan()
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    skeleton: Skeleton = Skeleton()
    hidden: Callable[[Config], int] = hidden_size
    before: Before = nothing
    further: Further = nothing
    context: tuple[str, ...] = ("max_position_embeddings",)


def decoder(config: Config, plan: DecoderPlan) -> Architecture:
    """Return the architecture of a type that follows the plan."""
    return causal_model(
        config,
        plan.model_class,
        decoder_layers(config, plan),
        skeleton=plan.skeleton,
        context=config.context(*plan.context),
        extra=plan.before(config),
        hidden=plan.hidden(config),
    )


def decoder_layers(config: Config, plan: DecoderPlan) -> Stack:
    """Return the layers: those with the same window are alike."""
    counts, hidden = plan.attention.heads(config), plan.hidden(config)
    windows = layer_windows(config, plan.attention.windows, config.layers())
    feed_forward = _feed_forward(config, plan.feed_forward, hidden)
    norm = Norm(width=hidden, kind=plan.skeleton.norm)

    def layer(index: int) -> tuple[Part, ...]:
        attention = _attention(config, plan.attention, counts, hidden, windows[index])
        return (
            Part(name=plan.attention.part, component=attention),
            Part(name=plan.feed_forward.part, component=feed_forward),
            *(Part(name=name, component=norm) for name in plan.norms),
            *plan.further(config),
        )

    return stack(plan.skeleton.layers, windows, layer)


def _attention(
    config: Config, plan: AttentionPlan, counts: Heads, hidden: int, window: int | None
) -> GroupedQueryAttention:
    return GroupedQueryAttention(
        hidden=hidden,
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=flag(config, plan.qkv_bias),
        out_bias=flag(config, plan.out_bias),
        head_norm=plan.head_norm if flag(config, plan.head_norm_if) else "none",
        window=None if plan.keeps_all else window,
        reach=window if plan.keeps_all else None,
        repeated=flag(config, plan.repeated),
        cached=plan.cached,
        sinks=plan.sinks,
        names=plan.names,
    )


def _feed_forward(config: Config, plan: FeedForwardPlan, hidden: int) -> FeedForward:
    return FeedForward(
        hidden=hidden,
        width=plan.width(config, hidden),
        gated=plan.gated,
        bias=flag(config, plan.bias),
        learned_activation=plan.learned_activation,
        names=plan.names,
    )
