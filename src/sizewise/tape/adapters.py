"""Low-rank matrices beside a frozen product: what they compute, as peft 0.21 writes it.

Shapes: A [r, in], B [out, r]; output + B(A(dropout(x))) * scale, in the width of the adapters. DoRA scales
the columns of the sum anew. Source: Hu et al. 2021, arXiv:2106.09685; Liu et al. 2024, arXiv:2402.09353.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sizewise.tape.tensors import Tensor

if TYPE_CHECKING:
    from sizewise.tape.tape import Tape


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """Ranks beside the matrices of each component (by its identity), in the order of its weights; 0: none.

    ``width`` bytes per number of the adapters. ``packed``: the frozen matrices are unpacked for each product.
    """

    ranks: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    width: int = 4
    dropout: float = 0.0
    magnitude: bool = False
    packed: bool = False


NO_ADAPTERS = Adapters()


def adapted(
    tape: "Tape", source: Tensor, output: Tensor, *, rank: int, inputs: int, outputs: int, bias: bool = False
) -> Tensor:
    """Record what stands beside a product of ``source`` and is added to its ``output``."""
    rule = tape.setting.adapters
    width = tape.setting.width if tape.setting.autocast else rule.width
    read = tape.dropout(tape.cast(source, rule.width), rule.dropout)
    rows = output.numbers // outputs
    first = _product(tape, tape.cast(read, width), rank, inputs, rows)
    second = _product(tape, first, outputs, rank, rows)
    if rule.magnitude:
        frozen = output
        if rule.dropout and tape.setting.training:
            frozen = _again(tape, read, outputs, inputs, rows)
        elif bias:
            frozen = tape.scale(output)
        return _scaled(tape, output, frozen, second, outputs)
    return tape.cast(tape.add(output, tape.scale(second)), output.width)


def _product(tape: "Tape", source: Tensor, outputs: int, inputs: int, rows: int) -> Tensor:
    weight = tape.weight(outputs * inputs, width=tape.setting.adapters.width, trained=True)
    return tape.step("product", (source, weight), rows * outputs, source.width, saved=(source, weight))


def _again(tape: "Tape", source: Tensor, outputs: int, inputs: int, rows: int) -> Tensor:
    """Record the frozen product of what dropout leaves, with the matrix cast to the adapters' width."""
    width = tape.setting.adapters.width
    matrix = tape.weight(outputs * inputs, trained=False)
    matrix = tape.cast(matrix, width)
    return tape.step("product", (source, matrix), rows * outputs, width, saved=(matrix,))


def _scaled(tape: "Tape", output: Tensor, frozen: Tensor, second: Tensor, outputs: int) -> Tensor:
    """Record DoRA: (m - 1) * frozen + m * BAx * scale, with m the trained length of each column over its
    norm.
    """
    width = tape.setting.adapters.width
    magnitude = tape.weight(outputs, width=width, trained=True)
    length = tape.step("length", (magnitude,), outputs, width, extra=outputs * width)
    less = tape.multiply(tape.scale(length), frozen)
    more = tape.scale(tape.multiply(length, second))
    return tape.cast(tape.add(output, tape.add(less, more)), output.width)
