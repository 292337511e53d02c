"""Layers that repeat: a graph of a few of them needs as much memory as one of all.

Once the memory looks the same after two repetitions, it looks the same after all further ones.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

LONGEST_PERIOD = 8
KEPT = 5
"""Repetitions that are kept: enough for the memory to settle before the last ones are compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repetition:
    """Items from ``start`` on that repeat with a period, ``times`` times in full."""

    start: int
    period: int
    times: int

    @property
    def left_out(self) -> int:
        """Count the items that need not be there."""
        return max(self.times - KEPT, 0) * self.period

    @property
    def compared(self) -> tuple[int, int]:
        """Indices of the items after which the state has to be the same, in the shortened list."""
        last = self.start + (KEPT - 1) * self.period - 1
        return last - self.period, last


def longest_repetition(items: Sequence[Hashable]) -> Repetition:
    """Return the repetition that leaves most items out.

    >>> longest_repetition("xabababababababy")
    Repetition(start=1, period=2, times=7)
    """
    best = Repetition(start=0, period=1, times=0)
    for period in range(1, min(LONGEST_PERIOD, len(items)) + 1):
        start = 0
        while start + period <= len(items):
            end = start + period
            while end < len(items) and items[end] == items[end - period]:
                end += 1
            found = Repetition(start=start, period=period, times=(end - start) // period)
            best = max(best, found, key=lambda one: one.left_out)
            start = end - period + 1
    return best
