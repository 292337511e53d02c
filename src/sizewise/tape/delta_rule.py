"""The gated delta rule in chunks of 64 tokens, as torch operations in fp32.

Shapes: B sequences of S tokens in C chunks of l, Z heads with keys of size a and values of size z; a state is
[a, z]. Source: torch_chunk_gated_delta_rule of the modelling files of transformers 5.23.
"""

from dataclasses import dataclass

from sizewise.tape.chunked_scan import wide_product
from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor

CHUNK = 64
"""Tokens of a chunk, here and in flash-linear-attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaInputs:
    """Queries, keys [B, S, Z, a], values [B, S, Z, z], strengths and log decays [B, S, Z]."""

    queries: Tensor
    keys: Tensor
    values: Tensor
    strength: Tensor
    decay: Tensor


def delta_rule(tape: Tape, inputs: DeltaInputs, heads: int) -> Tensor:
    """Record the rule; what leaves it has S tokens in the model's width. Names hold all till the end."""
    setting = tape.setting
    chunks = -(-setting.sequence // CHUNK)
    rows = setting.batch * heads * chunks * CHUNK
    key = inputs.keys.numbers // (tape.tokens * heads)
    value = inputs.values.numbers // (tape.tokens * heads)
    queries, keys = (_normed(tape, entry, key) for entry in (inputs.queries, inputs.keys))
    queries, keys = tape.copy(tape.scale(queries), rows * key), tape.copy(keys, rows * key)
    values = tape.copy(tape.cast(inputs.values, WIDE), rows * value)
    strength = tape.copy(tape.cast(inputs.strength, WIDE), rows)
    total = tape.copy(tape.copy(tape.cast(inputs.decay, WIDE), rows))
    written, corrected = tape.multiply(values, strength), tape.multiply(keys, strength)
    pairs = tape.step("pairs", (total,), rows * CHUNK, WIDE, extra=CHUNK * CHUNK)
    pairs = tape.unary("exponential", pairs, "output")
    system = tape.multiply(wide_product(tape, corrected, keys, rows * CHUNK, inner=key), pairs)
    within = tape.multiply(wide_product(tape, queries, keys, rows * CHUNK, inner=key), pairs)
    decayed = tape.multiply(corrected, _exponential(tape, total))
    fresh = _solved(tape, system, written)
    reads = _solved(tape, system, decayed)
    named = (values, strength, written, corrected, total, pairs, system, within, decayed, fresh, reads)
    queries = tape.multiply(queries, _exponential(tape, total))
    keys = tape.multiply(keys, _exponential(tape, tape.copy(total)))
    ends = tape.unary("exponential", tape.copy(total, rows // CHUNK), "output")
    states = WIDE * setting.batch * heads * key * value * chunks
    further = (queries, keys) if chunks > 1 else ()
    output = tape.step(
        "chunks",
        (fresh, reads, queries, keys, within, ends),
        rows * value,
        WIDE,
        saved=(reads, within, *further),
        extra=states + WIDE * rows * value,
    )
    _count_chunks(tape, rows, chunks, key, value)
    output, width = tape.view(output, inputs.values.numbers), inputs.values.width
    output = tape.copy(output) if width == WIDE and heads > 1 else tape.cast(output, width)
    tape.steps[-1].beside = (*named, queries, keys, ends, inputs.values)
    return output


def _count_chunks(tape: Tape, rows: int, chunks: int, key: int, value: int) -> None:
    """Count what a chunk does: it reads the state twice, its own values once, and writes the state.

    No gradient flows to the state before the first chunk, nor from what the last one writes.
    """
    state = rows * key * value
    whole = 3 * state + rows * CHUNK * value
    unneeded = 4 * (state // chunks)
    tape.works(whole, backward=2 * whole - unneeded)


def _normed(tape: Tape, source: Tensor, size: int) -> Tensor:
    """Record x / sqrt(sum of squares) in fp32."""
    wide = tape.cast(source, WIDE)
    squares = tape.step("square", (wide,), wide.numbers, WIDE, saved=(wide,))
    inverse = tape.unary("rsqrt", tape.mean(squares, wide.numbers // size), "output")
    return tape.multiply(wide, inverse)


def _exponential(tape: Tape, source: Tensor) -> Tensor:
    return tape.unary("exponential", source, "output")


def _solved(tape: Tape, system: Tensor, right: Tensor) -> Tensor:
    """Record the solution of a triangular system: it saves the system and itself.

    Its gradients are another one, and a whole product for the system's.
    """
    made = tape.step("solve", (system, right), right.numbers, WIDE, saved=(system,), saves_output=True)
    half = right.numbers * CHUNK // 2
    tape.works(half, backward=3 * half)
    return made
