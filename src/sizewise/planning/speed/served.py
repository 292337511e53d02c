"""The times of servers: replicas of attention with their part of the load, and pools for prompts."""

from dataclasses import dataclass, replace

from sizewise.errors import UsageError
from sizewise.planning.speed.asked import SpeedAsked
from sizewise.planning.speed.offloaded import Crossing, with_doubt
from sizewise.scenario import Scenario
from sizewise.timing.machine import Machine
from sizewise.timing.prediction import Prediction
from sizewise.timing.serving.arrivals import open_load
from sizewise.timing.serving.first_token import (
    LoadedFirst,
    answer_peak_seconds,
    loaded_ttft,
    peak_seconds,
    prefill,
    prompt_time,
)
from sizewise.timing.serving.pace import AS_FITTED, Pace
from sizewise.timing.serving.prompt_terms import prompt_compute
from sizewise.timing.serving.question import Load, Replica, compute_format
from sizewise.timing.serving.split import separated
from sizewise.timing.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The times of a run, of all its replicas.

    ``running`` sequences of ``clients`` get tokens; None where these are the same. At most ``most_requests``
    per second are served at the devices' peak rate. ``loaded`` is what is known under load,
    ``prompt_devices`` compute prompts alone.
    """

    ttft: Prediction
    tpot: Prediction
    prompt_seconds: float
    running: float
    clients: float | None = None
    most_requests: float | None = None
    loaded: LoadedFirst | None = None
    prompt_devices: int = 0


def check_replicas(scenario: Scenario, machine: Machine) -> None:
    """Refuse devices that replicas, and their stages, cannot share; UsageError (bad_option)."""
    data, stages = scenario.layout.data, scenario.layout.pipeline
    if machine.count % data:
        text = f"--dp: the number of devices, {machine.count}, is no multiple of {data} replicas"
        raise UsageError("bad_option", text)
    each = machine.count // data
    if each % stages:
        raise UsageError("bad_option", f"the number of devices, {each}, is no multiple of {stages} stages")


def at_server(
    work: Work,
    machine: Machine,
    scenario: Scenario,
    asked: SpeedAsked,
    crossing: Crossing | None,
    *,
    least: int,
    pace: Pace = AS_FITTED,
    fits: bool = True,
) -> Times:
    """Return the times of a server: of each replica of attention, with its part of the load.

    A run that does not fit in memory is timed on devices with memory enough. ``least`` replicas hold the
    model without the others, where prompts are computed apart. Where requests arrive by chance as many run
    as at the ``pace`` of all replicas; the times themselves are not moved yet.
    """
    data, engine = scenario.layout.data, scenario.engine
    check_replicas(scenario, machine)
    replica = Replica(
        work=work,
        machine=replace(machine, count=machine.count // data),
        engine=scenario.runtime,
        compute=compute_format(scenario.weights.name, machine),
        weights=scenario.weights.name,
        pipeline=scenario.layout.pipeline,
        peers=data if work.experts else 1,
        chunk=engine.batched_tokens,
        speculation=asked.speculation,
        offload=None if crossing is None else crossing.offload,
        usable=engine.utilization,
        limit=engine.running_sequences,
        enough=not fits,
    )
    each = max(asked.concurrency / data, min(asked.concurrency, 1.0))
    load = Load(prompt=asked.prompt, answer=asked.answer, concurrency=each, cached=asked.cached)
    if asked.split:
        times = _apart(replica, load, asked, data, least=least, pace=pace.over(data))
    else:
        times = _served(replica, load, asked, data, pace.over(data))
    first = with_doubt(times.ttft, crossing, of=times.prompt_seconds)
    return replace(times, ttft=first, tpot=with_doubt(times.tpot, crossing))


def _served(replica: Replica, load: Load, asked: SpeedAsked, replicas: int, pace: Pace) -> Times:
    """Return the times of so many replicas, ``load`` at each of them."""
    if asked.rate is not None:
        loaded = open_load(replica, load, asked.rate / replicas, pace=pace)
        clients = asked.rate * (loaded.mean.value + (asked.answer - 1) * loaded.step.value)
        load = replace(load, concurrency=loaded.running or load.concurrency)
    else:
        loaded, clients = loaded_ttft(replica, load), asked.concurrency
    first = prefill(replica, load) if clients <= 1 and asked.rate is None else loaded.mean
    room = loaded.most_running * replicas
    running = min(clients, room) if asked.rate is None else load.concurrency * replicas
    return Times(
        ttft=first,
        tpot=loaded.step,
        prompt_seconds=prompt_time(replica, load),
        clients=clients,
        running=running,
        most_requests=replicas / peak_seconds(replica, load),
        loaded=replace(loaded, most_running=room),
    )


def _apart(
    replica: Replica, load: Load, asked: SpeedAsked, replicas: int, *, least: int, pace: Pace
) -> Times:
    """Return the times where further replicas of the same kind compute the prompts."""
    clients = asked.concurrency
    rate = asked.rate
    found = separated(replica, load, replicas=replicas, clients=clients, rate=rate, least=least, pace=pace)
    loaded, prompts = found.loaded, found.pools.prompt_replicas
    if asked.rate is not None:
        clients = asked.rate * (loaded.mean.value + (asked.answer - 1) * loaded.step.value)
    prompts_take = prompt_compute(found.prompts, load).amount
    answers_take = answer_peak_seconds(replica, load)
    return Times(
        ttft=loaded.mean,
        tpot=loaded.step,
        prompt_seconds=prompt_time(found.prompts, load),
        clients=clients,
        running=found.running,
        most_requests=1 / max(prompts_take / prompts, answers_take / replicas),
        loaded=replace(loaded, most_running=loaded.most_running * replicas),
        prompt_devices=prompts * replica.devices,
    )
