"""FLOPs of training on one sequence: forward, backward, and what is recomputed.

The backward pass of a product costs its forward pass once for the gradient of its input and once for that
of its weight; frozen weights need none, nor does the input of the first layer that is trained. Scores cost
twice their forward pass; fused kernels (FlashAttention, torch's SDPA) compute Q·Kᵀ once more: 2.5 times
where keys and values are equally wide. Source: Dao et al. 2022, arXiv:2205.14135, and torch 2.13's
FlopCounterMode, with which the counts are compared. Scans and convolutions are counted as products are.

Not counted: the optimizer, the loss, dequantization, norms and activations.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from sizewise.architecture import Model
from sizewise.flops.adapters import backward_adapters, forward_adapters
from sizewise.flops.forward import (
    UNIT,
    Scores,
    encoder_tokens,
    forward_flops,
    pairs_of,
    status_of,
    work,
)
from sizewise.flops.passes import Pass, passes
from sizewise.ledger import Line, leaf, total, weakened
from sizewise.operations import Operation
from sizewise.recipe import Recipe
from sizewise.tensors import Role

Recomputed = Literal["nothing", "attention", "alternate", "layers"]
"""What is done again in the backward pass · attention: the scores, called selective by Korthikanti et al.
2022 (arXiv:2205.05198) · alternate: every second product of a mechanism, as torchtitan does · layers: all
of each layer, as Megatron's full recomputation. Of a piece of layers torch's non-reentrant checkpoint
leaves out the last product where nothing after it is saved."""

RECOMPUTED: dict[str, Recomputed] = {
    "none": "nothing",
    "attention": "attention",
    "selective": "alternate",
    "full": "layers",
    "offload": "layers",
}
"""By the recipe's word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sequence:
    """The sequence that is trained on."""

    tokens: int
    encoder: int
    scores: Scores

    def pairs(self, operation: Operation) -> int:
        return pairs_of(operation, self.tokens, 0, self.scores, self.encoder)


def training_flops(
    model: Model, recipe: Recipe, *, scores: Scores = "full", recomputed: Recomputed | None = None
) -> Line:
    """Return the FLOPs of one sequence of ``recipe.sequence`` tokens: forward, backward, recomputed.

    ``recomputed`` replaces what the recipe's own word stands for. Its tokens times sequences of a step
    are the work of all devices together.
    """
    sequence = _Sequence(
        tokens=recipe.sequence, encoder=encoder_tokens(model.architecture, recipe.sequence), scores=scores
    )
    found = passes(model.architecture, recipe)
    parts = [
        _forward(model, recipe, found, scores),
        _backward(found, recipe, sequence),
        _recomputed(found, recipe, sequence, recomputed or _policy(recipe)),
    ]
    line = total("training of one sequence", parts, UNIT)
    line = line if recipe.method == "full" and not recipe.frozen else weakened(line, "derived")
    return weakened(line, status_of(model))


def model_flops(model: Model, recipe: Recipe, *, scores: Scores = "full") -> Line:
    """Return the FLOPs that training on one sequence needs, nothing done twice: those of MFU."""
    return training_flops(model, replace(recipe, attention="eager"), scores=scores, recomputed="nothing")


def hardware_flops(model: Model, recipe: Recipe, *, scores: Scores = "full") -> Line:
    """Return the FLOPs that the devices do for one sequence, what is recomputed included: those of HFU."""
    return training_flops(model, recipe, scores=scores)


def _forward(model: Model, recipe: Recipe, found: Sequence[Pass], scores: Scores) -> Line:
    line = forward_flops(model, tokens=recipe.sequence, scores=scores)
    beside = forward_adapters(found, recipe)
    return replace(line, name="forward", parts=(*line.parts, *([beside] if beside.value else [])))


def _backward(found: Sequence[Pass], recipe: Recipe, sequence: _Sequence) -> Line:
    """Return the backward pass by role: gradients of inputs, of weights and of scores; scores done again."""
    inputs: Counter[Role] = Counter()
    weights: Counter[Role] = Counter()
    between: Counter[Operation] = Counter()
    for each in found:
        if each.bundle.core and each.alive:
            operation = each.bundle.operations[0]
            if operation.kind != "convolution":
                between[operation] += 0 if operation.selects else each.times
                continue
        role = each.bundle.operations[0].role
        inputs[role] += each.times * each.bundle.macs * each.input_gradient
        weights[role] += each.times * each.trained
    roles: dict[str, list[Line]] = defaultdict(list)
    for name, macs in (("gradients of inputs", inputs), ("gradients of weights", weights)):
        for role, amount in macs.items():
            roles[role].append(_per_token(name, amount, sequence.tokens))
    for operation, times in between.items():
        roles[operation.role] += _between_activations(operation, times, recipe, sequence)
    parts = [total(role, [line for line in lines if line.value], UNIT) for role, lines in roles.items()]
    beside = backward_adapters(found, recipe)
    return total("backward", [part for part in (*parts, beside) if part.value], UNIT)


def _per_token(name: str, macs: int, tokens: int) -> Line:
    inputs = {"macs": macs, "tokens": tokens}
    return leaf(name, 2 * macs * tokens, UNIT, formula="2 * macs * tokens", inputs=inputs)


def _between_activations(operation: Operation, times: int, recipe: Recipe, sequence: _Sequence) -> list[Line]:
    """Return the gradients of both factors; of scores in a fused kernel also Q·Kᵀ done again."""
    pairs = sequence.pairs(operation)
    gradients = work(operation, times=2 * times, tokens=sequence.tokens, pairs=pairs)
    found = [replace(gradients, name=f"gradients of {operation.name}")]
    if operation.macs_per_key and operation.outputs and recipe.attention != "eager":
        products = replace(operation, macs=0, macs_per_key=operation.macs_per_key - operation.outputs)
        again = work(products, times=times, tokens=sequence.tokens, pairs=pairs)
        found.append(replace(again, name=f"{operation.name} again"))
    return found


def _recomputed(found: Sequence[Pass], recipe: Recipe, sequence: _Sequence, policy: Recomputed) -> Line:
    """Return what is done again of the layers that the backward pass comes through."""
    again: Counter[Operation] = Counter()
    layers = [each for each in found if each.in_layer and each.reached and policy != "nothing"]
    products: Counter[str] = Counter()
    for each in layers:
        for operation in each.bundle.operations:
            products[operation.role] += operation.kind == "product"
            if _is_again(operation, products[operation.role], policy):
                again[operation] += each.times // recipe.recompute_every
    roles: dict[str, list[Line]] = defaultdict(list)
    for operation, times in again.items():
        line = work(operation, times=times, tokens=sequence.tokens, pairs=sequence.pairs(operation))
        roles[operation.role].append(line)
    parts = [total(role, lines, UNIT) for role, lines in roles.items()]
    beside = forward_adapters(layers if policy == "layers" else [], recipe)
    line = total("recomputed", [part for part in (*parts, beside) if part.value], UNIT)
    return weakened(line, "derived")


def _policy(recipe: Recipe) -> Recomputed:
    """Return what a recipe does again; fused attention has no scores to do again."""
    if recipe.recompute == "attention" and recipe.attention != "eager":
        return "nothing"
    return RECOMPUTED[recipe.recompute]


def _is_again(operation: Operation, number: int, policy: Recomputed) -> bool:
    """Tell whether a policy does an operation again; ``number`` counts the products of its role up to it."""
    if policy == "alternate":
        return operation.kind in ("scan", "convolution") or (operation.kind == "product" and number % 2 == 0)
    return policy == "layers" or operation.kind == "scores"
