"""Exact inverses of a quantity that never shrinks: the largest argument that still fits."""

from collections.abc import Callable

STEPS = 256
"""A search from a guess goes on by this part of it at first."""


def largest(fits: Callable[[int], bool], limit: int, guess: int = 1) -> int:
    """Return the largest n in 0..limit for which ``fits(n)``, where fitting n means fitting all below.

    0 means that not even 1 fits. Costs about 2*log2(n) evaluations, and less the nearer ``guess`` is.

    >>> largest(lambda n: n * n <= 1000, limit=10**9)
    31
    >>> largest(lambda n: n * n <= 1000, limit=10**9, guess=40)
    31
    """
    if not fits(1):
        return 0
    low, high = _between(fits, limit, max(1, min(guess, limit)))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _between(fits: Callable[[int], bool], limit: int, guess: int) -> tuple[int, int]:
    """Return a number that fits and a larger one that does not; 1 fits, and none above the limit."""
    step = max(1, guess // STEPS)
    low = high = guess
    if guess == 1 or fits(guess):
        high += step
        while high <= limit and fits(high):
            step *= 2
            low, high = high, high + step
        return low, min(high, limit + 1)
    low -= step
    while low > 1 and not fits(low):
        step *= 2
        low, high = low - step, low
    return max(low, 1), high


def straight_guess(lacking: Callable[[int], int], known: int) -> int:
    """Return where a straight line through 1 and ``known`` lacks nothing any more.

    >>> straight_guess(lambda n: 3 * n - 300, known=7)
    100
    """
    one, far = lacking(1), lacking(known)
    if one >= 0 or far <= one:
        return 1
    return 1 + -one * (known - 1) // (far - one)
