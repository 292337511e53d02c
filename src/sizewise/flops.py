"""FLOPs of a forward pass, from the operations. One multiply-add is two FLOPs.

Products, attention scores, convolutions and scans are counted; norms, activations, softmax and
look-ups are not (they are bandwidth, not arithmetic). T tokens of a sequence, S keys they see.
"""

from collections import defaultdict
from typing import Literal

from sizewise.architecture import Architecture, Model
from sizewise.ledger import Line, Status, leaf, total
from sizewise.operations import Operation

Scores = Literal["full", "causal"]
"""full: every query meets every key that is there · causal: the useful part."""

UNIT = "FLOPs"


def keys_seen(tokens: int, past: int, reach: int | None, scores: Scores) -> int:
    """Count the (query, key) pairs of ``tokens`` new tokens after ``past`` cached ones.

    Of the cached keys a window of ``reach`` leaves reach - 1; a new query then uses at most ``reach``.

    >>> keys_seen(4, 0, None, "causal"), keys_seen(4, 0, None, "full"), keys_seen(1, 99, 10, "causal")
    (10, 16, 10)
    """
    if scores == "full":
        return tokens * (tokens + (past if reach is None else min(past, reach - 1)))
    longest = past + tokens
    limit = longest if reach is None else min(reach, longest)
    ramp = max(0, min(tokens, limit - past))
    return ramp * past + ramp * (ramp + 1) // 2 + (tokens - ramp) * limit


def operation_flops(operation: Operation, tokens: int, past: int, scores: Scores, encoder: int) -> int:
    """Return the FLOPs of one operation for one sequence in one layer."""
    if operation.encoder_keys:
        pairs = tokens * encoder
    else:
        pairs = keys_seen(tokens, past, operation.reach, scores) if operation.macs_per_key else 0
    return 2 * (operation.macs * tokens + operation.macs_per_key * pairs)


def forward_flops(
    model: Model, *, tokens: int, past: int = 0, sequences: int = 1, scores: Scores = "full"
) -> Line:
    """Return the FLOPs of a forward pass over ``tokens`` new tokens per sequence, a part per role.

    Cross-attention is counted against as many encoder tokens as ``past + tokens``, and against none where
    its keys are those of pictures.
    """
    encoder = past + tokens if model.architecture.crossed is None else 0
    by_role: dict[str, int] = defaultdict(int)
    for operation, layers in model.architecture.operations():
        one = operation_flops(operation, tokens, past, scores, encoder)
        by_role[operation.role] += one * layers * sequences
    status: Status = "assumed" if model.assumed else "exact"
    parts = [
        leaf(role, flops, UNIT, status=status, source=f"{scores} scores")
        for role, flops in by_role.items()
        if flops
    ]
    return total("forward pass", parts, UNIT)


def decode_flops(model: Model, *, context: int, sequences: int = 1) -> Line:
    """Return the FLOPs of producing one token per sequence when ``context`` tokens are cached with it."""
    return forward_flops(model, tokens=1, past=max(context - 1, 0), sequences=sequences, scores="causal")


def matmul_parameters(architecture: Architecture) -> int:
    """Count the weights that one token is multiplied with: the N of "2N FLOPs per token"."""
    return sum(op.macs * layers for op, layers in architecture.operations() if op.kind == "product")
