"""llama.cpp's automatic fitting: a shorter context first, then experts on the host, then fewer layers.

A search over a measurement that its caller brings: how many bytes each device needs for a trial. What
the user has set is not the search's business. Source: llama.cpp lib 0.5.0, common/fit.cpp.
"""

from dataclasses import replace

from sizewise.catalog.sharing import fit_defaults
from sizewise.parallel.fit_layers import fill_experts, fill_layers
from sizewise.parallel.fit_request import Fit, FitRequest, Measure, Needed, Trial


def fit(request: FitRequest, measure: Measure) -> Fit:
    """Return the context and the layers of each device that the engine settles on."""
    start = Trial(context=request.context or request.trained_context * request.streams)
    needed = measure(start)
    if all(used <= target for used, target in zip(needed.total, request.targets, strict=True)):
        return Fit(trial=start)
    trial = start
    if sum(needed.total) > sum(request.targets) and not request.context:
        trial, enough = _shorter(request, start, needed, measure)
        if enough and len(request.free) == 1:
            return Fit(trial=trial)
    if not request.devices:
        return Fit(trial=trial, fits=False)
    layout, used = fill_layers(request, trial, measure)
    if request.experts and _room_for_experts(request, trial, measure):
        layout = fill_experts(request, replace(trial, layout=layout), used, measure)
    return Fit(trial=replace(trial, layout=layout))


def _shorter(request: FitRequest, start: Trial, needed: Needed, measure: Measure) -> tuple[Trial, bool]:
    """Return the longest context that fits by linear interpolation, and whether one does."""
    least = request.minimum_context * request.streams
    if start.context <= least:
        return start, False
    target = sum(request.targets)
    if len(request.free) > 1:
        each = sum(needed.weights) // request.layers
        target -= (len(request.free) + 1) * each // (6 if request.experts else 2)
    shortest = replace(start, context=least)
    smallest, largest = sum(measure(shortest).total), sum(needed.total)
    if target <= smallest:
        return shortest, False
    context = least + (start.context - least) * (target - smallest) // (largest - smallest)
    multiple = fit_defaults().context_multiple * request.streams
    return replace(start, context=max(context - context % multiple, least)), True


def _room_for_experts(request: FitRequest, trial: Trial, measure: Measure) -> bool:
    """Tell whether anything is left over with all experts on the host."""
    needed = measure(replace(trial, host_experts=True))
    return sum(request.targets) > sum(needed.total)
