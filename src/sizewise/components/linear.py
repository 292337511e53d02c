"""A single linear layer that stands alone: routers, gates, projections between widths.

Shapes: the weight is [out, in], the bias [out].
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tensors import Role, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Linear:
    """outputs*inputs weights, and a bias where there is one.

    >>> layer = Linear(inputs=1000, outputs=500, role="feed_forward", bias=True)
    >>> sum(weight.elements for weight in layer.weights())
    500500
    """

    inputs: int
    outputs: int
    role: Role
    bias: bool = False

    def weights(self) -> Iterator[Weight]:
        """Yield the weight [out, in] and the bias [out]."""
        yield Weight(name="weight", role=self.role, shape=(self.outputs, self.inputs), kind="matrix")
        if self.bias:
            yield Weight(name="bias", role=self.role, shape=(self.outputs,))

    def operations(self) -> Iterator[Operation]:
        """Yield the product."""
        yield product("product", self.role, self.outputs, self.inputs)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
