"""FLOPs of a forward pass, from the operations. One multiply-add is two FLOPs.

Products, attention scores, convolutions and scans are counted; norms, activations, softmax and
look-ups are not (they are bandwidth, not arithmetic). T tokens of a sequence, S keys they see.
"""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Literal

from sizewise.architecture import Architecture, Model
from sizewise.ledger import Line, Status, leaf, total
from sizewise.operations import Operation

Scores = Literal["full", "causal"]
"""full: every query meets every key that is there · causal: the useful part."""

UNIT = "FLOPs"


def keys_seen(tokens: int, past: int, reach: int | None, scores: Scores, *, chunked: bool = False) -> int:
    """Count the (query, key) pairs of ``tokens`` new tokens after ``past`` cached ones.

    Of the cached keys a window of ``reach`` leaves reach - 1; a new query then uses at most ``reach``, or
    where ``chunked`` those of its own piece of that length up to itself.

    >>> keys_seen(4, 0, None, "causal"), keys_seen(4, 0, None, "full"), keys_seen(1, 99, 10, "causal")
    (10, 16, 10)
    """
    if scores == "full":
        return tokens * (tokens + (past if reach is None else min(past, reach - 1)))
    longest = past + tokens
    if chunked and reach is not None:
        return _pairs_in_pieces(longest, reach) - _pairs_in_pieces(past, reach)
    limit = longest if reach is None else min(reach, longest)
    ramp = max(0, min(tokens, limit - past))
    return ramp * past + ramp * (ramp + 1) // 2 + (tokens - ramp) * limit


def _pairs_in_pieces(tokens: int, piece: int) -> int:
    """Count the pairs of a token and those up to itself in its piece, from the first token on.

    >>> _pairs_in_pieces(10, 4)
    23
    """
    whole, rest = divmod(tokens, piece)
    return whole * piece * (piece + 1) // 2 + rest * (rest + 1) // 2


def pairs_of(operation: Operation, tokens: int, past: int, scores: Scores, encoder: int) -> int:
    """Count the (query, key) pairs of an operation in one layer, those with an encoder's tokens included."""
    if not operation.macs_per_key:
        return 0
    if operation.encoder_keys:
        return tokens * encoder
    return keys_seen(tokens, past, operation.reach, scores, chunked=operation.chunked)


def operation_flops(operation: Operation, tokens: int, past: int, scores: Scores, encoder: int) -> int:
    """Return the FLOPs of one operation for one sequence in one layer."""
    pairs = pairs_of(operation, tokens, past, scores, encoder)
    return 2 * (operation.macs * tokens + operation.macs_per_key * pairs)


def encoder_tokens(architecture: Architecture, tokens: int) -> int:
    """Return the keys that cross-attention meets: ``tokens`` of an encoder of text, none of pictures."""
    return tokens if architecture.crossed is None else 0


def forward_flops(
    model: Model, *, tokens: int, past: int = 0, sequences: int = 1, scores: Scores = "full"
) -> Line:
    """Return the FLOPs of a forward pass over ``tokens`` new tokens per sequence, by role and operation.

    Cross-attention is counted against as many encoder tokens as ``past + tokens``, and against none where
    its keys are those of pictures.
    """
    encoder = encoder_tokens(model.architecture, past + tokens)
    alike: Counter[Operation] = Counter()
    for operation, layers in model.architecture.operations():
        alike[operation] += layers
    roles: dict[str, list[Line]] = defaultdict(list)
    for operation, layers in alike.items():
        pairs = pairs_of(operation, tokens, past, scores, encoder)
        line = work(operation, times=layers * sequences, tokens=tokens, pairs=pairs)
        if line.value:
            roles[operation.role].append(
                replace(line, own_status=status_of(model), source=f"{scores} scores")
            )
    return total("forward pass", [total(role, lines, UNIT) for role, lines in roles.items()], UNIT)


def work(operation: Operation, *, times: int, tokens: int, pairs: int) -> Line:
    """Return the FLOPs of an operation done ``times`` times: 2 a multiply-add, per token and per pair."""
    inputs = {"times": times}
    terms = []
    if operation.macs:
        inputs |= {"macs": operation.macs, "tokens": tokens}
        terms.append("macs * tokens")
    if operation.macs_per_key:
        inputs |= {"macs_per_key": operation.macs_per_key, "pairs": pairs}
        terms.append("macs_per_key * pairs")
    return leaf(
        operation.name,
        2 * times * (operation.macs * tokens + operation.macs_per_key * pairs),
        UNIT,
        formula=f"2 * times * ({' + '.join(terms)})" if terms else "0",
        inputs=inputs,
    )


def status_of(model: Model) -> Status:
    """Return the status of a count: as certain as the architecture."""
    return "assumed" if model.assumed else "exact"


def decode_flops(model: Model, *, context: int, sequences: int = 1) -> Line:
    """Return the FLOPs of producing one token per sequence when ``context`` tokens are cached with it."""
    return forward_flops(model, tokens=1, past=max(context - 1, 0), sequences=sequences, scores="causal")


def multiply_adds(line: Line) -> Line:
    """Return a line of FLOPs in multiply-adds (MACs): half of each amount.

    >>> multiply_adds(leaf("product", 6, "FLOPs")).value
    3
    """
    if line.amount is None:
        parts = tuple(multiply_adds(part) for part in line.parts)
        return replace(line, unit="MACs", parts=parts)
    assert isinstance(line.amount, int), "FLOPs are counted"
    formula = f"({line.formula}) / 2" if line.formula else ""
    return replace(line, unit="MACs", amount=line.amount // 2, formula=formula)


def matmul_parameters(architecture: Architecture) -> int:
    """Count the weights that one token is multiplied with: the N of "2N FLOPs per token"."""
    return sum(op.macs * layers for op, layers in architecture.operations() if op.kind == "product")
