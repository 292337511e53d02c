"""Which matrices of a component its products multiply with: both are listed in the order of the class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sizewise.operations import Operation
from sizewise.tensors import Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """Products and the matrices whose active elements they multiply with, or one operation of another kind.

    A fused matrix stands with all of its products. Where ``core``, what is read are activations alone
    (scores, scans) or activations and a kernel (convolutions).
    """

    operations: tuple[Operation, ...]
    matrices: tuple[Weight, ...] = ()
    core: bool = False

    @property
    def macs(self) -> int:
        """Count the multiply-adds per token through which gradients come back, scores per key apart."""
        return sum(operation.macs for operation in self.operations if not operation.selects)

    @property
    def selecting(self) -> int:
        """Count those that only choose keys."""
        return sum(operation.macs for operation in self.operations if operation.selects)


def bundles(operations: Sequence[Operation], matrices: Sequence[Weight]) -> Iterator[Bundle]:
    """Yield a component's operations with their matrices.

    Products are taken until they and the matrices agree; what never agrees is one bundle at the end.
    Look-ups are left out.
    """
    waiting: list[Operation] = []
    taken: list[Weight] = []
    left = list(matrices)
    for operation in operations:
        if operation.kind == "lookup":
            continue
        if operation.kind != "product":
            yield Bundle(operations=(operation,), core=True)
            continue
        waiting.append(operation)
        asked = sum(each.macs for each in waiting)
        while left and sum(weight.active_elements for weight in (*taken, left[0])) <= asked:
            taken.append(left.pop(0))
        if taken and sum(weight.active_elements for weight in taken) == asked:
            yield Bundle(operations=tuple(waiting), matrices=tuple(taken))
            waiting, taken = [], []
    if waiting:
        yield Bundle(operations=tuple(waiting), matrices=(*taken, *left))
