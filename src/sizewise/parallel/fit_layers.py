"""How llama.cpp's fitting fills devices: dense parts from the last layer back, then experts from the front.

The number of layers of a device is found by false position: between a number that fits and one that does
not, memory is taken to grow evenly. Source: llama.cpp lib 0.5.0, common/fit.cpp, steps 3 and 4.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sizewise.parallel.fit_request import DeviceLayers, FitRequest, Layout, Measure, Overflow, Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """A layout, the bytes of each device, and the first device whose layers are without experts."""

    layout: Layout
    used: tuple[int, ...]
    dense_start: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Goal:
    """A device, the bytes that it may use, and what of it is to be as many as possible."""

    device: int
    target: int
    count: Callable[[DeviceLayers], int]


Take = Callable[[_Point, int], _Point]
"""From a point and a number of layers to the measured point with so many layers more."""


def fill_layers(request: FitRequest, trial: Trial, measure: Measure) -> tuple[Layout, tuple[int, ...]]:
    """Return the layers of each device, the last filled first; routed experts are left on the host."""
    count = len(request.free)
    empty = (DeviceLayers(),) * count
    low = _Point(layout=empty, used=measure(replace(trial, layout=empty)).total)
    for device in reversed(range(count)):
        left = request.layers + 1 - sum(entry.layers for entry in low.layout[device + 1 :])
        if not left:
            continue

        def take(point: _Point, layers: int, device: int = device) -> _Point:
            layout = _with_layers(request, point.layout, device, layers)
            return _Point(layout=layout, used=measure(replace(trial, layout=layout)).total)

        goal = _Goal(device=device, target=request.targets[device], count=_layers)
        low = _search(low, take(low, left), take, goal)
    return low.layout, low.used


def _with_layers(request: FitRequest, layout: Layout, device: int, more: int) -> Layout:
    entry = layout[device]
    partial = entry.partial
    if request.experts:
        first_of_last = device == len(layout) - 1 and partial == 0
        partial += more - 1 if first_of_last else more
    return _put(layout, device, replace(entry, layers=entry.layers + more, partial=partial))


def _search(low: _Point, high: _Point, take: Take, goal: _Goal) -> _Point:
    """Return the point with most layers on the device that stays within the target, found from below."""
    device, count = goal.device, goal.count
    if high.used[device] <= goal.target:
        return high
    while (between := count(high.layout[device]) - count(low.layout[device])) > 1:
        step = _step(between, goal.target - low.used[device], high.used[device] - low.used[device])
        tested = take(low, step)
        if tested.used[device] <= goal.target:
            low = tested
        else:
            high = tested
    return low


def _step(between: int, room: int, growth: int) -> int:
    """Return how many of ``between`` layers more are tried: a share, at least one, never all.

    A negative share wraps around in the engine and becomes the largest step.
    """
    if growth <= 0 or between * room <= -growth:
        return between - 1
    return min(max(between * room // growth, 1), between - 1)


def _layers(entry: DeviceLayers) -> int:
    return entry.layers


def _full(entry: DeviceLayers) -> int:
    return entry.full


def fill_experts(request: FitRequest, trial: Trial, used: tuple[int, ...], measure: Measure) -> Layout:
    """Return the layout with layers made whole from the front, and a part of one more on each device."""
    layout = trial.layout or ()
    last = len(layout) - 1
    point = _Point(layout=layout, used=used, dense_start=_dense_start(layout))

    def measured(layout: Layout, dense_start: int) -> _Point:
        used = measure(replace(trial, layout=layout)).total
        return _Point(layout=layout, used=used, dense_start=dense_start)

    device = 0
    while device <= point.dense_start <= last and point.layout[last].layers:

        def take(origin: _Point, layers: int, device: int = device) -> _Point:
            return measured(*_converted(origin, device, layers))

        high = measured(_all_converted(point, device), last)
        goal = _Goal(device=device, target=request.targets[device], count=_full)
        point = _search(point, high, take, goal)
        point = _part_of_one_more(request, point, device, measured)
        device += 1
    return point.layout


def _dense_start(layout: Layout) -> int:
    """Return the first of the devices that have layers up to the last; past the last where that has none."""
    start = len(layout)
    while start and layout[start - 1].layers:
        start -= 1
    return start


def _all_converted(point: _Point, device: int) -> Layout:
    """Return the layout with all layers without experts moved to the device, whole; the output stays."""
    layout = point.layout
    last = len(layout) - 1
    for other in range(point.dense_start, len(layout)):
        moved = layout[other].layers - (other == last)
        layout = _put(layout, device, replace(layout[device], layers=layout[device].layers + moved))
        rest = replace(layout[other], layers=layout[other].layers - moved, partial=0)
        layout = _put(layout, other, rest)
    return layout


def _converted(point: _Point, device: int, layers: int) -> tuple[Layout, int]:
    """Return the layout with so many layers without experts moved to the device, whole."""
    layout, start = point.layout, point.dense_start
    while start < len(layout):
        moved = min(layers, layout[start].partial)
        entry = layout[start]
        entry = replace(entry, layers=entry.layers - moved, partial=entry.partial - moved)
        layout = _put(layout, start, entry)
        layout = _put(layout, device, replace(layout[device], layers=layout[device].layers + moved))
        layers -= moved
        if layout[start].partial:
            break
        start += 1
    return layout, start


def _part_of_one_more(
    request: FitRequest, point: _Point, device: int, measured: Callable[[Layout, int], _Point]
) -> _Point:
    """Return the point with a part of one more layer on the device, where one fits.

    As in the engine, the layer taken may be the output of a last device that has nothing else, whose
    ``partial`` then is one less than its layers should allow.
    """
    start, last = point.dense_start, len(point.layout) - 1
    if start > last or point.layout[start].layers <= (device == last):
        return point
    entry = point.layout[start]
    entry = replace(entry, layers=entry.layers - 1, partial=entry.partial - 1)
    moved = _put(point.layout, start, entry)
    after = start if entry.partial or start == device else start + 1

    def tried(overflow: Overflow) -> _Point | None:
        here = moved[device]
        part = replace(
            here,
            layers=here.layers + 1,
            partial=here.partial + 1,
            overflow=overflow,
            overflows_to_next=device < last,
        )
        found = measured(_put(moved, device, part), after)
        near = range(device, min(device + 2, len(moved)))
        return found if all(found.used[other] < request.targets[other] for other in near) else None

    wider = tried("up")
    if wider is None:
        return tried("attention") or point
    return tried("gate") or wider


def _put(layout: Layout, device: int, entry: DeviceLayers) -> Layout:
    return (*layout[:device], entry, *layout[device + 1 :])
