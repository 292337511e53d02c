"""The layouts by name, one function each; a file per family of them.

A layout takes the output and input features of one published matrix, the format with its settings and
the data type of 16-bit scales, and returns the stored tensors, or None where the method cannot pack
a matrix of these sizes.
"""

from collections.abc import Callable, Mapping

from sizewise.catalog.formats import Format
from sizewise.formats import affine, average, bitsandbytes, float8, integer_groups, microscaling
from sizewise.formats.stored import Layout

LAYOUTS: Mapping[str, Callable[[int, int, Format, str], Layout]] = {
    "average": average.average,
    "awq": integer_groups.awq,
    "bitsandbytes_blocks": bitsandbytes.blocks,
    "bitsandbytes_nested": bitsandbytes.nested,
    "bitsandbytes_rows": bitsandbytes.int8_rows,
    "compressed_int8": integer_groups.int8_rows,
    "compressed_packed": integer_groups.packed,
    "float8_block": float8.per_block,
    "float8_channel": float8.per_row,
    "float8_tensor": float8.per_matrix,
    "gptq": integer_groups.gptq,
    "hqq": affine.hqq,
    "microscaling": microscaling.microscaling,
    "mlx": affine.mlx,
    "nvfp4": microscaling.nvfp4,
}
"""The layout functions by the name that facts use; ``plain`` formats have none."""


def layout(format: Format) -> Callable[[int, int, Format, str], Layout]:
    """Return the layout function of a format.

    >>> from sizewise.catalog.formats import find_format
    >>> awq = find_format("awq")
    >>> [tensor.elements for tensor in layout(awq)(4096, 4096, awq, "BF16") or ()]
    [2097152, 16384, 131072]
    """
    return LAYOUTS[format.layout]
