"""Integers of b bits with a 16-bit scale per group of g inputs: AWQ, GPTQ and compressed-tensors.

Shapes: a matrix [out, in]; 32/b integers share one I32. Sources: AutoAWQ WQLinear_GEMM, AutoGPTQ
QuantLinear, compressed-tensors pack-quantized and int-quantized. A matrix whose sizes a layout does
not hold (the tools refuse or skip it) stays at 16 bit.
"""

from sizewise.catalog.formats import Format
from sizewise.formats.stored import Layout, Stored, ceil_div


def awq(rows: int, columns: int, format: Format, _base: str) -> Layout:
    """Return qweight [in, out*b/32], qzeros [in/g, out*b/32] and fp16 scales [in/g, out].

    in must be a multiple of g and out of 32/b.
    """
    group, per_word = format.group or columns, 32 // int(format.bits)
    if columns % group or rows % per_word:
        return None
    groups = columns // group
    return (
        Stored(name="qweight", dtype="I32", shape=(columns, rows // per_word)),
        Stored(name="qzeros", dtype="I32", shape=(groups, rows // per_word)),
        Stored(name="scales", dtype="F16", shape=(groups, rows)),
    )


def gptq(rows: int, columns: int, format: Format, base: str) -> Layout:
    """Return qweight [in*b/32, out], qzeros [in/g, out*b/32], scales [in/g, out] and g_idx [in].

    in and out must be multiples of 32; the last group may be short.
    """
    bits = int(format.bits)
    if columns % 32 or rows % 32:
        return None
    groups = ceil_div(columns, format.group or columns)
    return (
        Stored(name="qweight", dtype="I32", shape=(columns // 32 * bits, rows)),
        Stored(name="qzeros", dtype="I32", shape=(groups, rows // 32 * bits)),
        Stored(name="scales", dtype=base, shape=(groups, rows)),
        Stored(name="g_idx", dtype="I32", shape=(columns,)),
    )


def packed(rows: int, columns: int, format: Format, base: str) -> Layout:
    """Return weight_packed [out, ceil(in*b/32)], weight_scale [out, in/g] and weight_shape [2].

    With zero points also weight_zero_point [ceil(out*b/32), in/g]. in must be a multiple of g.
    """
    group, bits = format.group or columns, int(format.bits)
    if columns % group:
        return None
    groups = columns // group
    tensors = (
        Stored(name="weight_packed", dtype="I32", shape=(rows, ceil_div(columns, 32 // bits))),
        Stored(name="weight_scale", dtype=base, shape=(rows, groups)),
        Stored(name="weight_shape", dtype="I64", shape=(2,)),
    )
    if not format.zero_point:
        return tensors
    zeros = Stored(name="weight_zero_point", dtype="I32", shape=(ceil_div(rows, 32 // bits), groups))
    return (*tensors, zeros)


def int8_rows(rows: int, columns: int, _format: Format, base: str) -> Layout:
    """Return int8 [out, in] with one 16-bit scale per row."""
    return (
        Stored(name="weight", dtype="I8", shape=(rows, columns)),
        Stored(name="weight_scale", dtype=base, shape=(rows, 1)),
    )
