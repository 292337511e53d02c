"""What the question of speed answers with."""

from dataclasses import dataclass
from math import inf

from sizewise.architecture import Model
from sizewise.ledger import STATUSES, Line, Status
from sizewise.notices import Notice
from sizewise.planning.speed.asked import SpeedAsked
from sizewise.planning.speed.capacity import Capacity, capacity_at
from sizewise.planning.speed.cost import ServingCost, serving_cost
from sizewise.planning.speed.rate import Rate
from sizewise.planning.speed.streamed import IDEAL
from sizewise.scenario import Scenario
from sizewise.timing.machine import Machine
from sizewise.timing.prediction import Prediction
from sizewise.timing.serving.first_token import Quantiles, queue_seconds
from sizewise.timing.serving.question import compute_format
from sizewise.timing.stream.floor import floor_rate
from sizewise.timing.stream.step import prompt_pairs
from sizewise.timing.work import Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What another choice would make of the time per token, as a factor of the present one."""

    name: str
    option: str
    tpot_factor: float
    ttft_factor: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedAnswer:
    """Times per request as a client sees them; rates of all sequences together.

    Of ``clients`` that wait for an answer ``running`` are served at once on ``devices`` devices, beside
    ``prompt_devices`` that compute prompts alone;
    ``most_running`` fit in memory, None where that is not the engine's limit. ``most_requests`` per second
    are those at the devices' peak rate, None where it is not known. ``prompt_seconds`` are those of a
    prompt's computation alone, ``quantiles`` of the time to first token are assumed. ``spare`` times the
    requests that arrive could be served, without end where clients wait for their answers.
    ``most`` is what other numbers of clients are served, None where it was not looked for.
    """

    model: Model
    asked: SpeedAsked
    scenario: Scenario
    runtime: str
    devices: int
    prompt_devices: int
    work: Work
    ttft: Prediction
    tpot: Prediction
    prompt_seconds: float
    clients: float
    running: float
    most_requests: float | None
    most_running: float | None
    queue_bound: bool
    busy: float | None
    quantiles: Quantiles | None
    spare: float
    changes: tuple[Change, ...]
    fits: bool
    notices: tuple[Notice, ...]
    most: Capacity | None = None

    @property
    def all_devices(self) -> int:
        """The devices that are paid for."""
        return self.devices + self.prompt_devices

    @property
    def has_steps(self) -> bool:
        """Whether a token follows the first: an answer of one has no time per token."""
        return self.asked.answer > 1

    @property
    def times(self) -> tuple[Line, ...]:
        """The time to first token and the time per token, as they are answered."""
        return (self.ttft.answered, self.tpot.answered) if self.has_steps else (self.ttft.answered,)

    @property
    def output_rate(self) -> Rate:
        """Tokens of answers per second, of all sequences: B (n - 1)/n a TPOT in the steady state."""
        return self._rate(self.asked.answer)

    @property
    def total_rate(self) -> Rate:
        """Tokens of prompts and answers per second."""
        return self._rate(self.asked.prompt + self.asked.answer)

    @property
    def prefill_rate(self) -> Rate:
        """Tokens of a prompt per second while it is computed alone, at most those at the devices' peak."""
        rate, most = self.asked.prompt * (1 - self.asked.cached) / self.prompt_seconds, self._most_prompts
        spread = self.ttft.spread
        served = self.most_requests is not None
        status: Status = "assumed" if served else self.ttft.status
        value, low, high = (min(one, most) for one in (rate, rate / spread.high, rate / spread.low))
        return Rate(value=value, low=low, high=high, status=status)

    @property
    def _most_prompts(self) -> float:
        """Tokens of a prompt per second at the peak of a replica, and at what it reads and no more.

        Local engines compute in 16 bit.
        """
        if self.scenario.runtime == IDEAL:
            return inf
        (placement,) = self.scenario.placements
        served, weights = self.most_requests is not None, self.scenario.weights.name
        replicas = self.scenario.layout.data if served else 1
        machine = Machine(device=placement.device, count=self.devices // replicas)
        peak = machine.peak(compute_format(weights, machine)) if served else floor_rate(machine, 16)
        new = self.asked.prompt * (1 - self.asked.cached)
        met = prompt_pairs(self.work, new, self.asked.prompt - new)
        flops = 2 * self.work.active_params * new + 4 * self.work.query_width * met
        most = new * machine.count * peak / flops
        return min(most, new / self.ttft.floor) if served else most

    @property
    def request_seconds(self) -> float:
        """From a request to its last token."""
        return self.ttft.value + (self.asked.answer - 1) * self.tpot.value

    @property
    def meets(self) -> float | None:
        """The probability that both targets are met, errors taken as independent; None without a target.

        It is 0 where the run does not fit in memory.
        """
        chances = [
            self.chance(prediction, target)
            for prediction, target in ((self.ttft, self.asked.ttft), (self.tpot, self.asked.tpot))
            if target is not None
        ]
        if not chances:
            return None
        met = 1.0
        for chance in chances:
            met *= chance
        return met

    def chance(self, prediction: Prediction, target: float) -> float:
        """Return the probability that one of the times is at most a target in seconds.

        First tokens wait without end where what arrives is not served.
        """
        if not self.fits:
            return 0.0
        kept = self.kept_up if prediction is self.ttft and self.kept_up is not None else 1.0
        return kept * prediction.chance_below(target)

    @property
    def kept_up(self) -> float | None:
        """The probability that all requests that arrive are served; None where clients wait for answers."""
        if self.asked.rate is None:
            return None
        return self._pace.chance_below(self._pace.value * self.spare)

    @property
    def most_served(self) -> Rate:
        """Requests per second that are served where they arrive by chance, without end for other loads."""
        pace = self._pace
        most = (self.asked.rate or inf) * self.spare * pace.value
        return Rate(value=most / pace.value, low=most / pace.high, high=most / pace.low, status="assumed")

    @property
    def _pace(self) -> Prediction:
        """The time that says how many requests are served: per token, or of the only one."""
        return self.tpot if self.has_steps else self.ttft

    @property
    def cost(self) -> ServingCost:
        """What tokens cost at these rates; raises UsageError (bad_option) for an API that is not known."""
        (placement,) = self.scenario.placements
        return serving_cost(
            self.asked,
            placement.device,
            self.all_devices,
            output=self.output_rate,
            total=self.total_rate,
            capacity=self.most or capacity_at(self),
        )

    def _rate(self, tokens: int) -> Rate:
        """Return ``tokens`` of each request per second: what arrives, at most what the times allow."""
        if self.asked.rate is not None:
            flow, kept = self.asked.rate * tokens, self.most_served
            value, low, high = (min(flow, one * tokens) for one in (kept.value, kept.low, kept.high))
            return Rate(value=value, low=low, high=high, status="assumed")
        served = self.ttft.value - queue_seconds(self.ttft)
        value, low, high = (
            self.running * tokens / (served * first + (self.asked.answer - 1) * step)
            for first, step in (
                (1.0, self.tpot.value),
                (self.ttft.spread.high, self.tpot.high),
                (self.ttft.low / self.ttft.value, self.tpot.low),
            )
        )
        if self.most_requests is not None:
            most = self.most_requests * tokens
            value, low, high = min(value, most), min(low, most), min(high, most)
        steps: tuple[Status, ...] = (self.tpot.status,) if self.has_steps else ()
        status: Status = max((self.ttft.status, *steps), key=STATUSES.index)
        return Rate(value=value, low=low, high=high, status=status)
