"""Norms as the classes write them. Shapes: a row of D features per token (or head)."""

from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor


def rms_norm(tape: Tape, source: Tensor, width: int) -> Tensor:
    """Record x / rms(x) * weight; written out in torch operations unless norms are fused."""
    rows = source.numbers // width
    weight = tape.weight(width)
    style = tape.style.norm
    if style == "native" or tape.setting.fused_norms:
        return fused_norm(tape, source, (weight,), numbers_per_row=1, rows=rows)
    wide = tape.cast(source, WIDE)
    normed = _scaled(tape, wide, rows)
    if style == "llama":
        scaled = tape.multiply(weight, tape.cast(normed, source.width))
        tape.steps[-1].beside = (normed, source)
        return scaled
    scale = weight if style == "promoted" else tape.cast(weight, WIDE)
    if style == "gemma":
        scale = tape.scale(scale)
    return tape.cast(tape.multiply(normed, scale), source.width)


def _scaled(tape: Tape, wide: Tensor, rows: int) -> Tensor:
    mean = tape.mean(tape.unary("power", wide, "input"), rows)
    return tape.multiply(wide, tape.unary("rsqrt", tape.scale(mean), "output"))


def layer_norm(
    tape: Tape, source: Tensor, width: int, *, weighted: bool = True, scales: int | None = None
) -> Tensor:
    """Record LayerNorm; torch's kernel saves its input, and a mean and an inverse deviation per row.

    ``scales`` numbers of weight, where heads have scales of their own.
    """
    style = tape.style.layer_norm
    rows = source.numbers // width
    if style == "plain_rms":
        return tape.cast(_scaled(tape, tape.cast(source, WIDE), rows), source.width)
    if style == "written" and not tape.setting.fused_norms:
        return _written(tape, source, rows, scales or width)
    scale = tape.scale(tape.weight(width)) if style == "shifted" else tape.weight(width)
    weights = (scale, tape.weight(width)) if weighted else ()
    entry = tape.cast(source, WIDE) if style == "wide" else source
    normed = fused_norm(tape, entry, weights, numbers_per_row=2, rows=rows)
    return tape.cast(normed, source.width) if style == "wide" else normed


def _written(tape: Tape, source: Tensor, rows: int, scales: int) -> Tensor:
    """Record (x - mean) / deviation * weight in fp32; the difference is made twice."""
    wide = tape.cast(source, WIDE)
    mean = tape.mean(wide, rows)
    spread = tape.mean(tape.unary("power", tape.add(wide, mean), "input"), rows)
    normed = tape.multiply(tape.add(wide, mean), tape.unary("rsqrt", tape.scale(spread), "output"))
    weight = tape.cast(tape.weight(scales), WIDE)
    return tape.cast(tape.multiply(weight, normed), source.width)


def fused_norm(
    tape: Tape, source: Tensor, weights: tuple[Tensor, ...], *, numbers_per_row: int, rows: int
) -> Tensor:
    """Record one kernel that saves its input, its scale and some numbers per row."""
    width = WIDE if tape.setting.autocast else source.width
    source = tape.cast(source, width)
    return tape.step(
        "norm",
        (source, *weights),
        source.numbers,
        width,
        saved=(source, *weights[:1]),
        extra=numbers_per_row * rows * (source.width if tape.setting.device == "cpu" else WIDE),
    )


def gated_rms_norm(tape: Tape, source: Tensor, gate: Tensor, group: int, width: int) -> Tensor:
    """Record weight * rms(x * silu(gate)) over groups of features, in fp32 and cast back to x's width."""
    wide = tape.multiply(tape.cast(source, WIDE), tape.unary("silu", tape.cast(gate, WIDE), "input"))
    mean = tape.mean(tape.unary("power", wide, "input"), wide.numbers // group)
    normed = tape.multiply(wide, tape.unary("rsqrt", tape.scale(mean), "output"))
    return tape.multiply(tape.weight(width), tape.cast(normed, source.width))


def weightless_rms_norm(tape: Tape, source: Tensor, width: int) -> Tensor:
    """Record x / rms(x) in fp32, cast back to x's width."""
    wide = tape.cast(source, WIDE)
    mean = tape.mean(tape.unary("power", wide, "input"), source.numbers // width)
    return tape.cast(tape.multiply(wide, tape.unary("rsqrt", tape.scale(mean), "output")), source.width)


def norm_then_gate(tape: Tape, source: Tensor, gate: Tensor, width: int) -> Tensor:
    """Record weight * rms(x) in x's width, times silu(gate) in fp32, cast back."""
    wide = tape.cast(source, WIDE)
    mean = tape.mean(tape.unary("power", wide, "input"), wide.numbers // width)
    normed = tape.multiply(wide, tape.unary("rsqrt", tape.scale(mean), "output"))
    scaled = tape.multiply(tape.weight(width), tape.cast(normed, source.width))
    opened = tape.unary("silu", tape.cast(gate, WIDE), "input")
    return tape.cast(tape.multiply(scaled, opened), source.width)
