"""The scan of Mamba-1 token by token, as torch operations.

Shapes: B sequences of S tokens, I channels with s states each; discretised rates and inputs are [B, I, S, s]
in fp32. Source: mamba_selective_scan of the modelling files of transformers 5.23.
"""

from dataclasses import dataclass

from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor

STATES = 3
"""States that are alive at once where none is kept: the last one, it decayed, and the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanInputs:
    """What is scanned [B, I, S], its gate and step of the same shape; B and C of the paper, keys and queries.

    Keys and queries are [B, S, s], ``rate`` is A of the paper [I, s] in fp32.
    """

    inner: Tensor
    gate: Tensor
    step: Tensor
    keys: Tensor
    queries: Tensor
    rate: Tensor


def selective_scan(tape: Tape, given: ScanInputs) -> Tensor:
    """Record scan, skip and gate; every token's state is kept, and once more in the model's width.

    The gradient of a token's decays and inputs is made in the size of all tokens, then added to the others.
    """
    inner, step, rate = given.inner, given.step, given.rate
    keys, queries, gate = given.keys, given.queries, given.gate
    setting = tape.setting
    channels = inner.numbers // tape.tokens
    one = setting.batch * channels * (keys.numbers // tape.tokens)
    every, width = one * setting.sequence, inner.width
    decays = tape.step("discretise", (rate, step), every, WIDE, saved=(rate, step))
    decays = tape.unary("exponential", decays, "output")
    wide = tape.cast(keys, WIDE)
    discretised = tape.step("discretise", (step, wide), every, WIDE, saved=(step, wide))
    fed = tape.cast(inner, WIDE)
    inputs = tape.step("multiply", (discretised, fed), every, WIDE, saved=(discretised, fed))
    read = tape.step(
        "states",
        (decays, inputs, queries),
        tape.tokens * channels,
        width,
        saved=(decays, queries),
        extra=_states(setting.sequence, one, width) if setting.training else STATES * one * WIDE,
        scratch=every * WIDE,
    )
    tape.works(every)
    joined = tape.copy(read)
    skip = tape.cast(tape.weight(channels), WIDE)
    output = tape.add(joined, tape.multiply(inner, skip))
    output = tape.multiply(output, tape.unary("silu", gate, "input"))
    tape.steps[-1].beside = (step, decays, discretised, inputs, read)
    return output


def _states(sequence: int, one: int, width: int) -> int:
    """Count the bytes of the first state, in the model's width, and of those of the tokens as they are read.

    In another width than fp32 all but the last are kept in fp32 besides, for the next one.
    """
    fed = (sequence - 1) * one * WIDE if width != WIDE else 0
    return (sequence + 1) * one * width + fed
