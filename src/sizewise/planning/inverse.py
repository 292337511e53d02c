"""Exact inverses of a quantity that never shrinks: the largest argument that still fits."""

from collections.abc import Callable


def largest(fits: Callable[[int], bool], limit: int) -> int:
    """Return the largest n in 0..limit for which ``fits(n)``, where fitting n means fitting all below.

    0 means that not even 1 fits. Costs about 2*log2(n) evaluations.

    >>> largest(lambda n: n * n <= 1000, limit=10**9)
    31
    """
    if not fits(1):
        return 0
    low, high = 1, 2
    while high <= limit and fits(high):
        low, high = high, high * 2
    high = min(high, limit + 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
