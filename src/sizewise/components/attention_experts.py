"""Mixture of attention heads: keys and values shared, queries and outputs by k of E experts.

Shapes: D hidden, K key/value heads of size H, E experts; ``kv_proj`` is [2*K*H, D], the experts'
``input_linear`` [E, K*H, D] and ``output_linear`` [E, D, K*H]. Each chosen expert brings K query heads.
Source: JetMoE, Shen et al. 2024, arXiv:2404.07413; names: modelling file of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, TokenCache, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionExperts:
    """One attention layer whose query heads are routed. Every number is a count."""

    hidden: int
    kv_heads: int
    head_size: int
    experts: int
    active: int

    @property
    def keys(self) -> int:
        """K*H features; values and the queries of one expert have as many."""
        return self.kv_heads * self.head_size

    def weights(self) -> Iterator[Weight]:
        """Yield bias [D], the two stacks, the router [E, D] and the keys and values [2*K*H, D].

        >>> layer = AttentionExperts(hidden=2048, kv_heads=16, head_size=128, experts=8, active=2)
        >>> sum(weight.elements for weight in layer.weights())
        75515904
        """
        yield Weight(name="experts.bias", role="attention", shape=(self.hidden,))
        yield self._stack("experts.input_linear.weight", self.keys, self.hidden)
        yield self._stack("experts.output_linear.weight", self.hidden, self.keys)
        yield from linear("experts.router.layer", "router", self.experts, self.hidden)
        yield from linear("kv_proj", "attention", 2 * self.keys, self.hidden)

    def _stack(self, name: str, outputs: int, inputs: int) -> Weight:
        return Weight(
            name=name,
            role="expert",
            shape=(self.experts, outputs, inputs),
            kind="matrix",
            experts=self.experts,
            active_experts=self.active,
        )

    def operations(self) -> Iterator[Operation]:
        """Yield the products of the k chosen experts and the scores of their k*K query heads."""
        yield product("routing", "router", self.experts, self.hidden)
        yield product("queries", "expert", self.keys, self.hidden, times=self.active)
        yield product("keys_and_values", "attention", 2 * self.keys, self.hidden)
        yield Operation(
            name="scores",
            role="attention",
            kind="scores",
            macs_per_key=2 * self.active * self.keys,
            outputs=self.active * self.keys,
        )
        yield product("output", "expert", self.hidden, self.keys, times=self.active)

    def kept(self) -> Iterator[Kept]:
        """Yield a key and a value per token and key/value head."""
        yield TokenCache(keys=self.keys, values=self.keys, heads=self.kv_heads)
