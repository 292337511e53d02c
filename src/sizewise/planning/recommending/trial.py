"""A model in a format with an engine on the machine: its memory and its speed, as they are asked alone."""

from dataclasses import dataclass, replace

from sizewise.architecture import Model
from sizewise.catalog.models import Preset
from sizewise.errors import SizewiseError
from sizewise.planning.answer import Fit, MemoryAnswer
from sizewise.planning.defaults import Asked
from sizewise.planning.memory import counted_memory
from sizewise.planning.recommending.asked import RecommendAsked
from sizewise.planning.recommending.choices import Choice
from sizewise.planning.recommending.hardware import Hardware
from sizewise.planning.speed.answer import SpeedAnswer
from sizewise.planning.speed.asked import DEFAULT_ANSWER, DEFAULT_PROMPT, SpeedAsked
from sizewise.planning.speed.plan import plan_speed
from sizewise.planning.speed.possible import check_possible
from sizewise.planning.speed.rate import Rate
from sizewise.scenario import ENGINE_DEFAULTS, EngineOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A model in a format with an engine, as it would be started on the machine."""

    preset: Preset
    model: Model
    choice: Choice
    asked: RecommendAsked
    hardware: Hardware
    engine: EngineOptions = ENGINE_DEFAULTS

    @property
    def memory_asked(self) -> Asked:
        """The question of memory that a recommendation answers."""
        return Asked(
            context=self.asked.tokens(self.model),
            sequences=self.asked.sequences,
            quant=self.choice.format.name,
            runtime=self.choice.engine,
            engine=self.engine,
            placements=self.hardware.placements,
        )

    @property
    def speed_asked(self) -> SpeedAsked:
        """The question of speed: a prompt of 1,024 tokens and an answer of 256, less in short contexts."""
        context = self.asked.tokens(self.model)
        answer = min(DEFAULT_ANSWER, max(1, context // 2))
        return SpeedAsked(
            run=self.memory_asked,
            prompt=max(1, min(DEFAULT_PROMPT, context - answer)),
            answer=answer,
            concurrency=float(self.asked.sequences),
            calibrated=self.asked.calibrated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a run takes and how fast it is; ``speed`` None where the device's times are not known."""

    run: Run
    memory: MemoryAnswer
    speed: SpeedAnswer | None

    @property
    def preset(self) -> Preset:
        """The model's row of the catalogue."""
        return self.run.preset

    @property
    def devices(self) -> int:
        """How many devices it is run on."""
        return self.run.hardware.count

    @property
    def checkpoint(self) -> str:
        """The name on the hub of what is run."""
        return self.run.model.place.repository

    @property
    def choice(self) -> Choice:
        """Its format and engine."""
        return self.run.choice

    @property
    def fit(self) -> Fit:
        """Whether the devices hold their part."""
        return self.memory.fits[0]

    @property
    def hosted(self) -> bool:
        """Whether an option leaves a part of the model on the host."""
        options = self.run.engine
        return options.device_layers is not None or options.host_expert_layers > 0

    @property
    def rate(self) -> Rate | None:
        """Tokens per second of each sequence."""
        if self.speed is None:
            return None
        step = self.speed.tpot
        return Rate(value=1 / step.value, low=1 / step.high, high=1 / step.low, status=step.status)

    def reaches(self, rate: float) -> bool:
        """Tell whether so many tokens per second are reached at the slow end; an unknown speed is."""
        return self.rate is None or self.rate.low >= rate


def counted(run: Run) -> Trial:
    """Return the memory of a run, without its speed; raises where the engine does not run it."""
    memory = counted_memory(run.model, run.memory_asked)
    check_possible(run.model, memory.scenario, run.hardware.device)
    return Trial(run=run, memory=memory, speed=None)


def timed(trial: Trial) -> Trial:
    """Return the trial with its speed, where the device's times are known."""
    try:
        return replace(trial, speed=plan_speed(trial.run.model, trial.run.speed_asked, changed=False))
    except SizewiseError:
        return trial
