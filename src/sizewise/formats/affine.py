"""Affine groups: b-bit codes with a scale and an offset per group of g weights: HQQ and MLX.

Sources: hqq 0.2.8 (the flattened matrix is cut into groups); mlx.nn.quantize (groups along a row).
Where g does not divide, the matrix stays at 16 bit.
"""

from sizewise.catalog.formats import Format
from sizewise.formats.stored import Layout, Stored, ceil_div

_PER_WORD_OF_3_BITS = 10


def hqq(rows: int, columns: int, format: Format, base: str) -> Layout:
    """Return the packed codes, and scale and zero of 16 bit per group; 3-bit codes are ten per I32."""
    weights, bits = rows * columns, int(format.bits)
    group = format.group or columns
    if weights % group:
        return None
    groups = weights // group
    if bits == 3:
        codes = Stored(name="W_q", dtype="I32", shape=(ceil_div(groups, _PER_WORD_OF_3_BITS), group))
    else:
        codes = Stored(name="W_q", dtype="U8", shape=(ceil_div(groups * bits, 8), group))
    scale, zero = (Stored(name=name, dtype=base, shape=(groups, 1)) for name in ("scale", "zero"))
    return codes, scale, zero


def mlx(rows: int, columns: int, format: Format, base: str) -> Layout:
    """Return U32 words [out, in*b/32], and scales and biases of 16 bit [out, in/g]."""
    group, bits = format.group or columns, int(format.bits)
    if columns % group:
        return None
    groups = columns // group
    return (
        Stored(name="weight", dtype="I32", shape=(rows, ceil_div(columns * bits, 32))),
        Stored(name="scales", dtype=base, shape=(rows, groups)),
        Stored(name="biases", dtype=base, shape=(rows, groups)),
    )
