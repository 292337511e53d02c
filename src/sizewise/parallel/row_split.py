"""llama.cpp's split of matrices by rows: each device has a run of rows, rounded down to whole tiles.

In version 0.5.0 only the SYCL backend has such buffers; on others ``-sm row`` is refused. Vectors, norms
and the cache lie where the layer split puts them. Source: ggml 0.25.3, ggml-sycl.cpp (get_row_split).
"""

from collections.abc import Sequence
from itertools import accumulate


def device_rows(rows: int, proportions: Sequence[float], tile: int = 1) -> tuple[int, ...]:
    """Count the rows of a matrix on each device; ``tile`` rows (1 for 16 and 32 bit) stay together.

    >>> device_rows(4096, [3, 1], tile=64)
    (3072, 1024)
    """
    whole = sum(proportions)
    starts = [0, *(int(rows * part / whole) for part in accumulate(proportions[:-1]))]
    starts = [start - start % tile for start in starts]
    return tuple(end - start for start, end in zip(starts, [*starts[1:], rows], strict=True))
