"""What to change when a model does not fit: single changes, then pairs, cheapest in quality first."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction

from sizewise.architecture import Model
from sizewise.catalog.devices import CUSTOM
from sizewise.catalog.formats import Format, file_type_formats, formats
from sizewise.planning.answer import Change
from sizewise.planning.engine_changes import Step, cache_steps, host_steps, option_steps
from sizewise.planning.inverse import largest
from sizewise.planning.placing import LAYER_ENGINES
from sizewise.planning.storage import asked_storage
from sizewise.scenario import Placement, Scenario

Needed = Callable[[Model, Scenario], int]

DEVICE_COUNTS = (2, 4, 8, 16, 32, 64)
FORMATS_PER_BITS = 2
FORMATS_SHOWN = 6
LEAST_CONTEXT = 512
"""A shorter context is of no use to anybody."""
LEAST_SAVING = 0.01
"""A change that saves less of what is needed is not worth naming."""
PAIRS_SHOWN = 3
FILE_TYPES_SHOWN = ("q8_0", "q6_k", "q5_k_m", "q4_k_m", "iq4_xs", "q3_k_m", "q2_k")
"""Usual file types of llama.cpp, most bits first."""


def suggest(
    model: Model, scenario: Scenario, usable: int, needed: Callable[[Model, Scenario], int], context: int
) -> tuple[Change, ...]:
    """Return the changes, each with the bytes it saves on the fullest device.

    Costs nothing in quality first (devices, sequences, context), then the cache's format, then the
    weights' in order of quality. When no single change suffices, pairs with a shorter context follow.
    """
    before = needed(model, scenario)

    def change(step: Step) -> Change:
        after = needed(model, step.scenario)
        return Change(
            what=step.what,
            option=step.option,
            saves=before - after,
            needed=after,
            fits=after <= usable,
            cost=step.cost,
        )

    singles = [change(step) for step in _free(scenario, model, usable, needed, context)]
    singles += [change(step) for step in (*option_steps(scenario), *cache_steps(scenario))]
    singles += [
        change(step)
        for step in host_steps(scenario, model.architecture, lambda one: needed(model, one) <= usable)
    ]
    singles += _first_that_fit([change(step) for step in _weight_steps(model, scenario)])
    useful = [single for single in singles if single.saves > LEAST_SAVING * before]
    if not any(single.fits for single in useful):
        useful += [change(step) for step in _pairs(model, scenario, usable, needed)]
    return tuple(useful)


def _free(scenario: Scenario, model: Model, usable: int, needed: Needed, context: int) -> Iterator[Step]:
    """Yield changes that cost no quality: more devices, fewer sequences, a shorter context."""
    if len(scenario.placements) == 1 and scenario.placements[0].device.id != CUSTOM:
        for count in DEVICE_COUNTS:
            placement = Placement(device=scenario.placements[0].device, count=count)
            wider = replace(scenario, placements=(placement,))
            if count > scenario.devices and needed(model, wider) <= usable:
                name = placement.device.id
                yield Step(
                    what=f"{count} × {name}", option=f"--on {name}:{count}", scenario=wider, cost="money"
                )
                break
    if scenario.sequences > 1:
        fewer = largest(lambda n: needed(model, replace(scenario, sequences=n)) <= usable, scenario.sequences)
        one = max(fewer, 1)
        yield Step(
            what=f"{one:,} sequence{'s' if one > 1 else ''} at once",
            option=f"--sequences {one}",
            scenario=replace(scenario, sequences=one),
            cost="throughput",
        )
    if context >= min(LEAST_CONTEXT, scenario.context):
        yield _context_step(scenario, context)


def _context_step(scenario: Scenario, context: int) -> Step:
    return Step(
        what=f"context of {context:,} tokens",
        option=f"--context {context}",
        scenario=replace(scenario, context=context),
        cost="shorter context",
    )


def _weight_steps(model: Model, scenario: Scenario) -> Iterator[Step]:
    """Yield smaller weight formats: more bits first, the better of equal bits first."""
    for row in _smaller_formats(scenario):
        scheme = asked_storage(model, row).scheme
        yield Step(
            what=f"weights in {row.name}",
            option=f"-q {row.name}",
            scenario=replace(scenario, weights=row, scheme=scheme, shipped=None),
            cost=_quality_cost(row),
        )


def _smaller_formats(scenario: Scenario) -> list[Format]:
    """Return the formats of fewer bits that run on the devices, the best two of each number of bits."""
    if scenario.runtime in LAYER_ENGINES:
        rows = (file_type_formats()[name] for name in FILE_TYPES_SHOWN)
        return [row for row in rows if row.bits < scenario.weights.bits]
    vendors = {placement.device.vendor.lower() for placement in scenario.placements}
    found: dict[Fraction, list[Format]] = {}
    for row in sorted(formats().values(), key=lambda row: (-row.bits, row.quality)):
        runs = row.vendor in ("", *vendors)
        if row.bits < scenario.weights.bits and row.status != "assumed" and runs:
            found.setdefault(row.bits, []).append(row)
    return [row for rows in found.values() for row in rows[:FORMATS_PER_BITS]]


def _quality_cost(row: Format) -> str:
    """Return how much quality a format costs, as a rule of thumb."""
    if row.bits >= 16:
        return "none"
    return "next to none" if row.bits >= 8 else "small to moderate; larger for small models"


def _first_that_fit(changes: list[Change]) -> list[Change]:
    """Return the gentle formats up to a few that fit."""
    kept, fitting = [], 0
    for change in changes:
        if change.saves <= 0 or fitting >= FORMATS_SHOWN // 2:
            continue
        kept.append(change)
        fitting += change.fits
    return kept[-FORMATS_SHOWN:]


def _longest(model: Model, scenario: Scenario, usable: int, needed: Needed) -> int:
    """Return the longest context, up to the asked one, that fits."""
    return largest(
        lambda tokens: needed(model, replace(scenario, context=tokens)) <= usable, scenario.context
    )


def _pairs(model: Model, scenario: Scenario, usable: int, needed: Needed) -> Iterator[Step]:
    """Yield a smaller format together with the longest context that then fits."""
    shown = 0
    for step in _weight_steps(model, scenario):
        context = _longest(model, step.scenario, usable, needed)
        if context >= min(LEAST_CONTEXT, scenario.context) and shown < PAIRS_SHOWN:
            shown += 1
            both = _context_step(step.scenario, context)
            yield replace(
                both,
                what=f"{step.what} and {both.what}",
                option=f"{step.option} {both.option}",
                cost=f"{step.cost}; {both.cost}",
            )
