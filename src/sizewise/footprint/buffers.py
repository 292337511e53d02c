"""Buffers of a forward pass: what the widest layer holds while the whole prompt passes through it.

An estimate: the residual and its norm, what the widest mechanism's operations produce (gated
feed-forwards hold gate, activation, up and product), and the logits of the last position in the
model's precision and in fp32. Attention scores are not materialised (SDPA, flash attention).
"""

from sizewise.architecture import Architecture, Component
from sizewise.ledger import Line, leaf, total

SOURCE = (
    "sum of what the widest mechanism's operations produce; eager attention adds sequences * heads * tokens^2"
)
LOW, HIGH = 0.6, 1.6
"""Bounds of the activation estimate: allocators reuse and round blocks, kernels fuse and copy."""

FP32_BYTES = 4


def working_width(component: Component) -> int:
    """Count the numbers per token that a mechanism holds at its widest."""
    outputs = [operation.outputs for operation in component.operations() if operation.role != "head"]
    return sum(outputs) + max(outputs, default=0)


def prefill_buffers(architecture: Architecture, *, context: int, sequences: int, number_bytes: int) -> Line:
    """Return the bytes of buffers when ``sequences`` prompts of ``context`` tokens are processed at once."""
    widest = max((working_width(place.component) for place in architecture.language()), default=0)
    tokens = {"sequences": sequences, "tokens": context}
    width = {"residual": 2 * architecture.hidden, "widest": widest, "number_bytes": number_bytes}
    amount = sequences * context * (width["residual"] + widest) * number_bytes
    activations = leaf(
        "activations",
        amount,
        "bytes",
        formula="sequences * tokens * (residual + widest) * number_bytes",
        inputs=tokens | width,
        source=SOURCE,
        status="assumed",
        interval=(int(amount * LOW), int(amount * HIGH)),
    )
    logits = leaf(
        "logits",
        sequences * architecture.vocabulary * (number_bytes + FP32_BYTES),
        "bytes",
        formula="sequences * vocabulary * (number_bytes + fp32_bytes)",
        inputs={
            "sequences": sequences,
            "vocabulary": architecture.vocabulary,
            "number_bytes": number_bytes,
            "fp32_bytes": FP32_BYTES,
        },
        source="last position only, once more in fp32 for sampling",
        status="derived",
    )
    return total("buffers", [activations, logits], "bytes")
