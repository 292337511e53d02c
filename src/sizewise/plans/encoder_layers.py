"""The layers of an encoder: attention and feed-forward with LayerNorms, and what a type puts beside them.

A layer that can decode keeps keys and values with ``is_decoder`` and has cross-attention with
``add_cross_attention``. Source: the modelling files of transformers 5.23.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sizewise.architecture import Part, Stack, stack
from sizewise.components.feed_forward import FeedForward, FeedForwardNames
from sizewise.components.grouped_query_attention import AttentionNames, GroupedQueryAttention
from sizewise.components.norms import Norm
from sizewise.configuration import Config
from sizewise.plans.fields import Heads, equal_heads, flag

Parts = Callable[[Config], Sequence[Part]]
"""From a configuration to further parts, named relative to where they stand."""


def nothing(config: Config) -> Sequence[Part]:
    """Return no parts."""
    return ()


def no_limit(config: Config) -> int | None:
    """Return None: a token looks at all others."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """Module names and habits of a layer; ``width`` is the field with the feed-forward size F.

    The cross-attention part and its norm are named as the attention with ``cross`` before it.
    """

    stack: str = "encoder.layer"
    part: str = "attention"
    attention: AttentionNames = AttentionNames(
        query="self.query", key="self.key", value="self.value", output="output.dense"
    )
    attention_norm: str = "attention.output.LayerNorm"
    feed_forward: str = ""
    feed_forward_names: FeedForwardNames = FeedForwardNames(up="intermediate.dense", down="output.dense")
    output_norm: str = "output.LayerNorm"
    width: str = "intermediate_size"
    heads: Callable[[Config], Heads] = equal_heads
    qkv_bias: str | bool = True
    bias: bool = True
    """Of the output projection and the feed-forward layer."""
    gated: bool = False
    decodes: bool = True
    """The type has decoders: it heeds ``is_decoder`` and ``add_cross_attention``."""
    reach: Callable[[Config], int | None] = no_limit
    """Tokens that one token looks at in sparse attention."""
    beside: Parts = nothing


BERT_LAYER = LayerPlan()


def encoder_layers(config: Config, plan: LayerPlan, prefix: str) -> Stack:
    """Return the layers, all alike."""
    parts = layer_parts(config, plan)
    return stack(f"{prefix}{plan.stack}", ["layer"] * config.layers(), lambda _: parts)


def layer_parts(config: Config, plan: LayerPlan) -> tuple[Part, ...]:
    """Return the parts of one layer."""
    return tuple(_layer(config, plan))


def _layer(config: Config, plan: LayerPlan) -> Iterator[Part]:
    hidden = config.size("hidden_size")
    decodes = plan.decodes and config.flag("is_decoder")
    norm = Norm(width=hidden, kind="layer")
    yield Part(name=plan.part, component=_attention(config, plan, cached=decodes, cross=False))
    yield Part(name=plan.attention_norm, component=norm)
    yield Part(name=plan.feed_forward, component=_feed_forward(config, plan, hidden))
    yield Part(name=plan.output_norm, component=norm)
    if plan.decodes and config.flag("add_cross_attention"):
        cross = _attention(config, plan, cached=decodes, cross=True)
        yield Part(name=f"cross{plan.part}", component=cross)
        yield Part(name=f"cross{plan.attention_norm}", component=norm)
    yield from plan.beside(config)


def _feed_forward(config: Config, plan: LayerPlan, hidden: int) -> FeedForward:
    return FeedForward(
        hidden=hidden,
        width=config.size(plan.width),
        gated=plan.gated,
        bias=plan.bias,
        names=plan.feed_forward_names,
    )


def _attention(config: Config, plan: LayerPlan, *, cached: bool, cross: bool) -> GroupedQueryAttention:
    counts = plan.heads(config)
    return GroupedQueryAttention(
        hidden=config.size("hidden_size"),
        query_heads=counts.query,
        kv_heads=counts.key_value,
        head_size=counts.size,
        qkv_bias=flag(config, plan.qkv_bias),
        out_bias=plan.bias,
        reach=None if cross else plan.reach(config),
        cached=cached,
        cross=cross,
        names=plan.attention,
    )
