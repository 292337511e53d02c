"""Cross-entropy of all tokens: logits in fp32, their log-softmax kept.

Shapes: T tokens, V vocabulary, D hidden. Source: transformers 5.23, loss_utils.py (ForCausalLMLoss); fused:
liger-kernel 0.8.5, fused_linear_cross_entropy.py.
"""

from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor

LABEL = 8
"""Bytes of a label."""
CHUNKS = 8
"""Parts of the tokens of a chunked loss."""
FUSED_SHARE = 1
"""How many times as large as its tokens a fused part's logits may be."""


def finished_logits(tape: Tape, logits: Tensor) -> Tensor:
    """Record what the class does to logits: a factor, a tanh between two factors."""
    if tape.style.scaled_logits:
        logits = tape.scale(logits)
    if tape.style.logit_cap:
        logits = tape.scale(tape.unary("tanh", tape.scale(logits), "output"))
    return logits


def cross_entropy(tape: Tape, logits: Tensor) -> Tensor:
    """Record the mean loss: it saves T*V log-probabilities, the shifted labels and their count.

    Where ranks share the vocabulary, the backward pass has one more tensor of that size (torch 2.13,
    tensor/parallel/loss.py).
    """
    wide = tape.cast(logits, WIDE)
    setting = tape.setting
    labels = tape.tensor(setting.tokens + (setting.batch == 1), LABEL, tracked=False)
    chances = tape.softmax(wide, WIDE)
    tape.steps[-1].scratch = chances.bytes if setting.ranks > 1 else 0
    return tape.step("loss", (chances, labels), 1, WIDE, saved=(chances, labels), extra=WIDE)


def masked_cross_entropy(tape: Tape, logits: Tensor) -> Tensor:
    """Record the mean loss of labels that are not shifted, in fp32 or as the style says."""
    width = logits.width if tape.style.narrow_loss and not tape.setting.autocast else WIDE
    labels = tape.tensor(tape.setting.tokens, LABEL, tracked=False)
    chances = tape.softmax(tape.cast(logits, width), width)
    return tape.step("loss", (chances, labels), 1, width, saved=(chances, labels), extra=width)


def cross_entropy_in_parts(tape: Tape, stream: Tensor, vocabulary: int, hidden: int) -> Tensor:
    """Record head and loss together, of a part of the tokens at a time, by the kernel of the setting.

    chunked: an eighth of the tokens, whose logits are made again for the backward pass. fused: gradients of
    the tokens and of the head are made with the loss and kept; a part's logits are about as large as all
    tokens.
    """
    narrow, tokens = tape.setting.width, tape.tokens
    read = tape.cast(stream, narrow)
    weight = tape.weight(vocabulary * hidden)
    if tape.setting.loss == "chunked":
        part = -(-tokens // CHUNKS) * vocabulary
        scratch = part * (narrow + 2 * WIDE)
        return tape.step(
            "loss",
            (read, weight),
            1,
            WIDE,
            saved=(read,),
            forward_scratch=scratch,
            scratch=scratch + part * WIDE,
        )
    part = min(tokens, _next_power_of_two(-(-tokens // -(-vocabulary // (FUSED_SHARE * hidden)))))
    kept = tokens * hidden * narrow + weight.numbers * narrow * weight.tracked
    return tape.step(
        "loss", (read, weight), 1, WIDE, saved=(), extra=kept, forward_scratch=part * vocabulary * narrow
    )


def _next_power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()
