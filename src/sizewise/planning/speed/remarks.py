"""What has to be said beside a time: facts in doubt, questions beyond what was measured, unused options."""

from collections.abc import Iterator

from sizewise.catalog.device import Cell
from sizewise.catalog.device_trust import warned_of
from sizewise.notices import Notice
from sizewise.planning.speed.asked import SpeedAsked
from sizewise.scenario import Scenario
from sizewise.timing.machine import Machine
from sizewise.timing.prediction import Prediction

TIMED_BY: tuple[Cell, ...] = ("bandwidth", "rates")
"""The facts of a device that times rest on."""

EXPERTS = "--ep: the exchange of tokens between ranks that hold whole experts is not modelled"


def doubts(machine: Machine) -> Iterator[Notice]:
    """Say which facts behind the times no two sources confirm; of a row in doubt the scenario says it."""
    if machine.device.confidence != "unverified":
        for text in warned_of(machine.device, *TIMED_BY):
            yield Notice(code="device", message=text)


def beyond_measured(first: Prediction, step: Prediction | None) -> Iterator[Notice]:
    """Say of which time the question lies beyond what was measured, and how."""
    steps = () if step is None else step.outside
    for text in dict.fromkeys((*steps, *first.outside)):
        if text in steps and text in first.outside:
            name = "both times"
        else:
            name = "time per token" if text in steps else "time to first token"
        yield Notice(code="beyond_measured", message=f"{name}: {text}")


def unused(asked: SpeedAsked, scenario: Scenario, *, served: bool) -> Iterator[Notice]:
    """Say which options move no time."""
    engine = scenario.engine
    ignored = {
        "--shared-prefix (say what is cached by --prefix-hit)": served and bool(engine.shared_prefix),
        "--enforce-eager: times are those with graphs": served and engine.eager,
        "--acceptance without --draft-tokens": asked.acceptance_alone,
    }
    for name, told in ignored.items():
        if told:
            yield Notice(code="option_ignored", message=f"speed has no use for {name}")


def rounded(asked: SpeedAsked, scenario: Scenario, *, served: bool) -> Iterator[Notice]:
    """Say that a local engine runs whole requests, where a part of one was named."""
    if not served and asked.concurrency != asked.sequences:
        text = f"--concurrency {asked.concurrency:g}: {scenario.runtime} runs whole requests"
        yield Notice(code="rounded", message=f"{text}, the times are those of {asked.sequences} at once")


def left_out(scenario: Scenario, *, fits: bool, served: bool) -> Iterator[Notice]:
    """Say what the times do not hold."""
    if scenario.layout.experts and scenario.layout.data == 1:
        yield Notice(code="not_modelled", message=EXPERTS)
    if not fits:
        room = " of the same speed, with room for every request" if served else ""
        text = f"the run does not fit in memory as asked: its times are those of a larger device{room}"
        yield Notice(code="does_not_fit", message=text)
