"""EXL2: widths mixed by calibration, of which only the average is known beforehand (assumed).

Source: exllamav2 doc/convert.md.
"""

from sizewise.catalog.formats import Format
from sizewise.formats.stored import Layout, Stored, ceil_div


def average(rows: int, columns: int, format: Format, _base: str) -> Layout:
    """Return the bytes of out*in weights at the average width."""
    bits = format.bits
    width = ceil_div(rows * columns * bits.numerator, 8 * bits.denominator)
    return (Stored(name="weight", dtype="U8", shape=(width,)),)
