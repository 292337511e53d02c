"""Attention pooling: one learned query gathers all patches into one vector.

Shapes: D hidden, F feed-forward size; the joint projection of query, keys and values is [3*D, D].
Source: Zhai et al. 2023, arXiv:2303.15343 (SigLIP); Lee et al. 2019, arXiv:1810.00825.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Weight, linear


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionPooling:
    """The probe, its attention to the patches, a norm and a feed-forward layer, all biased.

    >>> head = AttentionPooling(hidden=1152, width=4304)
    >>> sum(weight.elements for weight in head.weights())
    15238352
    """

    hidden: int
    width: int

    def weights(self) -> Iterator[Weight]:
        """Yield probe [1, 1, D], projections [3*D, D] and [D, D], a LayerNorm, and [F, D], [D, F]."""
        size = self.hidden
        yield Weight(name="probe", role="vision", shape=(1, 1, size))
        yield Weight(name="attention.in_proj_weight", role="attention", shape=(3 * size, size), kind="matrix")
        yield Weight(name="attention.in_proj_bias", role="attention", shape=(3 * size,))
        yield from linear("attention.out_proj", "attention", size, size, bias=True)
        yield Weight(name="layernorm.weight", role="norm", shape=(size,))
        yield Weight(name="layernorm.bias", role="norm", shape=(size,))
        yield from linear("mlp.fc1", "feed_forward", self.width, size, bias=True)
        yield from linear("mlp.fc2", "feed_forward", size, self.width, bias=True)

    def operations(self) -> Iterator[Operation]:
        """Yield keys and values of one patch and its scores with the probe.

        What is done once per picture for the pooled vector is not counted.
        """
        yield product("keys and values", "attention", 2 * self.hidden, self.hidden)
        yield Operation(name="scores", role="attention", kind="scores", macs=2 * self.hidden)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
