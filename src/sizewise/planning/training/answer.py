"""What the training question answers with: values that reports only print."""

from collections.abc import Mapping
from dataclasses import dataclass

from sizewise.architecture import Model
from sizewise.catalog.devices import Device
from sizewise.ledger import Line
from sizewise.notices import Notice
from sizewise.planning.answer import Change, Fit
from sizewise.planning.training.memory import StageMemory
from sizewise.recipe import Recipe, Sharding


@dataclass(frozen=True, slots=True, kw_only=True)
class Fewest:
    """The fewest devices that hold the run, and their layout."""

    devices: int
    sharding: Sharding


@dataclass(frozen=True, slots=True, kw_only=True)
class Compute:
    """FLOPs: of one optimizer step and of the run, in all (``hardware``) and without what is done again.

    ``parts`` are those of one sequence; ``steps`` and the run's are None where no tokens are named.
    """

    parts: Line
    step_model: int
    step_hardware: int
    steps: int | None
    run_model: int | None
    run_hardware: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingAnswer:
    """The memory of a training run on each device, what it computes, and what to change.

    ``packed`` is the format of frozen weights where they are packed; ``fits`` are those of all devices of the
    catalogue where none was asked for.
    """

    model: Model
    recipe: Recipe
    device: Device | None
    count: int
    stages: tuple[StageMemory, ...]
    packed: str | None
    host: int
    compute: Compute
    trained: int
    parameters: int
    fits: tuple[Fit, ...]
    fewest: Fewest | None
    changes: tuple[Change, ...]
    searched: bool
    notices: tuple[Notice, ...] = ()

    @property
    def fullest(self) -> StageMemory:
        """The stage whose devices need most."""
        return max(self.stages, key=lambda stage: stage.line.value)

    @property
    def phases(self) -> Mapping[str, int]:
        """Bytes of each phase of a step on the fullest device."""
        return self.fullest.phases

    @property
    def all_fit(self) -> bool:
        """Tell whether it fits on the devices that were asked for."""
        return self.device is None or all(fit.fits for fit in self.fits)
