"""Inverse questions about a device: the best format that fits on it, and the largest known model."""

from collections.abc import Callable, Iterable

from sizewise.architecture import Model
from sizewise.catalog.formats import Format
from sizewise.catalog.models import Preset, presets
from sizewise.errors import SizewiseError
from sizewise.planning.changes import smaller_formats, with_weights
from sizewise.scenario import Scenario
from sizewise.sources.config_json import from_config

Fits = Callable[[Model, Scenario], bool]


def best_format(model: Model, scenario: Scenario, fits: Fits) -> Format | None:
    """Return the scenario's own format where it fits, else the one of most bits that does."""
    if fits(model, scenario):
        return scenario.weights
    candidates = smaller_formats(scenario)
    return next((row for row in candidates if fits(model, with_weights(model, scenario, row))), None)


def largest_preset(scenario_for: Callable[[Model], Scenario], fits: Fits) -> Preset | None:
    """Return the largest model of the catalogue that fits in a scenario of its own.

    Models that the scenario's engine or format does not take are passed over.
    """
    for preset in _largest_first(presets()):
        model = from_config(preset.config, name=preset.id, origin="catalogue", context=preset.context)
        try:
            if fits(model, scenario_for(model)):
                return preset
        except SizewiseError:
            continue
    return None


def _largest_first(rows: Iterable[Preset]) -> list[Preset]:
    return sorted(rows, key=lambda row: row.parameters, reverse=True)
