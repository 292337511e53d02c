"""Predict what was measured, by the functions that answer the memory question."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from sizewise.architecture import Model
from sizewise.catalog.measurements import measured_configs
from sizewise.ledger import Line
from sizewise.planning.defaults import scenario_for
from sizewise.planning.held import Placed
from sizewise.planning.running import run_memory, stored_weights
from sizewise.scenario import Scenario
from sizewise.scoring.asking import asked_for
from sizewise.scoring.training import TrainingPrediction
from sizewise.sources.config_json import from_config
from sizewise.sources.reference import load_reference

WEIGHTS = "weights"
HOST, REPORT = "host: ", "report: "
TRAINERS = frozenset(("torchtitan",))
"""Engines whose runs train."""


class Predicted(Protocol):
    """A run whose parts can be asked for by name."""

    def line(self, name: str) -> Line:
        """Return a part; raises KeyError when there is none."""


def prediction(model: str, engine: str, told: Mapping[str, str]) -> Predicted:
    """Return the prediction of a run that was measured; raises what its command would raise."""
    if engine in TRAINERS:
        return TrainingPrediction(measured_model(model), told)
    return Prediction(model, engine, told)


class Prediction:
    """One run: its weights at once, the rest of its memory when a line of it is asked for."""

    def __init__(self, model: str, engine: str, told: Mapping[str, str]) -> None:
        """Choose the scenario; raises what the memory command would raise."""
        self._model = measured_model(model)
        self._scenario: Scenario = scenario_for(self._model, asked_for(told, engine))[0]
        self._weights = stored_weights(self._model, self._scenario)
        self._run: Placed | None = None

    def line(self, name: str) -> Line:
        """Return a part of the first device, ``host: …`` of the host, ``report: …`` of the engine.

        Raises KeyError when there is none.
        """
        if name == WEIGHTS:
            return self._weights
        if self._run is None:
            self._run = run_memory(self._model, self._scenario, self._weights)
        if name.startswith(HOST):
            return self._run.host.part(name.removeprefix(HOST))
        if name.startswith(REPORT):
            wanted = name.removeprefix(REPORT)
            return {line.name: line for line in self._run.reports}[wanted]
        return self._run.held[0].line.part(name)


@lru_cache(maxsize=8)
def measured_model(name: str) -> Model:
    """Return a measured model: from its own configuration, else from the catalogue."""
    config = measured_configs().get(name)
    if config is None:
        return load_reference(name, offline=True)
    return from_config(config, name=name, origin="measurements")
