"""What is done to the scores of eager attention between their product and their softmax."""

from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor


def masked_scores(tape: Tape, scores: Tensor, *, windowed: bool = False) -> Tensor:
    """Record the mask: added, or filled in, with a lowest number where the class has one.

    Layers with windows (``windowed``) have a mask of their own.

    Shapes: B*N*S*S scores, a mask of B*S*S numbers, or of truth values that are saved.
    """
    name = "window mask" if windowed else "mask"
    style, pairs = tape.style, tape.setting.tokens * tape.setting.sequence
    if style.filled_mask:
        mask = tape.constant(name, pairs, 1)
        return tape.step("fill", (scores,), scores.numbers, scores.width, saved=(mask,))
    masked = tape.add(scores, tape.constant(name, pairs, max(scores.width, tape.setting.stored)))
    if not style.floored_scores:
        return masked
    lowest = tape.tensor(1, WIDE, tracked=False)
    return tape.step("floor", (masked,), masked.numbers, masked.width, saved=(masked, lowest))
