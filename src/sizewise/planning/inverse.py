"""Exact inverses of a quantity that never shrinks: the largest argument that still fits."""

from collections.abc import Callable
from dataclasses import dataclass

STEPS = 256
"""A search from a guess goes on by this part of it at first."""
STEP = 256
"""Caches grow by so many cells."""
ROUNDED = 2 * STEP
"""In a range of so many numbers the end of a step of allocation is looked for."""
PATIENCE = 4
"""So often a line is followed before the search strides out."""


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


def largest_held(lacking: Callable[[int], int], limit: int, known: int) -> int:
    """Return the largest n in 0..limit for which ``lacking(n)`` is not above 0, where it never shrinks.

    Follows the straight line through what was asked before, then looks for a round number, as engines round
    what they allocate: even growth from ``known`` on takes four evaluations, steps a few more.

    >>> largest_held(lambda n: 3 * n - 300, limit=10**9, known=7)
    100
    >>> largest_held(lambda n: -(-n // 256) * 256 - 5_000, limit=10**9, known=8)
    4864
    """
    one = lacking(1)
    if one > 0:
        return 0
    search = _Search(lacking=lacking, low=1, high=limit + 1, found={1: one})
    search.ask(known)
    rounds = 0
    while (width := search.width) > 1:
        rounds += 1
        search.ask(search.on_line(rounds))
        if search.width <= ROUNDED:
            round_number = roundest(search.low, search.high - 1)
            search.ask(round_number)
            if search.low == round_number:
                search.ask(round_number + 1)
        if 2 * search.width > width and search.high <= limit:
            search.ask((search.low + search.high) // 2)
    return search.low


@dataclass(slots=True, kw_only=True)
class _Search:
    """``low`` is held and ``high`` is not; ``found`` is what is lacking at numbers that were asked."""

    lacking: Callable[[int], int]
    low: int
    high: int
    found: dict[int, int]

    @property
    def width(self) -> int:
        return self.high - self.low

    def ask(self, n: int) -> None:
        """Look at a number, unless it is known whether it is held."""
        if self.low < n < self.high:
            self.found[n] = found = self.lacking(n)
            self.low, self.high = (self.low, n) if found > 0 else (n, self.high)

    def on_line(self, rounds: int) -> int:
        """Return where the line through what was asked last ends, inside of what is not known yet."""
        guess = self._end_of_line()
        if self.high not in self.found:
            if 0 < guess - self.low < STEP < self.low:
                guess = (self.low // STEP + 1) * STEP + 1
            if rounds > PATIENCE:
                guess = max(guess, self.low + STEP**rounds)
        return min(max(guess, self.low + 1), self.high - 1)

    def _end_of_line(self) -> int:
        one, other = sorted(self._ends())
        rise = self.found[other] - self.found[one]
        return self.low if rise <= 0 else one + -self.found[one] * (other - one) // rise

    def _ends(self) -> tuple[int, int]:
        """Return two numbers that a line is drawn through: around the end, else the last ones well apart."""
        if self.high in self.found:
            return self.low, self.high
        below = [n for n in self.found if n <= self.low - ROUNDED]
        return self.low, max(below, default=1)


def roundest(low: int, high: int) -> int:
    """Return the number in a range that the highest power of two divides.

    >>> roundest(1000, 1100), roundest(5, 7)
    (1024, 6)
    """
    bits = (low - 1 ^ high).bit_length() - 1
    return high >> bits << bits
