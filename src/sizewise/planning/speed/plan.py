"""The question of speed: which times, on what, and what would change them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import inf

from sizewise.architecture import Model
from sizewise.catalog.device_trust import facts_status
from sizewise.counting import check_limit
from sizewise.errors import SizewiseError, UsageError
from sizewise.ledger import weakened
from sizewise.notices import Notice
from sizewise.planning.defaults import scenario_for
from sizewise.planning.placing import layout_of
from sizewise.planning.running import runtime_label, stored_weights
from sizewise.planning.speed.answer import Change, SpeedAnswer
from sizewise.planning.speed.asked import SpeedAsked
from sizewise.planning.speed.calibrated import calibrated_times, pace_of, question_of
from sizewise.planning.speed.capacity import most_capacity
from sizewise.planning.speed.generating import check_generates, uncounted
from sizewise.planning.speed.offloaded import Crossing, crossing_of
from sizewise.planning.speed.positions import within_positions
from sizewise.planning.speed.possible import check_possible, fewest_prompt_replicas, fits_in_memory
from sizewise.planning.speed.remarks import TIMED_BY, beyond_measured, doubts, left_out, rounded, unused
from sizewise.planning.speed.served import Times, at_server, check_replicas
from sizewise.planning.speed.streamed import IDEAL, streamed
from sizewise.scenario import Scenario
from sizewise.timing.machine import Machine
from sizewise.timing.prediction import Prediction
from sizewise.timing.serving.pace import AS_FITTED, Pace
from sizewise.timing.stream.engines import LOCAL, UNMEASURED
from sizewise.timing.work import Work, work_of

ONE_AT_A_TIME = LOCAL | UNMEASURED | {IDEAL}
"""Engines whose times are those of single sequences."""


def plan_speed(model: Model, asked: SpeedAsked, *, changed: bool = True) -> SpeedAnswer:
    """Answer how fast a model runs on the device that is named, and what would change it where ``changed``.

    Raises UsageError (bad_option) without one, for several kinds at once, and for loads that nothing serves.
    """
    check_limit(model)
    check_generates(model)
    asked, shortened = within_positions(model, asked)
    scenario, notices = scenario_of(model, asked)
    machine = machine_of(scenario)
    check_possible(model, scenario, machine.device)
    work = _work(model, scenario)
    fits = _fits(model, scenario, machine)
    times, changes = _answered(model, asked, scenario, machine, work, changed=changed, fits=fits)
    loaded = times.loaded
    answer = SpeedAnswer(
        model=model,
        asked=asked,
        scenario=scenario,
        runtime=runtime_label(scenario.runtime),
        devices=machine.count,
        prompt_devices=times.prompt_devices,
        work=work,
        ttft=times.ttft,
        tpot=times.tpot,
        prompt_seconds=times.prompt_seconds,
        clients=times.running if times.clients is None else times.clients,
        running=times.running,
        most_requests=times.most_requests,
        most_running=None if loaded is None or not fits else loaded.most_running,
        queue_bound=loaded is not None and fits and loaded.queue_bound,
        busy=None if loaded is None else loaded.busy,
        quantiles=None if loaded is None else loaded.quantiles,
        spare=inf if loaded is None else loaded.spare,
        changes=changes,
        fits=fits,
        notices=(*notices, *shortened, *_remarks(asked, scenario, machine, times, fits=fits)),
    )
    return _with_capacity(answer) if changed and asked.compared else answer


def _with_capacity(answer: SpeedAnswer) -> SpeedAnswer:
    """Return the answer with what other numbers of clients are served, where that can be told."""

    def at(clients: float) -> SpeedAnswer:
        return plan_speed(answer.model, replace(answer.asked, concurrency=clients), changed=False)

    return replace(answer, most=most_capacity(answer, at))


def _fits(model: Model, scenario: Scenario, machine: Machine) -> bool:
    """Tell whether a run fits in memory; a server's has to hold one request for each replica."""
    served = scenario.runtime not in ONE_AT_A_TIME
    if served:
        check_replicas(scenario, machine)
    return fits_in_memory(model, scenario, queues=served)


def _answered(
    model: Model,
    asked: SpeedAsked,
    scenario: Scenario,
    machine: Machine,
    work: Work,
    *,
    changed: bool,
    fits: bool,
) -> tuple[Times, tuple[Change, ...]]:
    """Return the times as measured runs move them, and what changes would make of the times before."""
    crossing = crossing_of(model, scenario, machine.device)
    least = fewest_prompt_replicas(model, scenario) if asked.split else 1
    question = question_of(model, work, machine, scenario, 1.0)
    measured = asked.calibrated and scenario.runtime != IDEAL and crossing is None
    pace = pace_of(question) if measured and asked.rate is not None else AS_FITTED
    timed = partial(_times, work, machine, scenario, asked, crossing, least=least, fits=fits)
    times = timed(pace=pace)
    present = times if pace is AS_FITTED else timed
    changes = tuple(_changes(model, asked, scenario.runtime, present)) if changed else ()
    if measured:
        times = calibrated_times(times, question, asked)
    return times, changes


def _remarks(
    asked: SpeedAsked, scenario: Scenario, machine: Machine, times: Times, *, fits: bool
) -> Iterator[Notice]:
    """Yield what has to be said beside the times."""
    yield from doubts(machine)
    yield from uncounted(scenario)
    yield from unused(asked, scenario, served=times.loaded is not None)
    yield from rounded(asked, scenario, served=times.loaded is not None)
    yield from left_out(scenario, fits=fits, served=times.loaded is not None)
    yield from beyond_measured(times.ttft, times.tpot if asked.answer > 1 else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncalibrated:
    """What the fitted coefficients alone say of a run."""

    scenario: Scenario
    machine: Machine
    work: Work
    ttft: Prediction
    tpot: Prediction
    prompt_seconds: float


def uncalibrated(model: Model, asked: SpeedAsked, *, engine: str | None = None) -> Uncalibrated:
    """Return the times of a run before any calibration; ``engine`` is one that times alone are known of."""
    scenario, _ = scenario_of(model, asked)
    machine = machine_of(scenario)
    work = _work(model, scenario)
    scenario = scenario if engine is None else replace(scenario, runtime=engine)
    times = _times(work, machine, scenario, asked)
    return Uncalibrated(
        scenario=scenario,
        machine=machine,
        work=work,
        ttft=times.ttft,
        tpot=times.tpot,
        prompt_seconds=times.prompt_seconds,
    )


def scenario_of(model: Model, asked: SpeedAsked) -> tuple[Scenario, tuple[Notice, ...]]:
    """Return the run of a load, servers with the layout that they are started with, and what to say of it.

    Raises UsageError (bad_option) as `scenario_for` does.
    """
    run = replace(asked.run, context=asked.prompt + asked.answer, sequences=asked.sequences)
    scenario, notices = scenario_for(model, run)
    if scenario.runtime in ONE_AT_A_TIME or scenario.devices < 2:
        return scenario, notices
    layout = layout_of(model.architecture, scenario, scenario.devices)
    return replace(scenario, layout=layout), notices


def machine_of(scenario: Scenario) -> Machine:
    """Return the devices of a run; UsageError (bad_option) without one, or for several kinds."""
    if not scenario.placements:
        raise UsageError(
            "bad_option", "a speed needs a device: --on h100-sxm:2 or --on custom:24GiB,900GB/s,150TFLOPS"
        )
    if len(scenario.placements) > 1:
        raise UsageError(
            "bad_option", "times of several kinds of devices at once are not known; name one kind"
        )
    placement = scenario.placements[0]
    return Machine(device=placement.device, count=placement.count)


def _work(model: Model, scenario: Scenario) -> Work:
    """Return the work in the formats of the run."""
    return work_of(
        model,
        stored_weights(model, scenario),
        cache_number_bytes=float(scenario.cache.block_bytes / scenario.cache.block),
        state_number_bytes=float(scenario.number_bytes),
    )


def _times(
    work: Work,
    machine: Machine,
    scenario: Scenario,
    asked: SpeedAsked,
    crossing: Crossing | None = None,
    *,
    least: int = 1,
    pace: Pace = AS_FITTED,
    fits: bool = True,
) -> Times:
    """Return the times of a run, with ``least`` prompt replicas or more; no surer than its device's facts."""
    if scenario.runtime in ONE_AT_A_TIME:
        times = _streamed(work, machine, scenario, asked, crossing)
    else:
        times = at_server(work, machine, scenario, asked, crossing, least=least, pace=pace, fits=fits)
    status = facts_status(machine.device, *TIMED_BY)
    ttft, tpot = (replace(one, line=weakened(one.line, status)) for one in (times.ttft, times.tpot))
    return replace(times, ttft=ttft, tpot=tpot)


def _streamed(
    work: Work, machine: Machine, scenario: Scenario, asked: SpeedAsked, crossing: Crossing | None
) -> Times:
    found = streamed(work, machine, scenario, asked, crossing)
    return Times(ttft=found.ttft, tpot=found.tpot, prompt_seconds=found.prompt_seconds, running=found.running)


def _changes(
    model: Model, asked: SpeedAsked, runtime: str, known: Times | Callable[[], Times]
) -> Iterator[Change]:
    """Yield what other choices would make of the times on the same engine; what cannot be is left out.

    Times are those before any calibration: no change is known where such a load could not be served.
    """
    try:
        present = known if isinstance(known, Times) else known()
    except UsageError:
        return
    same_engine = replace(asked, run=replace(asked.run, runtime=runtime))
    for name, option, other in _choices(same_engine):
        try:
            scenario, _ = scenario_of(model, other)
            machine = machine_of(scenario)
            crossing = crossing_of(model, scenario, machine.device)
            least = fewest_prompt_replicas(model, scenario) if other.split else 1
            fits, work = _fits(model, scenario, machine), _work(model, scenario)
            times = _times(work, machine, scenario, other, crossing, least=least, fits=fits)
        except SizewiseError:
            continue
        yield Change(
            name=name,
            option=option,
            tpot_factor=times.tpot.value / present.tpot.value,
            ttft_factor=times.ttft.value / present.ttft.value,
        )


def _choices(asked: SpeedAsked) -> Iterator[tuple[str, str, SpeedAsked]]:
    run = asked.run
    for quant in ("fp8", "q4_k_m", "awq"):
        if quant != run.quant:
            yield f"weights in {quant}", f"-q {quant}", replace(asked, run=replace(run, quant=quant))
    if run.on and ":" not in run.on:
        yield "two devices", f"--on {run.on}:2", replace(asked, run=replace(run, on=f"{run.on}:2"))
    if asked.concurrency >= 2 and asked.rate is None:
        half = asked.concurrency / 2
        yield "half the requests at once", f"--concurrency {half:g}", replace(asked, concurrency=half)
    if not asked.cached and asked.prompt >= DEFAULT_REUSE:
        yield "half of each prompt cached", "--prefix-hit 0.5", replace(asked, cached=0.5)


DEFAULT_REUSE = 1024
"""Tokens of a prompt from which a prefix cache is worth naming."""
