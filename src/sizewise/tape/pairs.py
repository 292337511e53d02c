"""Rotations whose two halves, or pairs of features, are turned apart and joined.

Shapes: heads of R turned features over sequences of S tokens; tables [S, R], [S, R/2] or [S, R/2] complex.
Source: modelling files of transformers 5.23 (DeepSeek-V2 and V3, gpt-oss).
"""

from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor


def turned_pairs(tape: Tape, source: Tensor, features: int) -> Tensor:
    """Record both parts turned and joined; in the style "halves" the tables have half of the features."""
    size = features // 2 if tape.style.rotary == "halves" else features
    numbers = tape.setting.sequence * size
    cosine, sine = (tape.constant(name, numbers) for name in ("cosine", "sine"))
    one, two = tape.split(source, (source.numbers // 2,) * 2)
    parts = [
        tape.add(tape.multiply(left, cosine), tape.multiply(right, sine))
        for left, right in ((one, two), (two, one))
    ]
    joined = tape.step("join", parts, source.numbers, source.width)
    joined.heads_first = True
    return joined


def turned_complex(tape: Tape, source: Tensor, features: int) -> Tensor:
    """Record pairs of features as complex numbers in fp32 times one table of them."""
    table = tape.constant("rotations", tape.setting.sequence * features, WIDE)
    return tape.cast(tape.multiply(tape.cast(source, WIDE), table), source.width)
