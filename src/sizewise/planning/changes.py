"""What to change when a model does not fit: single changes, then pairs, cheapest in quality first."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from sizewise.architecture import Model
from sizewise.catalog.devices import CUSTOM
from sizewise.catalog.formats import Format, file_type_formats, formats
from sizewise.catalog.starting import startings
from sizewise.errors import UsageError
from sizewise.planning.answer import Change
from sizewise.planning.engine_changes import Step, cache_steps, host_steps, option_steps
from sizewise.planning.inverse import largest
from sizewise.planning.placing import LAYER_ENGINES
from sizewise.planning.quality.format_loss import FormatLoss, model_format_loss
from sizewise.planning.storage import asked_storage
from sizewise.scenario import Placement, Scenario


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """The bytes that the fullest device needs, and how many it lacks (below zero: has to spare)."""

    needed: int
    missing: int


Needs = Callable[[Model, Scenario], Need]

CARDS = frozenset(("datacenter", "workstation", "consumer"))
"""Kinds of devices of which several fit into one machine."""
DOUBLED_COUNTS = (2, 4, 8, 16, 32, 64)
DEVICE_COUNTS = (*range(2, 17), *range(20, 33, 4), *range(40, 65, 8))
"""Numbers of devices that are tried where one of the doubled ones holds it; not each parts every model."""
SHARED = 0.9
"""At least so much of what one device needs is needed by several together: buffers alone may shrink."""
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
    model: Model, scenario: Scenario, needs: Callable[[Model, Scenario], Need], context: int
) -> tuple[Change, ...]:
    """Return the changes, each with the bytes it saves on the fullest device.

    Costs nothing in quality first (devices, sequences, context), then the cache's format, then the
    weights' in order of quality. When no single change suffices, pairs with a shorter context follow.
    """
    before = needs(model, scenario)

    def change(step: Step) -> Change:
        after = needs(model, step.scenario)
        return Change(
            what=step.what,
            option=step.option,
            saves=before.missing - after.missing,
            needed=after.needed,
            fits=after.missing <= 0,
            cost=step.cost,
            loss=_loss(model, scenario, step),
        )

    singles = [change(step) for step in _free(scenario, model, needs, context, before.needed)]
    singles += [change(step) for step in (*option_steps(scenario), *cache_steps(scenario))]
    singles += [
        change(step)
        for step in host_steps(scenario, model.architecture, lambda one: needs(model, one).missing <= 0)
    ]
    singles += _first_that_fit([change(step) for step in _weight_steps(model, scenario)])
    useful = [single for single in singles if single.saves > LEAST_SAVING * before.needed]
    if not any(single.fits for single in useful):
        useful += [change(step) for step in _pairs(model, scenario, needs)]
    return tuple(useful)


def _free(scenario: Scenario, model: Model, needs: Needs, context: int, needed: int) -> Iterator[Step]:
    """Yield changes that cost no quality: more devices, fewer sequences, a shorter context."""
    if _more_can_be_had(scenario):
        yield from _more_devices(scenario, model, needs, needed)
    if scenario.sequences > 1:
        fewer = largest(lambda n: _holds(model, replace(scenario, sequences=n), needs), scenario.sequences)
        one = max(fewer, 1)
        yield Step(
            what=f"{one:,} sequence{'s' if one > 1 else ''} at once",
            option=f"--sequences {one}",
            scenario=replace(scenario, sequences=one),
            cost="throughput",
        )
    if context >= max(min(LEAST_CONTEXT, scenario.context), scenario.engine.shared_prefix):
        yield _context_step(scenario, context)


def _more_devices(scenario: Scenario, model: Model, needs: Needs, needed: int) -> Iterator[Step]:
    """Yield the fewest more of the same devices that hold it, of which the fullest has ``needed`` now."""
    device = scenario.placements[0].device
    least = max(scenario.devices + 1, SHARED * needed / device.memory_bytes)

    def wider(count: int) -> Scenario:
        return replace(scenario, placements=(Placement(device=device, count=count),))

    def holding(counts: Sequence[int]) -> Iterator[int]:
        return (count for count in counts if count >= least and _holds(model, wider(count), needs))

    most = next(holding(DOUBLED_COUNTS), None)
    if most is None:
        return
    count = next(holding([count for count in DEVICE_COUNTS if count < most]), most)
    yield Step(
        what=f"{count} × {device.id}",
        option=f"--on {device.id}:{count}",
        scenario=wider(count),
        cost="money",
    )


def _more_can_be_had(scenario: Scenario) -> bool:
    """Tell whether more of the same cards can be put together; machines of shared memory cannot."""
    if len(scenario.placements) != 1:
        return False
    device = scenario.placements[0].device
    return device.id != CUSTOM and device.unified_memory is None and device.kind in CARDS


def _holds(model: Model, scenario: Scenario, needs: Needs) -> bool:
    """Tell whether a scenario fits; one whose devices cannot share the model does not."""
    try:
        return needs(model, scenario).missing <= 0
    except UsageError:
        return False


def _context_step(scenario: Scenario, context: int) -> Step:
    return Step(
        what=f"context of {context:,} tokens",
        option=f"--context {context}",
        scenario=replace(scenario, context=context),
        cost="shorter context",
    )


def _weight_steps(model: Model, scenario: Scenario) -> Iterator[Step]:
    """Yield smaller weight formats: more bits first, the better of equal bits first."""
    for row in smaller_formats(scenario):
        yield Step(
            what=f"weights in {row.name}",
            option=f"-q {row.name}",
            scenario=with_weights(model, scenario, row),
            cost=_quality_cost(row),
        )


def with_weights(model: Model, scenario: Scenario, row: Format) -> Scenario:
    """Return the scenario with the weights in another format."""
    return replace(scenario, weights=row, scheme=asked_storage(model, row).scheme, shipped=None)


def smaller_formats(scenario: Scenario) -> list[Format]:
    """Return the formats of fewer bits that run on the devices, the best two of each number of bits.

    Of llama.cpp's these are the usual file types, of other engines what they load.
    """
    if scenario.runtime in LAYER_ENGINES:
        rows = (file_type_formats()[name] for name in FILE_TYPES_SHOWN)
        return [row for row in rows if row.bits < scenario.weights.bits]
    engine = startings().get(scenario.runtime)
    vendors = {placement.device.vendor.lower() for placement in scenario.placements}
    found: dict[Fraction, list[Format]] = {}
    for row in sorted(formats().values(), key=lambda row: (-row.bits, row.quality)):
        runs = row.vendor in ("", *vendors) and (engine is None or engine.runs(row))
        if row.bits < scenario.weights.bits and row.status != "assumed" and runs:
            found.setdefault(row.bits, []).append(row)
    return [row for rows in found.values() for row in rows[:FORMATS_PER_BITS]]


def _quality_cost(row: Format) -> str:
    """Return how much quality a format costs, as a rule of thumb."""
    if row.bits >= 16:
        return "none"
    return "next to none" if row.bits >= 8 else "small to moderate; larger for small models"


def _loss(model: Model, scenario: Scenario, step: Step) -> FormatLoss | None:
    """Return what the weights' new format costs; None where a step keeps theirs."""
    weights = step.scenario.weights
    return None if weights == scenario.weights else model_format_loss(model, weights)


def _first_that_fit(changes: list[Change]) -> list[Change]:
    """Return the gentle formats up to a few that fit."""
    kept, fitting = [], 0
    for change in changes:
        if change.saves <= 0 or fitting >= FORMATS_SHOWN // 2:
            continue
        kept.append(change)
        fitting += change.fits
    return kept[-FORMATS_SHOWN:]


def _longest(model: Model, scenario: Scenario, needs: Needs) -> int:
    """Return the longest context, up to the asked one, that fits."""
    return largest(lambda tokens: _holds(model, replace(scenario, context=tokens), needs), scenario.context)


def _pairs(model: Model, scenario: Scenario, needs: Needs) -> Iterator[Step]:
    """Yield a smaller format together with the longest context that then fits."""
    shown = 0
    for step in _weight_steps(model, scenario):
        context = _longest(model, step.scenario, needs)
        if context >= min(LEAST_CONTEXT, scenario.context) and shown < PAIRS_SHOWN:
            shown += 1
            both = _context_step(step.scenario, context)
            yield replace(
                both,
                what=f"{step.what} and {both.what}",
                option=f"{step.option} {both.option}",
                cost=f"{step.cost}; {both.cost}",
            )
