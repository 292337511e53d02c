"""Small floats with an 8-bit scale per short group of a row: MXFP4, MXFP8 and NVFP4.

Shapes: a matrix [out, in], two 4-bit floats per byte. Sources: OCP Microscaling Formats v1.0;
NVIDIA ModelOpt NVFP4 files. in must be a multiple of the group, else the matrix stays at 16 bit.
"""

from sizewise.catalog.formats import Format
from sizewise.formats.stored import Layout, Stored


def microscaling(rows: int, columns: int, format: Format, _base: str) -> Layout:
    """Return the blocks and an E8M0 scale per 32 weights: bits + 0.25 per weight."""
    group = format.group or columns
    if columns % group or columns % 2:
        return None
    four_bit = format.bits == 4
    width = columns // 2 if four_bit else columns
    return (
        Stored(name="blocks", dtype="U8" if four_bit else "F8_E4M3", shape=(rows, width)),
        Stored(name="scales", dtype="U8", shape=(rows, columns // group)),
    )


def nvfp4(rows: int, columns: int, format: Format, _base: str) -> Layout:
    """Return U8 [out, in/2], E4M3 scales [out, in/16] and fp32 scales of the matrix and of its input."""
    group = format.group or columns
    if columns % group or columns % 2:
        return None
    tensors = (
        Stored(name="weight", dtype="U8", shape=(rows, columns // 2)),
        Stored(name="weight_scale", dtype="F8_E4M3", shape=(rows, columns // group)),
        Stored(name="weight_scale_2", dtype="F32", shape=()),
    )
    return (*tensors, Stored(name="input_scale", dtype="F32", shape=())) if format.input_scale else tensors
