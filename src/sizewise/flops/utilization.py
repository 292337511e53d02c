"""Utilization of a device: FLOPs done a second over its peak, as measured tokens a second say.

MFU counts the FLOPs that the model needs, HFU those that the device does (Chowdhery et al. 2022,
arXiv:2204.02311, appendix B). Which FLOPs a model needs is a convention: give the FLOPs of one sequence
from `model_flops`, `hardware_flops` or a rule of `sizewise.flops.shortcuts`, and the convention is named
by that line. The peak is the dense one of the format that is computed in.
"""

from sizewise.flops.forward import UNIT
from sizewise.ledger import Line, leaf


def utilization(flops: Line, *, tokens: int, tokens_per_second: float, peak: float) -> Line:
    """Return the share of a device's peak: ``flops`` of one sequence of ``tokens`` tokens, per device.

    ``peak`` is in FLOP/s; the line's name says whose FLOPs they are.

    >>> from sizewise.flops.shortcuts import mosaicml
    >>> needed = mosaicml(64_862_437_376, 80, 8192, 2048)
    >>> round(utilization(needed, tokens=2048, tokens_per_second=1007, peak=989e12).value, 4)
    0.4127
    """
    assert flops.unit == UNIT, "utilization counts FLOPs"
    return leaf(
        f"utilization by {flops.name}",
        flops.value / tokens * tokens_per_second / peak,
        "of peak",
        formula="flops / tokens * tokens_per_second / peak",
        inputs={
            "flops": flops.value,
            "tokens": tokens,
            "tokens_per_second": tokens_per_second,
            "peak": peak,
        },
        source="PaLM appendix B, arXiv:2204.02311",
        status="measured",
    )


def tokens_per_second(flops: Line, *, tokens: int, share: float, peak: float) -> float:
    """Return the tokens per second and device at which a device reaches a share of its peak.

    The inverse of `utilization`.
    """
    assert flops.unit == UNIT, "utilization counts FLOPs"
    return share * peak * tokens / flops.value
