"""How a transformers class writes a mechanism down: the same formula saves different tensors."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from sizewise.tape.routing import NO_ROUTING_TRAITS, PLAIN_ROUTING, Routing, RoutingTraits

NormStyle = Literal["llama", "gemma", "wide", "promoted", "native"]
"""llama: weight * x in the model's width · gemma: (1 + weight) * x in fp32, then cast · wide: weight * x in
fp32, both cast to it, then cast back · promoted: the same without casting the weight · native: one kernel."""

LayerNormStyle = Literal["native", "wide", "written", "shifted", "plain_rms"]
"""native: torch's kernel · wide: the kernel in fp32, then cast · written: torch operations in fp32, no bias ·
shifted: the kernel with weight + 1 · plain_rms: x / rms(x) in fp32, then cast."""

LayoutName = Literal["pre", "post", "sandwich", "parallel", "after"]
"""pre: x + f(norm(x)) · post: x + norm(f(x)) · sandwich: x + norm(f(norm(x))) · parallel: attention and
feed-forward layer read the same input and are added together · after: norm(x + f(x))."""

RotaryStyle = Literal["half", "interleaved", "pairs", "halves", "complex", "none"]
"""half: x*cos + rotated(x)*sin, halves of a head turned together · interleaved: neighbours · pairs: two parts
turned apart and joined · halves: the same, tables of half the features · complex: fp32 complex numbers ·
none."""

ExpertGate = Literal["plain", "clamped"]
"""plain: activation(gate) * up · clamped: (up + 1) * gate * sigmoid(a * gate), both cut to a limit first."""


RowsName = Literal["sequence", "batch", "buffer"]
"""Numbers of the rows that are looked up: one row for all sequences · one for each · kept with the
weights."""

Scalar = bool | int | float | str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mode:
    """What else holds where a field of the configuration is ``value`` (``other``: is said and is not it)."""

    field: str
    value: Scalar
    other: bool = False
    changes: tuple[tuple[str, Any], ...] = ()

    def holds(self, said: Mapping[str, Scalar]) -> bool:
        """Tell whether the configuration says so.

        >>> Mode(field="is_decoder", value=True).holds({"is_decoder": True})
        True
        """
        return self.field in said and (said[self.field] == self.value) is not self.other


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """What a class does beside its weights; every default is that of Llama."""

    layout: LayoutName = "pre"
    norm: NormStyle = "llama"
    layer_norm: LayerNormStyle = "native"
    rotary: RotaryStyle = "half"
    rotary_share: float = 1.0
    """Share of a head's features that is turned."""
    rotary_joins: bool = False
    """Turned features are joined with the others even where there are no others."""
    rotary_per_batch: bool = False
    """The tables are made for every sequence of the batch."""
    wide_tables: bool = False
    """The tables stay in fp32: what they turn is fp32 too, and cast afterwards."""
    wide_rotation: bool = False
    """What is turned is cast to fp32 first."""
    tables_by_layer: bool = False
    """Every layer makes tables of its own from those of the model."""
    tables_by_window: bool = False
    """Layers with a window have other tables than those without."""
    rotates_windowed: bool = False
    """Only layers with a window rotate."""
    unrotated_every: int = 0
    """Every so many layers one does not rotate; 0: all do."""
    unrotated: tuple[int, ...] | None = None
    """The layers that do not rotate, where the configuration lists them."""
    clipped: bool = False
    """Queries, keys and values are cut to a range, in place."""
    normed_entry: bool = False
    """The first part of the first layer has no norm: it reads what the embedding's norm left."""
    normed_embedding: bool = False
    """What is looked up passes through a norm without weights."""
    plain_head_norm: bool = False
    """Queries and keys that are rotated pass through a norm without weights."""
    scaled_queries: bool = False
    """Queries are multiplied by a number per position, a tensor that each layer makes."""
    scales_unrotated: bool = False
    """Layers that do not rotate multiply their queries by an fp32 number per position."""
    activation: str = "silu"
    score_cap: bool = False
    """Scores pass through a tanh."""
    logit_cap: bool = False
    """Logits pass through a tanh."""
    scaled_logits: bool = False
    """Logits are multiplied by a number."""
    chunk: int = 256
    """Tokens of a chunk of a scan in torch operations."""
    step_norms: bool = False
    """Step size and state projections of a scan are normed without weights."""
    wide_stream: bool = False
    """The residual stream is fp32 from the first layer on; norms read it in the model's width."""
    scaled_embedding: bool = False
    """What is looked up is multiplied by a number."""
    narrow_softmax: bool = False
    """Eager attention's softmax has the model's width, not fp32."""
    drops: tuple[str, ...] = ("attention",)
    """Where the class has dropouts: attention (its shares), residual, embedding."""
    attention_dropout: float = 0.0
    residual_dropout: float = 0.0
    embedding_dropout: float = 0.0
    mixer_drops: bool = True
    """The residual dropout follows attention too, not only the feed-forward part."""
    feed_forward_drops: bool = True
    """It follows the feed-forward part too, not only attention."""
    inner_dropout: float = 0.0
    """Of the features between both products of a feed-forward layer."""
    rotary_features: int = 0
    """Features of a head that are turned; 0: by the share."""
    remade_tables: bool = False
    """Every tensor that is turned has tables of its own."""
    floored_scores: bool = False
    """Masked scores are compared with a lowest number."""
    filled_mask: bool = False
    """The mask is saved: scores are filled, not added to."""
    head_activation: str = ""
    """Of the transform before the head; empty: as in the layers."""
    narrow_loss: bool = False
    """The loss of masked tokens is computed in the model's width."""
    position_rows: RowsName = "sequence"
    type_rows: RowsName = "sequence"
    head_groups: int = 0
    """Groups of heads in the fused projection: where one has several heads, they are copied out of it."""
    always_masked: bool = False
    """The fused kernel is given a mask, and keys of fewer heads than queries have as they are."""
    picked_heads: bool = False
    """Keys and values are picked out of a fused projection by a list of one place."""
    eager_only: bool = False
    """The class has no fused kernel: attention is eager whatever is asked for."""
    wide_scores: bool = False
    """Eager attention casts queries and keys to fp32 before their product."""
    checkpointed_mask: bool = False
    """A layer gets its mask as a positional argument: what enters a checkpoint is saved."""
    reads: tuple[tuple[str, str], ...] = ()
    """(field here, field of the configuration that says it)."""
    modes: tuple[Mode, ...] = ()
    refused: str = ""
    """A mode of the class that has no record."""
    routing: Routing = PLAIN_ROUTING
    expert_gate: ExpertGate = "plain"

    def rotates(self, layer: int) -> bool:
        """Tell whether a layer turns its queries and keys, as far as its number says.

        >>> [Style(unrotated_every=4).rotates(layer) for layer in range(4)]
        [True, True, True, False]
        """
        if self.unrotated is not None:
            return layer not in self.unrotated
        return not self.unrotated_every or (layer + 1) % self.unrotated_every != 0


PLAIN = Style()


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """What a configuration says about the style of its class; None: nothing."""

    activation: str | None = None
    rotary_share: float | None = None
    attention_dropout: float | None = None
    residual_dropout: float | None = None
    embedding_dropout: float | None = None
    unrotated: tuple[int, ...] | None = None
    unrotated_every: int | None = None
    routing: RoutingTraits = NO_ROUTING_TRAITS
    said: tuple[tuple[str, Scalar], ...] = ()
    """Every field that is a plain value, and those of sections as ``section.field``."""

    def over(self, style: Style) -> Style:
        """Return the style with what the configuration says of what its class has."""
        said = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if field.name != "said" and getattr(self, field.name) is not None
        }
        said["routing"] = self.routing.over(style.routing)
        absent = {"attention", "residual", "embedding"}.difference(style.drops)
        for name in absent:
            said.pop(f"{name}_dropout", None)
        return self._moded(self._read(style, said))

    def _read(self, style: Style, said: dict[str, Any]) -> Style:
        """Fields that the class reads under names of its own replace what was found by name."""
        file = dict(self.said)
        for own, field in style.reads:
            said.pop(own, None)
            if file.get(field) is not None:
                said[own] = file[field]
        return replace(style, **said)

    def _moded(self, style: Style) -> Style:
        file = dict(self.said)
        for mode in style.modes:
            if mode.holds(file):
                style = replace(style, **dict(mode.changes))
        return style


NO_TRAITS = Traits()
