"""Buffers of a forward pass in PyTorch: what is held at once while whole prompts pass through the layers.

An estimate with an interval. Counted: the embedded tokens, which the class holds to the end, the layer's
input and its norm, what the widest mechanism's operations produce, the keys and values of the prompt that
sliding layers hold until the next token, the attention mask of sliding layers, the scores where there is
no fused kernel, and the logits (last position; every position of models that keep no cache).
Not counted: masks of padded batches, workspaces of kernels.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from sizewise.architecture import Architecture, Component
from sizewise.ledger import Line, Number, leaf, total
from sizewise.operations import Operation, TokenCache

FP32_BYTES = 4
TRUTH_BYTES = 1

ACTIVATIONS = (0.75, 2.3)
SCANS = (0.5, 25.0)
"""Bounds as factors: composite activations and allocators; state-space scans without fused kernels."""
SCORES = (0.4, 1.4)
MASKS = (0.3, 1.5)
LOGITS = (0.6, 1.2)
HELD = (0.0, 1.0)

MEASURED = "bounds set from peaks under fake tensors, transformers 5.23, torch 2.13 (2026-11-22)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """``sequences`` prompts of ``tokens`` tokens, processed at once with numbers of ``number_bytes``."""

    tokens: int
    sequences: int
    number_bytes: int
    eager: bool = False
    """The class writes out the attention scores of all heads."""
    static: bool = False
    """The cache is allocated at once: sliding layers copy into it what they keep."""


def prefill_buffers(architecture: Architecture, prefill: Prefill) -> Line:
    """Return the bytes of the buffers of a prefill: activations, scores, masks, held keys, logits."""
    operations = [operation for operation, _ in architecture.operations()]
    lines = _widest_moment(architecture, prefill)
    if any(operation.reach is not None and operation.reach < prefill.tokens for operation in operations):
        if not prefill.static:
            lines.append(_held(architecture, prefill))
        if not prefill.eager:
            lines.append(_masks(prefill))
    lines.append(_logits(architecture, operations, prefill))
    return total("buffers", [line for line in lines if line.value], "bytes")


def _widest_moment(architecture: Architecture, prefill: Prefill) -> list[Line]:
    """Return the activations; where scores are written out, those of attention with the scores if larger."""
    components = [place.component for place in architecture.language()]
    activations = _activations(architecture, components, prefill)
    attention = [part for part in components if any(operation.heads for operation in part.operations())]
    if not (prefill.eager and attention):
        return [activations]
    scores = _scores(attention, prefill)
    beside = _activations(architecture, attention, prefill)
    return [beside, scores] if beside.value + scores.value > activations.value else [activations]


def working_width(component: Component) -> int:
    """Count the numbers per token that a mechanism holds at its widest."""
    outputs = [operation.outputs for operation in component.operations() if operation.role != "head"]
    return sum(outputs) + max(outputs, default=0)


@lru_cache(maxsize=1024)
def prefill_width(component: Component) -> int:
    """Count the numbers per token that a mechanism holds at its widest in PyTorch.

    A fused projection is held while its pieces are worked on. Experts gather their inputs; at the end
    outputs, weighted outputs and the same in the order of the tokens stand beside them.
    """
    matrices = [weight for weight in component.weights() if weight.kind == "matrix" and weight.role != "head"]
    stacked = next((weight for weight in matrices if weight.stacked), None)
    if stacked is not None:
        gathered, rows = stacked.columns * stacked.active_experts, stacked.rows * stacked.active_experts
        return gathered + max(2 * rows, 3 * gathered)
    outputs = [operation.outputs for operation in component.operations() if operation.role != "head"]
    return sum(outputs) + max([*outputs, *(weight.rows for weight in matrices)], default=0)


def _activations(architecture: Architecture, components: list[Component], prefill: Prefill) -> Line:
    """The residual, the layer's input and its norm, and the widest of the mechanisms."""
    widest = max(map(prefill_width, components), default=0)
    inputs = {
        "sequences": prefill.sequences,
        "tokens": prefill.tokens,
        "residual": 3 * architecture.hidden,
        "widest": widest,
        "number_bytes": prefill.number_bytes,
    }
    amount = prefill.sequences * prefill.tokens * (3 * architecture.hidden + widest) * prefill.number_bytes
    scans = any(operation.kind == "scan" for operation, _ in architecture.operations())
    formula = "sequences * tokens * (residual + widest) * number_bytes"
    return _estimate("activations", amount, formula, inputs, SCANS if scans else ACTIVATIONS)


def _held(architecture: Architecture, prefill: Prefill) -> Line:
    """Keys and values of the prompt beyond the window: a sliding layer's cache is a view of all of them."""
    numbers = sum(
        layers * (prefill.tokens - entry.window + 1) * (entry.keys + entry.values) * entry.repeats
        for entry, layers in architecture.kept()
        if isinstance(entry, TokenCache) and entry.window is not None and 1 < entry.window <= prefill.tokens
    )
    inputs = {
        "sequences": prefill.sequences,
        "numbers_beyond_windows": numbers,
        "number_bytes": prefill.number_bytes,
    }
    amount = prefill.sequences * numbers * prefill.number_bytes
    formula = "sequences * numbers_beyond_windows * number_bytes"
    return _estimate("keys and values beyond windows", amount, formula, inputs, HELD)


def _scores(attention: list[Component], prefill: Prefill) -> Line:
    """Scores in the model's precision, in fp32 for the softmax, and its result.

    Sinks stand beside the scores in a copy of them, and the softmax keeps the precision.
    """
    sinks = any(weight.name == "sinks" for component in attention for weight in component.weights())
    own = prefill.number_bytes
    softmax = FP32_BYTES if own == FP32_BYTES else 2 * FP32_BYTES
    inputs = {
        "sequences": prefill.sequences,
        "heads": max(one.heads for component in attention for one in component.operations()),
        "tokens": prefill.tokens,
        "number_bytes": own,
        "softmax_bytes": 2 * own if sinks else softmax,
    }
    amount = prefill.sequences * inputs["heads"] * prefill.tokens**2 * (own + inputs["softmax_bytes"])
    formula = "sequences * heads * tokens * tokens * (number_bytes + softmax_bytes)"
    return _estimate("attention scores", amount, formula, inputs, SCORES)


def _masks(prefill: Prefill) -> Line:
    """Truth values, and the same as numbers for the kernel."""
    mask_bytes = TRUTH_BYTES + prefill.number_bytes
    inputs = {"mask_bytes": mask_bytes, "tokens": prefill.tokens}
    amount = mask_bytes * prefill.tokens**2
    return _estimate("attention masks", amount, "mask_bytes * tokens * tokens", inputs, MASKS)


def _logits(architecture: Architecture, operations: list[Operation], prefill: Prefill) -> Line:
    """Logits in the model's precision and once more in fp32."""
    width = max((operation.outputs for operation in operations if operation.role == "head"), default=0)
    last_only = any(True for _ in architecture.kept())
    inputs = {
        "sequences": prefill.sequences,
        "positions": 1 if last_only else prefill.tokens,
        "outputs": width,
        "number_bytes": prefill.number_bytes,
        "fp32_bytes": FP32_BYTES,
    }
    amount = prefill.sequences * inputs["positions"] * width * (prefill.number_bytes + FP32_BYTES)
    formula = "sequences * positions * outputs * (number_bytes + fp32_bytes)"
    return _estimate("logits", amount, formula, inputs, LOGITS)


def bounded_estimate(
    name: str,
    amount: int,
    formula: str,
    inputs: Mapping[str, Number],
    *,
    bounds: tuple[float, float],
    source: str,
) -> Line:
    """Return bytes that are assumed to lie between ``bounds``, as factors of ``amount``."""
    low, high = bounds
    return leaf(
        name,
        amount,
        "bytes",
        formula=formula,
        inputs=inputs,
        source=source,
        status="assumed",
        interval=(int(amount * low), int(amount * high)),
    )


def _estimate(
    name: str, amount: int, formula: str, inputs: Mapping[str, Number], bounds: tuple[float, float]
) -> Line:
    return bounded_estimate(name, amount, formula, inputs, bounds=bounds, source=MEASURED)
