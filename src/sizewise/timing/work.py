"""What a model moves and computes for its tokens, in the formats that it is stored in.

Letters: L layers, D hidden size, N query heads, K key/value heads, H head size, E experts, k experts per
token, S context. Bytes of weights are those that a step reads: rows that are looked up are not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

from sizewise.architecture import Architecture, Model
from sizewise.counting import count
from sizewise.flops.forward import forward_flops
from sizewise.ledger import Line
from sizewise.operations import SequenceState, TokenCache
from sizewise.tensors import Weight

TOWERS = ("vision", "audio", "projector")
"""Roles of weights that no token of text passes through."""

LOOKED_UP = ("embedding", "position")
"""Roles of tables of which single rows are read; a tied embedding is read whole as the head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedLayers:
    """``layers`` that keep so many numbers per token, of at most ``window`` tokens.

    ``heads`` are those over which devices can part it; a ``latent`` vector has none and is kept by each.
    """

    layers: int
    numbers: int
    window: int | None
    heads: int
    latent: bool

    def seen(self, context: float) -> float:
        """Return the tokens that a step reads at a context."""
        return context if self.window is None else min(context, self.window)


@dataclass(frozen=True, kw_only=True)
class Work:
    """The amounts that times are made of.

    ``dense_params`` and ``dense_bytes`` are read at every step, of ``expert_params`` and ``expert_bytes``
    those of the experts that tokens chose; ``lookup_bytes`` are tables of which single rows are read.
    ``query_width`` is N (H_keys + H_values) / 2 over a layer of full attention; ``recurrent_layers`` keep the
    state of a recurrence in place of keys and values. ``head_params`` and ``head_bytes``, of the output's
    matrix, are a part of the dense ones.
    """

    layers: int
    expert_layers: int
    hidden: int
    heads: int
    query_width: float
    full_layers: int
    dense_params: int
    dense_bytes: float
    expert_params: int
    expert_bytes: float
    experts: int
    experts_per_token: int
    lookup_bytes: float
    cached: tuple[CachedLayers, ...]
    cache_number_bytes: float
    state_bytes: float
    recurrent_layers: int = 0
    head_params: int = 0
    head_bytes: float = 0.0

    @property
    def active_params(self) -> float:
        """The parameters that one token is multiplied with."""
        return self.dense_params + self.expert_params * self.expert_share

    @property
    def expert_share(self) -> float:
        """The part of the routed experts that one token chooses; 0 without experts."""
        return self.experts_per_token / self.experts if self.experts else 0.0

    @property
    def stored_bytes(self) -> float:
        """The bytes of all weights of the language model."""
        return self.dense_bytes + self.expert_bytes + self.lookup_bytes

    def step_bytes(self, sequences: float) -> float:
        """Return the bytes of weights that a step reads for a token each of so many sequences.

        Experts are taken as chosen evenly and independently: 1 - (1 - k/E)^B of them are touched.
        """
        return self.dense_bytes + self.expert_bytes * self.touched(sequences)

    def touched(self, tokens: float) -> float:
        """Return the expected part of the experts that so many tokens choose together."""
        return 1 - (1 - self.expert_share) ** tokens if self.experts else 0.0

    def cache_bytes(self, context: float) -> float:
        """Return the bytes of keys and values of one sequence that a step reads at a context."""
        numbers = sum(one.layers * one.numbers * one.seen(context) for one in self.cached)
        return numbers * self.cache_number_bytes

    @cached_property
    def cache_heads(self) -> int:
        """The fewest heads that a cache can be parted by; 1 where a latent vector is kept whole."""
        return min((1 if one.latent else one.heads for one in self.cached), default=1)


@lru_cache(maxsize=64)
def _language_params(model: Model) -> tuple[tuple[str, int], ...]:
    """Return the parameters of each role but those of towers; every change of a run asks for them again."""
    return tuple((str(role), amount) for role, amount in count(model).by_role.items() if role not in TOWERS)


def work_of(model: Model, weights: Line, *, cache_number_bytes: float, state_number_bytes: float) -> Work:
    """Return the work of a model whose ``weights`` have a part in bytes for each role."""
    architecture = model.architecture
    stored = {part.name: float(part.value) for part in weights.parts}
    params = dict(_language_params(model))
    for role in TOWERS:
        stored.pop(role, None)
    tables = LOOKED_UP if not architecture.tied else LOOKED_UP[1:]
    lookup = sum(stored.get(role, 0.0) for role in tables)
    looked_up = sum(params.get(role, 0) for role in tables)
    output = "embedding" if architecture.tied else "head"
    expert_params, expert_bytes = params.get("expert", 0), stored.get("expert", 0.0)
    routed = _routed(architecture)
    scores = [(one, times) for one, times in architecture.operations() if one.macs_per_key]
    widest = max((one.macs_per_key for one, _ in scores), default=0)
    return Work(
        layers=architecture.depth,
        expert_layers=routed.layers,
        hidden=architecture.hidden,
        heads=max((one.heads for one, _ in scores), default=0),
        query_width=widest / 2,
        full_layers=sum(times for one, times in scores if one.reach is None and not one.encoder_keys),
        dense_params=sum(params.values()) - expert_params - looked_up,
        dense_bytes=sum(stored.values()) - expert_bytes - lookup,
        expert_params=expert_params,
        expert_bytes=expert_bytes,
        experts=routed.experts,
        experts_per_token=routed.per_token,
        lookup_bytes=lookup,
        cached=tuple(_cached(architecture)),
        cache_number_bytes=cache_number_bytes,
        state_bytes=_state_numbers(architecture) * state_number_bytes,
        recurrent_layers=_recurrent_layers(architecture),
        head_params=params.get(output, 0),
        head_bytes=stored.get(output, 0.0),
    )


def score_flops(model: Model, tokens: int) -> float:
    """Return the FLOPs of attention's scores over a prompt, each query with the keys before it."""
    line = forward_flops(model, tokens=tokens, scores="causal")
    return float(line.value - forward_flops(model, tokens=1).value * tokens)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Routed:
    layers: int
    experts: int
    per_token: int


def _routed(architecture: Architecture) -> _Routed:
    """The layers with routed experts, and how many experts they have and use."""
    found: list[tuple[Weight, int]] = [
        (weight, layers)
        for place in architecture.language()
        for weight in place.weights()
        if weight.role == "expert" and weight.experts > 1
        for layers in (len(place.layers),)
    ]
    if not found:
        return _Routed(layers=0, experts=0, per_token=0)
    names = {weight.name for weight, _ in found}
    first = min(names)
    return _Routed(
        layers=sum(layers for weight, layers in found if weight.name == first),
        experts=max(weight.experts for weight, _ in found),
        per_token=max(weight.active_experts for weight, _ in found),
    )


def _cached(architecture: Architecture) -> Iterator[CachedLayers]:
    for kept, layers in architecture.kept():
        if isinstance(kept, TokenCache) and not kept.encoder:
            limits = [limit for limit in (kept.window, kept.chunk) if limit is not None]
            yield CachedLayers(
                layers=layers,
                numbers=round(kept.numbers / kept.stride),
                window=min(limits) if limits else None,
                heads=kept.heads,
                latent=kept.latent,
            )


def _state_numbers(architecture: Architecture) -> int:
    """The numbers of the recurrent states of one sequence, read and written at every step."""
    return sum(
        layers * (kept.recurrent + kept.memory + kept.shift + kept.channels * max(kept.kernel - 1, 0))
        for kept, layers in architecture.kept()
        if isinstance(kept, SequenceState)
    )


def _recurrent_layers(architecture: Architecture) -> int:
    """The layers with the state of a recurrence; a convolution's last inputs are none."""
    return sum(
        layers
        for kept, layers in architecture.kept()
        if isinstance(kept, SequenceState) and kept.recurrent + kept.memory + kept.shift
    )
