"""Buffers of a forward pass in PyTorch: what is held at once while whole prompts pass through the layers.

An estimate with a wide interval. Counted: the residual and its norm, what the widest mechanism's
operations produce, the attention mask of sliding layers, the scores where the class has no fused kernel,
and the logits (last position; every position of models that keep no cache).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sizewise.architecture import Architecture, Component
from sizewise.ledger import Line, Number, leaf, total
from sizewise.operations import Operation

FP32_BYTES = 4
MASK_BYTES = 3
"""Bytes per pair of tokens while masks are made: measured on gemma-3-1b at 32k and 128k tokens."""

ACTIVATIONS = (0.5, 2.5)
SCANS = (0.5, 12.0)
"""Bounds as factors: composite activations and allocators; state-space scans without fused kernels."""
SCORES = (0.8, 1.9)
MASKS = (0.3, 2.0)

MEASURED = "bounds set from peaks under fake tensors, transformers 5.23, torch 2.13 (2026-11-22)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """``sequences`` prompts of ``tokens`` tokens, processed at once with numbers of ``number_bytes``."""

    tokens: int
    sequences: int
    number_bytes: int
    eager: bool = False
    """The class writes out the attention scores of all heads."""


def prefill_buffers(architecture: Architecture, prefill: Prefill) -> Line:
    """Return the bytes of the buffers of a prefill: activations, masks, scores, logits."""
    operations = [operation for operation, _ in architecture.operations()]
    lines = [_activations(architecture, operations, prefill)]
    if prefill.eager:
        lines.append(_scores(operations, prefill))
    elif any(operation.reach is not None and operation.reach < prefill.tokens for operation in operations):
        lines.append(_masks(prefill))
    lines.append(_logits(architecture, operations, prefill))
    return total("buffers", lines, "bytes")


def working_width(component: Component) -> int:
    """Count the numbers per token that a mechanism holds at its widest."""
    outputs = [operation.outputs for operation in component.operations() if operation.role != "head"]
    return sum(outputs) + max(outputs, default=0)


def _activations(architecture: Architecture, operations: list[Operation], prefill: Prefill) -> Line:
    widest = max((working_width(place.component) for place in architecture.language()), default=0)
    inputs = {
        "sequences": prefill.sequences,
        "tokens": prefill.tokens,
        "residual": 2 * architecture.hidden,
        "widest": widest,
        "number_bytes": prefill.number_bytes,
    }
    amount = prefill.sequences * prefill.tokens * (2 * architecture.hidden + widest) * prefill.number_bytes
    scans = any(operation.kind == "scan" for operation in operations)
    formula = "sequences * tokens * (residual + widest) * number_bytes"
    return _estimate("activations", amount, formula, inputs, SCANS if scans else ACTIVATIONS)


def _scores(operations: list[Operation], prefill: Prefill) -> Line:
    """Scores in the model's precision and once more in fp32 for the softmax."""
    inputs = {
        "sequences": prefill.sequences,
        "heads": max((operation.heads for operation in operations), default=0),
        "tokens": prefill.tokens,
        "number_bytes": prefill.number_bytes,
        "fp32_bytes": FP32_BYTES,
    }
    each = prefill.number_bytes + FP32_BYTES
    amount = prefill.sequences * inputs["heads"] * prefill.tokens**2 * each
    formula = "sequences * heads * tokens * tokens * (number_bytes + fp32_bytes)"
    return _estimate("attention scores", amount, formula, inputs, SCORES)


def _masks(prefill: Prefill) -> Line:
    inputs = {"mask_bytes": MASK_BYTES, "tokens": prefill.tokens}
    amount = MASK_BYTES * prefill.tokens**2
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
    return _estimate("logits", amount, formula, inputs, (0.6, 1.2))


def _estimate(
    name: str, amount: int, formula: str, inputs: Mapping[str, Number], bounds: tuple[float, float]
) -> Line:
    low, high = bounds
    return leaf(
        name,
        amount,
        "bytes",
        formula=formula,
        inputs=inputs,
        source=MEASURED,
        status="assumed",
        interval=(int(amount * low), int(amount * high)),
    )
