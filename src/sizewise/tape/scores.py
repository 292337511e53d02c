"""What is done to the scores of eager attention between their product and their softmax."""

from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor


def masked_scores(tape: Tape, scores: Tensor) -> Tensor:
    """Record the mask: added, or filled in, with a lowest number where the class has one.

    Shapes: B*N*S*S scores, a mask of S*S numbers, or one of B*S*S truth values that is saved.
    """
    style, pairs = tape.style, tape.setting.sequence**2
    if style.filled_mask:
        mask = tape.constant("mask", tape.setting.batch * pairs, 1)
        return tape.step("fill", (scores,), scores.numbers, scores.width, saved=(mask,))
    masked = tape.add(scores, tape.constant("mask", pairs, max(scores.width, tape.setting.stored)))
    if not style.floored_scores:
        return masked
    lowest = tape.tensor(1, WIDE, tracked=False)
    return tape.step("floor", (masked,), masked.numbers, masked.width, saved=(masked, lowest))
