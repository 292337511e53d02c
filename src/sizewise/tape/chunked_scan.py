"""The scan of Mamba-2 in chunks, as torch operations in fp32.

Shapes: B sequences of S tokens in C chunks of l (S is padded up to C*l), N heads of size H, s states per
head feature. Source: mamba2_chunk_scan of the modelling files of transformers 5.23; an einsum copies an
operand whose batch axes do not lie behind each other in memory.
"""

from dataclasses import dataclass

from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunks:
    """Sizes of one scan over B sequences of S tokens."""

    batch: int
    sequence: int
    heads: int
    size: int
    state: int
    chunk: int

    @property
    def chunks(self) -> int:
        """Chunks of a sequence, the last one padded."""
        return -(-self.sequence // self.chunk)

    @property
    def rows(self) -> int:
        """Padded tokens of the batch times heads."""
        return self.batch * self.chunks * self.chunk * self.heads

    @property
    def neighbours(self) -> bool:
        """The batch axes (sequence, chunk, head) of a tensor [B, C, l, N, …] can be seen as one."""
        return self.batch * self.chunks == 1 or self.heads == 1 or self.chunk == 1

    @property
    def neighbouring_inputs(self) -> bool:
        """The same for inputs, which lie in memory as the convolution left them: [B, N, H, C, l]."""
        return self.chunks == 1 or self.heads * self.batch == 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkInputs:
    """What is scanned [B, S, N, H], with keys and queries (B and C of the paper).

    ``step`` is [B, S, N] in the model's width, ``decay`` [N] in fp32.
    """

    inputs: Tensor
    step: Tensor
    keys: Tensor
    queries: Tensor
    decay: Tensor


def chunked_scan(tape: Tape, given: ChunkInputs, sizes: Chunks) -> Tensor:
    """Record the scan; what leaves it has padded rows. Names of the class hold what it makes till the end."""
    inputs, step, decay = given.inputs, given.step, given.decay
    keys, queries = given.keys, given.queries
    rows, state, size = sizes.rows, sizes.state, sizes.size
    real = sizes.batch * sizes.sequence * sizes.heads
    wide = tape.cast(inputs, WIDE)
    keys, queries = (tape.copy(tape.cast(entry, WIDE), real * state) for entry in (keys, queries))
    skip = tape.multiply(tape.weight(sizes.heads), tape.copy(wide, rows * size))
    scaled = tape.multiply(wide, tape.cast(step, WIDE))
    rates = tape.multiply(decay, tape.cast(step, WIDE))
    scaled, rates = tape.copy(scaled, rows * size), tape.copy(rates, rows)
    keys, queries = tape.copy(keys, rows * state), tape.copy(queries, rows * state)
    total = tape.copy(rates)
    decays = _decays(tape, rates, rows * sizes.chunk, sizes.chunk)
    scores = wide_product(
        tape, _ordered(tape, queries, sizes), _ordered(tape, keys, sizes), decays.numbers, inner=state
    )
    masked = tape.multiply(scores, decays)
    within = wide_product(tape, masked, _ordered_inputs(tape, scaled, sizes), rows * size, inner=sizes.chunk)
    remaining = tape.unary("exponential", tape.copy(total), "output")
    weighed = tape.multiply(keys, remaining)
    states = wide_product(
        tape,
        _ordered(tape, weighed, sizes),
        _ordered_inputs(tape, scaled, sizes),
        sizes.batch * sizes.chunks * sizes.heads * size * state,
        inner=sizes.chunk,
    )
    named = (skip, scaled, rates, keys, queries, total, decays, scores, masked, within, remaining, weighed)
    across, further = _across(tape, states, queries, total, sizes)
    output = tape.add(tape.copy(tape.add(within, across)), skip)
    tape.steps[-1].beside = (*named, *further)
    return output


def _across(
    tape: Tape, states: Tensor, queries: Tensor, total: Tensor, sizes: Chunks
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Record what a chunk gets from the states of those before it; return it, and what has a name."""
    heads, chunks = sizes.batch * sizes.heads, sizes.chunks
    one = sizes.size * sizes.state
    ends = tape.copy(total, heads * (chunks + 1))
    decays = _decays(tape, ends, heads * (chunks + 1) ** 2, chunks + 1)
    joined = tape.step("join", (states,), heads * (chunks + 1) * one, WIDE)
    if sizes.batch > 1 and sizes.heads > 1:
        joined = tape.copy(joined)
    starts = tape.view(
        wide_product(tape, decays, joined, joined.numbers, inner=chunks + 1), heads * chunks * one
    )
    if chunks > 1 and (sizes.heads > 1 or sizes.batch > 1):
        starts = tape.copy(starts)
    read = wide_product(
        tape, _ordered(tape, queries, sizes), starts, sizes.rows * sizes.size, inner=sizes.state
    )
    output = tape.multiply(read, tape.unary("exponential", total, "output"))
    return output, (joined, decays, starts, read, output)


def _decays(tape: Tape, rates: Tensor, numbers: int, length: int) -> Tensor:
    """Record sums of the rates between any two of ``length`` positions: two masks of bytes stay."""
    for name in ("lower", "causal"):
        rates = tape.step(name, (rates,), numbers, WIDE, extra=length * length)
    return tape.unary("exponential", rates, "output")


def _ordered(tape: Tape, source: Tensor, sizes: Chunks) -> Tensor:
    return tape.view(source) if sizes.neighbours else tape.copy(source)


def _ordered_inputs(tape: Tape, source: Tensor, sizes: Chunks) -> Tensor:
    return tape.view(source) if sizes.neighbouring_inputs else tape.copy(source)


def wide_product(tape: Tape, left: Tensor, right: Tensor, numbers: int, *, inner: int) -> Tensor:
    """Record a batched product of two activations in fp32 over ``inner`` terms: it saves both."""
    made = tape.step("matmul", (left, right), numbers, WIDE, saved=(left, right))
    tape.works(numbers * inner)
    return made
