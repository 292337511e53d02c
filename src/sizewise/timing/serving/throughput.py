"""Tokens per second under load, and the load that still meets targets."""

from dataclasses import dataclass, replace
from math import floor

from sizewise.catalog.timing import CoefficientSet
from sizewise.errors import UsageError
from sizewise.timing.prediction import Prediction
from sizewise.timing.serving.decode import decode_step
from sizewise.timing.serving.first_token import LoadedFirst, Of, loaded_ttft
from sizewise.timing.serving.memory_cap import RUNNING_LIMIT, most_running
from sizewise.timing.serving.question import Load, Replica

MOST_REQUESTS = 4096
"""Requests at one replica beyond which nobody looks for a target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Throughput:
    """Tokens per second of all ``replicas`` together; ``low`` and ``high`` bound ``output``.

    ``output`` tokens of answers, ``prompts`` tokens of prompts, ``requests`` finished per second.
    ``occupancy`` is the part of a request's time in which it gets tokens.
    """

    replicas: int
    devices: int
    output: float
    low: float
    high: float
    prompts: float
    requests: float
    occupancy: float
    loaded: LoadedFirst

    @property
    def total(self) -> float:
        """Tokens of prompts and answers per second."""
        return self.output + self.prompts

    @property
    def per_device(self) -> float:
        """Tokens of answers per second and device."""
        return self.output / (self.devices * self.replicas)


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """Seconds at most: to the ``first`` token, ``of`` the mean or a quantile, and per token (``step``)."""

    first: float | None = None
    step: float | None = None
    of: Of = "mean"

    def __post_init__(self) -> None:
        """Refuse targets that are no time."""
        if any(limit is not None and not limit > 0 for limit in (self.first, self.step)):
            raise UsageError("bad_option", "a target is a time above 0 seconds")


def throughput(
    replica: Replica, load: Load, *, replicas: int = 1, coefficients: CoefficientSet | None = None
) -> Throughput:
    """Return the tokens per second of so many replicas, ``load`` at each of them, by Little's law.

    Requests that the memory does not hold wait and add nothing.
    """
    if replicas < 1:
        raise UsageError("bad_option", "there is 1 replica or more")
    loaded = loaded_ttft(replica, load, coefficients=coefficients)
    first, spread = loaded.without_queue, loaded.mean.spread
    rate = _requests(load, loaded, loaded.step.value, first)
    fast = _requests(load, loaded, loaded.step.low, loaded.mean.at_least(first * spread.low))
    slow = _requests(load, loaded, loaded.step.high, first * spread.high)
    decoding = load.answer * loaded.step.value
    return Throughput(
        replicas=replicas,
        devices=replica.devices,
        output=replicas * rate * load.answer,
        low=replicas * slow * load.answer,
        high=replicas * fast * load.answer,
        prompts=replicas * rate * load.prompt,
        requests=replicas * rate,
        occupancy=decoding / (decoding + loaded.mean.value),
        loaded=loaded,
    )


def _requests(load: Load, loaded: LoadedFirst, step: float, first: float) -> float:
    """Requests per second of one replica: those running, over the time that each takes."""
    running = min(load.concurrency, loaded.most_running)
    return running / (first + load.answer * step)


def chance(loaded: LoadedFirst, targets: Targets) -> float:
    """Return the probability that measured means meet all targets, as if the two errors were independent."""
    first = 1.0 if targets.first is None else loaded.chance_below(targets.first, targets.of)
    step = 1.0 if targets.step is None else loaded.step.chance_below(targets.step)
    return first * step


def largest_concurrency(
    replica: Replica,
    load: Load,
    targets: Targets,
    *,
    probability: float | None = None,
    coefficients: CoefficientSet | None = None,
) -> int | None:
    """Return the most requests at a replica that meet the targets with a probability; None where 1 does not.

    Of measured sets nine picks of ten met a time per token at 0.7, and both targets at 0.8: the defaults.
    """
    wanted = probability if probability is not None else (0.7 if targets.first is None else 0.8)
    if not 0 < wanted < 1:
        raise UsageError("bad_option", "a probability lies between 0 and 1")

    def meets(requests: int) -> bool:
        question = replace(load, concurrency=float(requests))
        return chance(loaded_ttft(replica, question, coefficients=coefficients), targets) >= wanted

    if not meets(1):
        return None
    low, high = 1, 2
    while high <= MOST_REQUESTS and meets(high):
        low, high = high, 2 * high
    high = min(high, MOST_REQUESTS + 1)
    while high - low > 1:
        middle = floor((low + high) / 2)
        low, high = (middle, high) if meets(middle) else (low, middle)
    return low


@dataclass(frozen=True, slots=True, kw_only=True)
class FullLoad:
    """A replica with more requests than it runs: ``running`` sequences get a token each ``step``."""

    running: float
    step: Prediction

    @property
    def output(self) -> float:
        """Tokens of answers per second of the replica."""
        return self.running / self.step.value

    @property
    def low(self) -> float:
        """The lower end of ``output``."""
        return self.running / self.step.high

    @property
    def high(self) -> float:
        """The upper end of ``output``."""
        return self.running / self.step.low


def full_load(
    replica: Replica, load: Load, *, limit: int = RUNNING_LIMIT, coefficients: CoefficientSet | None = None
) -> FullLoad:
    """Return the tokens per second where only throughput counts; ``load.concurrency`` is not read.

    The memory, or ``limit`` sequences of each scheduler, say how many run.
    """
    running = min(most_running(replica, load), float(limit * replica.schedulers))
    busy = replace(load, concurrency=running)
    return FullLoad(running=running, step=decode_step(replica, busy, coefficients=coefficients))
