"""8-bit floats (E4M3) with a scale per matrix, per row or per block of rows and columns.

Shapes: a matrix [out, in]; any sizes can be packed, partial blocks have a scale of their own.
Sources: DeepSeek-V3 report, arXiv:2412.19437 (blocks); compressed-tensors float-quantized (rows);
ModelOpt FP8 (matrix).
"""

from sizewise.catalog.formats import Format
from sizewise.formats.stored import Layout, Stored, ceil_div


def per_matrix(rows: int, columns: int, format: Format, _base: str) -> Layout:
    """Return E4M3 [out, in] with one fp32 scale, and one for the input where that is static."""
    tensors = (_weight(rows, columns), Stored(name="weight_scale", dtype="F32", shape=()))
    return (*tensors, Stored(name="input_scale", dtype="F32", shape=())) if format.input_scale else tensors


def per_row(rows: int, columns: int, _format: Format, base: str) -> Layout:
    """Return E4M3 [out, in] with one 16-bit scale per row."""
    return _weight(rows, columns), Stored(name="weight_scale", dtype=base, shape=(rows, 1))


def per_block(rows: int, columns: int, format: Format, _base: str) -> Layout:
    """Return E4M3 [out, in] with an fp32 scale per block: [ceil(out/128), ceil(in/128)]."""
    assert format.block is not None
    high, wide = format.block
    scales = (ceil_div(rows, high), ceil_div(columns, wide))
    return _weight(rows, columns), Stored(name="weight_scale_inv", dtype="F32", shape=scales)


def _weight(rows: int, columns: int) -> Stored:
    return Stored(name="weight", dtype="F8_E4M3", shape=(rows, columns))
