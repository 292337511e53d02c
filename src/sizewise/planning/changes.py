"""What to change when a model does not fit: single changes, then pairs, cheapest in quality first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction

from sizewise.architecture import Model
from sizewise.catalog.devices import CUSTOM
from sizewise.catalog.formats import CacheFormat, Format, cache_format, formats
from sizewise.planning.answer import Change
from sizewise.planning.inverse import largest
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A changed scenario with the words and the option for it."""

    what: str
    option: str
    scenario: Scenario
    cost: str


def suggest(
    model: Model, scenario: Scenario, usable: int, needed: Callable[[Model, Scenario], int], context: int
) -> tuple[Change, ...]:
    """Return the changes, each with the bytes it saves on the fullest device.

    Costs nothing in quality first (devices, sequences, context), then the cache's format, then the
    weights' in order of quality. When no single change suffices, pairs with a shorter context follow.
    """
    before = needed(model, scenario)

    def change(step: _Step) -> Change:
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
    singles += [change(step) for step in _cache_steps(scenario)]
    singles += _first_that_fit([change(step) for step in _weight_steps(model, scenario)])
    useful = [single for single in singles if single.saves > LEAST_SAVING * before]
    if not any(single.fits for single in useful):
        useful += [change(step) for step in _pairs(model, scenario, usable, needed)]
    return tuple(useful)


def _free(scenario: Scenario, model: Model, usable: int, needed: Needed, context: int) -> Iterator[_Step]:
    """Yield changes that cost no quality: more devices, fewer sequences, a shorter context."""
    if len(scenario.placements) == 1 and scenario.placements[0].device.id != CUSTOM:
        for count in DEVICE_COUNTS:
            placement = Placement(device=scenario.placements[0].device, count=count)
            wider = replace(scenario, placements=(placement,))
            if count > scenario.devices and needed(model, wider) <= usable:
                name = placement.device.id
                yield _Step(
                    what=f"{count} × {name}", option=f"--on {name}:{count}", scenario=wider, cost="money"
                )
                break
    if scenario.sequences > 1:
        fewer = largest(lambda n: needed(model, replace(scenario, sequences=n)) <= usable, scenario.sequences)
        one = max(fewer, 1)
        yield _Step(
            what=f"{one:,} sequence{'s' if one > 1 else ''} at once",
            option=f"--sequences {one}",
            scenario=replace(scenario, sequences=one),
            cost="throughput",
        )
    if context >= min(LEAST_CONTEXT, scenario.context):
        yield _context_step(scenario, context)


def _context_step(scenario: Scenario, context: int) -> _Step:
    return _Step(
        what=f"context of {context:,} tokens",
        option=f"--context {context}",
        scenario=replace(scenario, context=context),
        cost="shorter context",
    )


def _cache_steps(scenario: Scenario) -> Iterator[_Step]:
    fp8: CacheFormat = cache_format("fp8")
    if fp8.bits < scenario.cache.bits:
        yield _Step(
            what="cache in fp8",
            option="--kv-cache-dtype fp8",
            scenario=replace(scenario, cache=fp8),
            cost="small; the engine must support it",
        )


def _weight_steps(model: Model, scenario: Scenario) -> Iterator[_Step]:
    """Yield smaller weight formats: more bits first, the better of equal bits first."""
    for row in _smaller_formats(scenario):
        scheme = asked_storage(model, row).scheme
        yield _Step(
            what=f"weights in {row.name}",
            option=f"-q {row.name}",
            scenario=replace(scenario, weights=row, scheme=scheme, shipped=None),
            cost=_quality_cost(row),
        )


def _smaller_formats(scenario: Scenario) -> list[Format]:
    """Return the formats of fewer bits that run on the devices, the best two of each number of bits."""
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


def _pairs(model: Model, scenario: Scenario, usable: int, needed: Needed) -> Iterator[_Step]:
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
