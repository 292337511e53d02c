"""Count what tensors hold together when several of them look at one storage.

Views without gaps are intervals, and their union counts. Views with gaps (columns of a fused matrix)
count what they touch, once if they are the same, and never beyond the storage. Both kinds over one
storage may overlap in ways that are not followed; the sum is then an upper bound and reported as such.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sizewise.listing import Shape
from sizewise.sources.torch_files.values import View, span


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """New elements and bytes of each view, in the order given, and how many storages are uncertain."""

    elements: tuple[int, ...]
    bytes: tuple[int, ...]
    uncertain: int


def count_views(views: Sequence[View]) -> Counted:
    """Return what each view adds to those before it; views of no storage (meta) count their elements.

    >>> from sizewise.sources.torch_files.values import ElementType, Storage
    >>> f32 = ElementType("F32", 32)
    >>> tied = View(f32, (5, 2), (2, 1), 0, Storage("0", f32, 40))
    >>> count_views([tied, tied]).elements
    (10, 0)
    """
    shared: dict[str, list[int]] = {}
    elements = [view.elements if view.storage is None else 0 for view in views]
    for place, view in enumerate(views):
        if view.storage is not None:
            shared.setdefault(view.storage.key, []).append(place)
    uncertain = 0
    for places in shared.values():
        found, doubtful = _new_elements([views[place] for place in places])
        uncertain += doubtful
        for place, count in zip(places, found, strict=True):
            elements[place] = count
    sizes = [
        -(-count * view.element.bits // 8) if view.storage is not None else 0
        for count, view in zip(elements, views, strict=True)
    ]
    return Counted(elements=tuple(elements), bytes=tuple(sizes), uncertain=uncertain)


def _new_elements(views: Sequence[View]) -> tuple[list[int], bool]:
    """Return the new elements of each view of one storage, and whether their overlap is uncertain."""
    if len(views) == 1:
        return [distinct(views[0])], False
    dense = [place for place, view in enumerate(views) if view.elements and distinct(view) == span(view)]
    found = _union(views, dense)
    seen: set[tuple[object, ...]] = set()
    used = sum(count * view.element.bits for count, view in zip(found, views, strict=True))
    overlapping = bool(dense)
    room = 8 * views[0].storage.bytes - used if views[0].storage else 0
    gaps = 0
    for place, view in enumerate(views):
        if not view.elements or distinct(view) == span(view) or _layout(view) in seen:
            continue
        seen.add(_layout(view))
        gaps += 1
        found[place] = min(distinct(view), max(0, room // view.element.bits))
        room -= found[place] * view.element.bits
    return found, bool(gaps) and (overlapping or gaps > 1) and room > 0


def _union(views: Sequence[View], places: Iterable[int]) -> list[int]:
    """Return what each interval adds to the union of those that begin before it, in elements."""
    found = [0] * len(views)
    covered = 0
    for place in sorted(places, key=lambda place: _interval(views[place])):
        begin, end = views[place].offset, views[place].offset + span(views[place])
        bits = views[place].element.bits
        new = max(0, end * bits - max(begin * bits, covered))
        covered = max(covered, end * bits)
        found[place] = -(-new // bits)
    return found


def _interval(view: View) -> tuple[int, int]:
    begin = view.offset * view.element.bits
    return begin, -span(view) * view.element.bits


def distinct(view: View) -> int:
    """Count the elements of the storage that a view touches; an expanded dimension repeats one.

    >>> from sizewise.sources.torch_files.values import ElementType, Storage
    >>> f32 = ElementType("F32", 32)
    >>> distinct(View(f32, (1000, 4), (0, 1), 0, Storage("0", f32, 16)))
    4
    """
    return _distinct(view.shape, view.strides)


@lru_cache(maxsize=4_096)
def _distinct(shape: Shape, strides: Shape) -> int:
    count, last = 1, 0
    for size, stride in zip(shape, strides, strict=True):
        count *= size if stride else min(size, 1)
        last += (size - 1) * stride
    return min(count, 1 + last) if count else 0


def _layout(view: View) -> tuple[object, ...]:
    """Return what two views that touch the same elements have in common, whatever their order of axes."""
    axes = sorted(
        (stride, size) for size, stride in zip(view.shape, view.strides, strict=True) if stride and size > 1
    )
    return (view.element, view.offset, *axes)


def expanded(views: Iterable[View]) -> int:
    """Count the views whose shape says more elements than they touch."""
    return sum(1 for view in views if view.storage is not None and view.elements > max(1, distinct(view)))
