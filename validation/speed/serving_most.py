"""Rows of kinds that no fit saw: prompts computed elsewhere, and servers with all the requests they take."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from serving_fit import Floats
from serving_held_out import ALL, HeldOut

from sizewise.catalog.timing import CoefficientSet
from sizewise.catalog.timing_serving import LoadedRun, ServedRun
from sizewise.scoring.served import loaded_load, loaded_replica, served_load, served_replica
from sizewise.timing.serving.decode import decode_step
from sizewise.timing.serving.memory_cap import RUNNING_LIMIT
from sizewise.timing.serving.throughput import full_load

SPLIT = "time per token, prompts computed elsewhere"
LIMITS = (RUNNING_LIMIT, 2048)
FULL = "time per token at full load"
NOTHING = "nothing: no row was fitted"


@dataclass(frozen=True)
class Most:
    """The errors with one limit of running sequences; ``inside`` are rows in the stated interval."""

    limit: int
    as_is: HeldOut
    inside: Floats
    scaled: tuple[HeldOut, HeldOut]


def most(runs: Sequence[LoadedRun], coefficients: CoefficientSet) -> Iterator[Most]:
    """Yield the errors of seconds per token as they are, and times one factor of the other groups."""
    measured = np.array([1 / run.tokens_per_second for run in runs])
    for limit in LIMITS:
        found = [
            full_load(loaded_replica(run), loaded_load(run), limit=limit, coefficients=coefficients)
            for run in runs
        ]
        predicted = np.array([1 / one.output for one in found])
        ends = np.array([(1 / one.high, 1 / one.low) for one in found])

        def held_out(name: str, groups: list[str], seconds: Floats) -> HeldOut:
            return HeldOut(FULL, name, groups, [ALL] * len(runs), seconds, measured)

        models, devices = [run.model for run in runs], [run.device for run in runs]
        yield Most(
            limit=limit,
            as_is=held_out(NOTHING, models, predicted),
            inside=(measured >= ends[:, 0]) & (measured <= ends[:, 1]),
            scaled=(
                held_out("model", models, _scaled(predicted, measured, models)),
                held_out("device", devices, _scaled(predicted, measured, devices)),
            ),
        )


def unseen(runs: Sequence[ServedRun], coefficients: CoefficientSet) -> tuple[HeldOut, Floats]:
    """Return the errors of steps without prompts, and which rows lie in the stated interval."""
    found = [
        decode_step(served_replica(run), served_load(run), prefills=False, coefficients=coefficients)
        for run in runs
    ]
    measured = np.array([run.step for run in runs])
    predicted = np.array([one.value for one in found])
    inside = np.array([one.low <= run.step <= one.high for one, run in zip(found, runs, strict=True)])
    families = [run.family for run in runs]
    return HeldOut(SPLIT, NOTHING, families, [ALL] * len(runs), predicted, measured), inside


def _scaled(predicted: Floats, measured: Floats, groups: Sequence[str]) -> Floats:
    labels, found = np.array(groups), predicted.copy()
    for group in sorted(set(groups)):
        tested = labels == group
        found[tested] *= np.median(measured[~tested] / predicted[~tested])
    return found
