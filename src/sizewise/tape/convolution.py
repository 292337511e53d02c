"""Causal depthwise convolutions of S tokens, as torch's operation or as the kernel of causal-conv1d.

Source: causal_conv1d_fn of the modelling files of transformers 5.23; causal-conv1d's CausalConv1dFn, which
keeps its input alone and does the activation again.
"""

from sizewise.tape.tape import Tape
from sizewise.tape.tensors import Tensor


def causal_convolution(
    tape: Tape, source: Tensor, channels: int, kernel: int, *, bias: bool = False, active: bool = True
) -> Tensor:
    """Record a convolution of ``channels`` over ``kernel`` tokens, and SiLU where it is ``active``.

    torch's operation is padded on both sides: it makes S + kernel - 1 columns, of which S are looked at.
    """
    setting = tape.setting
    weights = [tape.weight(channels * kernel)] + [tape.weight(channels)] * bias
    inputs, numbers = (source, *weights), tape.tokens * channels
    saved = (source,) if setting.trained else ()
    if setting.kernels:
        return tape.step("convolution", inputs, numbers, source.width, saved=(source,))
    padded = setting.batch * (setting.sequence + kernel - 1) * channels
    whole = tape.step("convolution", inputs, padded, source.width, saved=saved)
    tape.works(padded * kernel)
    seen = tape.view(whole, numbers)
    return tape.unary("silu", seen, "input") if active else seen
