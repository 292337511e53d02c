"""FLOPs of low-rank matrices: A [r, in] and B [out, r] beside a matrix [out, in], per token that uses it.

Source: Hu et al. 2021, arXiv:2106.09685. DoRA also multiplies B·A once a pass, for the lengths of the
changed matrix's rows (Liu et al. 2024, arXiv:2402.09353); they are constants in the backward pass.
Several matrices in one stored tensor (gate and up of experts) have rank r each. A table's adapter is not
counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from sizewise.flops.forward import UNIT
from sizewise.flops.passes import Pass
from sizewise.flops.selection import adapter_of
from sizewise.ledger import Line, leaf, total
from sizewise.recipe import Recipe

NAME = "adapter"


@dataclass(frozen=True, slots=True)
class _Macs:
    """Multiply-adds per token of the first and of the second low-rank matrices."""

    down: int = 0
    up: int = 0


def forward_adapters(found: Sequence[Pass], recipe: Recipe) -> Line:
    """Return the FLOPs of the adapters' products on one sequence."""
    if recipe.method == "full":
        return total(NAME, [], UNIT)
    macs = _macs(found, adapter_of(recipe).rank)
    parts = [_leaf("first products", macs.down, recipe), _leaf("second products", macs.up, recipe)]
    if recipe.method == "dora":
        parts.append(_lengths(found, recipe))
    return total(NAME, [part for part in parts if part.value], UNIT)


def backward_adapters(found: Sequence[Pass], recipe: Recipe) -> Line:
    """Return the FLOPs of their gradients: those of weights, and of inputs where the base's needs one."""
    if recipe.method == "full":
        return total(NAME, [], UNIT)
    rank = adapter_of(recipe).rank
    macs, through = _macs(found, rank), _macs([each for each in found if each.input_gradient], rank)
    parts = [
        _leaf("gradients of weights", macs.down + macs.up, recipe),
        _leaf("gradients of inputs", through.down + macs.up, recipe),
    ]
    return total(NAME, [part for part in parts if part.value], UNIT)


def _macs(found: Sequence[Pass], rank: int) -> _Macs:
    pairs = [
        (each.times * rank * beside.times * beside.weight.active_experts, beside.weight)
        for each in found
        for beside in each.adapted
    ]
    return _Macs(
        sum(products * weight.columns for products, weight in pairs),
        sum(products * weight.rows for products, weight in pairs),
    )


def _leaf(name: str, macs: int, recipe: Recipe) -> Line:
    inputs = {"macs": macs, "tokens": recipe.sequence}
    return leaf(name, 2 * macs * recipe.sequence, UNIT, formula="2 * macs * tokens", inputs=inputs)


def _lengths(found: Sequence[Pass], recipe: Recipe) -> Line:
    rank = adapter_of(recipe).rank
    macs = sum(
        each.times * rank * beside.times * beside.weight.elements for each in found for beside in each.adapted
    )
    inputs = {"macs": macs, "sequences": recipe.micro_batch}
    return leaf(
        "lengths of rows",
        ceil(2 * macs / recipe.micro_batch),
        UNIT,
        formula="ceil(2 * macs / sequences)",
        inputs=inputs,
    )
