"""Counts that have to come out even, and the message when they do not."""

from collections.abc import Callable, Iterable

from sizewise.errors import UsageError

MOST = 1024
"""Largest number of devices that is tried for a layout that can be had."""


def divided(count: int, ranks: int, what: str) -> int:
    """Return a ``ranks``-th of a count.

    Raises UsageError (bad_option) where it does not come out even.

    >>> divided(64, 8, "query heads")
    8
    """
    if ranks < 1:
        raise UsageError("bad_option", f"a model cannot be shared over {ranks:,} devices; give 1 or more")
    if count % ranks:
        raise UsageError("bad_option", f"{count:,} {what} cannot be divided by {ranks:,}")
    return count // ranks


def divided_or_one(count: int, ranks: int, what: str) -> int:
    """Return a ``ranks``-th of a count, or one where several ranks hold the same one.

    >>> divided_or_one(8, 4, "KV heads"), divided_or_one(8, 16, "KV heads")
    (2, 1)
    """
    if ranks <= count:
        return divided(count, ranks, what)
    if ranks % count:
        raise UsageError("bad_option", f"{count:,} {what} cannot be repeated evenly over {ranks:,}")
    return 1


def padded(count: int, multiple: int) -> int:
    """Return the count rounded up to a multiple.

    >>> padded(50257, 64)
    50304
    """
    return -(-count // multiple) * multiple


def nearest_possible(ranks: int, possible: Callable[[int], bool]) -> str:
    """Return the nearest numbers below and above that are possible, as words for a message.

    >>> nearest_possible(3, lambda ranks: 64 % ranks == 0)
    'possible are 2 and 4'
    """
    below, above = _first(range(ranks - 1, 0, -1), possible), _first(range(ranks + 1, MOST + 1), possible)
    found = [f"{number:,}" for number in (below, above) if number is not None]
    return (
        f"possible {'are' if len(found) > 1 else 'is'} {' and '.join(found)}" if found else "none is possible"
    )


def _first(numbers: Iterable[int], possible: Callable[[int], bool]) -> int | None:
    return next((number for number in numbers if possible(number)), None)
