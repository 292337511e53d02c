"""What the graph of a model is emitted from: sizes of its layers and how llama.cpp joins them.

Letters: D hidden, F feed-forward size, H head size, E experts, V vocabulary.
"""

from dataclasses import dataclass
from typing import Literal

from sizewise.hashed_once import HashedOnce

Gating = Literal["softmax", "sigmoid", "softmax_weight"]
"""softmax_weight: of the chosen experts' scores alone."""
Gate = Literal["none", "interleaved", "separate"]
Tempered = Literal["no", "unrotated", "all"]
SharedGate = Literal["none", "sigmoid", "silu_ratio"]
ResidualFirst = Literal["none", "ffn", "both"]
LateRows = Literal["no", "before_norm", "after_norm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NormPlan:
    """A normalisation: RMS may overwrite its input, LayerNorm may not."""

    kind: Literal["rms", "layer"] = "rms"
    scale: bool = True
    bias: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionPlan:
    """Attention with a cache of keys and values."""

    heads: int
    kv_heads: int
    key_size: int
    value_size: int
    fused: bool = False
    """One matrix gives queries, keys and values."""
    qkv_bias: bool = False
    out_bias: bool = False
    head_norm: Literal["none", "before", "after", "flat"] = "none"
    """Norms of queries and keys before or after the rotation, or over all heads' features (flat)."""
    head_norm_kind: NormPlan = NormPlan()
    value_norm: bool = False
    rope: bool = True
    window: int | None = None
    """Tokens that a layer of the sliding cache sees; None: the layer uses the full cache."""
    gate: Gate = "none"
    """What multiplies the output: half of a query projection twice as wide, or a projection of its own."""
    gate_width: int = 0
    """Outputs of that projection: one per head or one per feature."""
    tempered: Tempered = "no"
    """Which queries are scaled by the position (Llama 4, Ministral 3)."""
    borrowed: bool = False
    """Keys and values are those in the cache of an earlier layer."""
    values_from_keys: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexerPlan:
    """Scores all cached tokens with small heads; ``selected`` of them are attended to."""

    heads: int
    head_size: int
    selected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentPlan:
    """Multi-head latent attention: the cache holds one latent per token."""

    heads: int
    query_rank: int | None
    latent_rank: int
    plain_size: int
    rotary_size: int
    value_size: int
    indexer: IndexerPlan | None = None
    rope: bool = True
    expanded: bool = False
    """Keys and values of all heads are cached, not the latent they are expanded from."""

    @property
    def key_size(self) -> int:
        """Features of a query or key head."""
        return self.plain_size + self.rotary_size

    @property
    def heads_plan(self) -> AttentionPlan:
        """The attention that expanded keys and values take part in."""
        return AttentionPlan(
            heads=self.heads, kv_heads=self.heads, key_size=self.key_size, value_size=self.value_size
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedForwardPlan:
    """A dense feed-forward layer; fused: gate and up are one matrix."""

    width: int
    gated: bool = True
    fused: bool = False
    up_bias: bool = False
    down_bias: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertsPlan:
    """Routed experts, and a dense layer beside them where there is one."""

    experts: int
    active: int
    width: int
    gated: bool = True
    fused: bool = False
    bias: bool = False
    router_bias: bool = False
    gating: Gating = "softmax"
    correction: bool = False
    scaled: bool = False
    """Each expert's output is scaled by a number of its own."""
    normalised: bool = False
    groups: int = 1
    groups_used: int = 1
    shared: FeedForwardPlan | None = None
    shared_gate: SharedGate = "none"
    weighted_inputs: bool = False
    """The experts' inputs are weighted instead of their outputs (Llama 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DualPlan:
    """A dense layer and routed experts side by side, each with norms of its own (Gemma 4)."""

    dense: FeedForwardPlan
    experts: ExpertsPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanPlan:
    """A selective state space: Mamba-1 (heads 0) or Mamba-2."""

    inner: int
    state: int
    kernel: int
    step_rank: int = 0
    heads: int = 0
    groups: int = 1
    step_norms: bool = False
    gated_norm: bool = True
    out_bias: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShortConvolutionPlan:
    """A gated convolution over the hidden size."""

    kernel: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaPlan:
    """A gated delta net."""

    key_heads: int
    value_heads: int
    key_size: int
    value_size: int
    kernel: int
    fused: bool = False
    """Qwen3-Next: q, k, v and the gate are one projection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelDeltaPlan:
    """Kimi delta attention."""

    heads: int
    head_size: int
    kernel: int


Mixer = AttentionPlan | LatentPlan | ScanPlan | ShortConvolutionPlan | DeltaPlan | ChannelDeltaPlan
Sum = Literal["ffn+attention+input", "ffn+input+attention", "attention+ffn+input", "ffn+(attention+input)"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerPlan:
    """One layer: a mixer, a feed-forward layer, and where its norms stand."""

    mixer: Mixer | None
    feed_forward: FeedForwardPlan | ExpertsPlan | DualPlan | None
    pre_norm: bool = True
    post_mixer_norm: bool = False
    pre_ffn_norm: bool = True
    post_ffn_norm: bool = False
    beside: Mixer | None = None
    """A second mixer on the same input (Falcon-H1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphPlan(HashedOnce):
    """A whole model."""

    __hash__ = HashedOnce.__hash__

    hidden: int
    vocabulary: int
    layers: tuple[LayerPlan, ...]
    norm: NormPlan = NormPlan()
    residual_first: ResidualFirst = "none"
    """In which sums the residual is the first operand, whose place the result prefers."""
    parallel: Sum | None = None
    """Mixer and feed-forward layer read the same input; in which order the three terms are summed."""
    parallel_norm: bool = False
    """The feed-forward layer beside the mixer has a norm of its own."""
    positions: int = 1
    """Numbers that say where a token stands."""
    deep_inputs: int = 0
    """First layers that embeddings of pictures are added to; they come in with those of the tokens."""
    learned_positions: bool = False
    embedding_norm: bool = False
    norm_before_rows: bool = False
    """The mixer's output, or the second norm's beside it, is normed before its outputs' rows are picked."""
    late_rows: LateRows = "no"
    """Where all tokens' last hidden states are kept until the outputs are picked from them."""
    layer_inputs: int = 0
    """Features of a vector of its own that every layer gets for each token (Gemma 4)."""
    head_scaled: bool = False
    """The last hidden state is scaled before the head."""
    head_bias: bool = False
