"""What devices serve at most: of a rate what is kept up with, of clients as many as fit or meet targets."""

from collections.abc import Callable
from dataclasses import dataclass
from math import floor
from typing import TYPE_CHECKING, Literal

from sizewise.errors import SizewiseError
from sizewise.planning.speed.asked import SpeedAsked
from sizewise.planning.speed.rate import Rate

if TYPE_CHECKING:
    from sizewise.planning.speed.answer import SpeedAnswer

Basis = Literal["most_requests_per_second", "most_that_fit", "most_that_meet", "this_load"]
"""most_requests_per_second: what is kept up with, targets aside · most_that_fit, most_that_meet: clients that
memory holds, or that meet the targets · this_load: the load that was asked for, no other was looked at."""

MEETS_STEP, MEETS_FIRST = 0.7, 0.8
"""Probability at which a target per token, and one of the first token, counts as met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Tokens of prompts and answers per second that the devices serve, and at which load."""

    rate: Rate
    basis: Basis
    at: str


def capacity_at(answer: "SpeedAnswer") -> Capacity:
    """Return what is served of requests that arrive by chance; of clients, what these are served."""
    asked = answer.asked
    if asked.rate is None:
        return Capacity(rate=answer.total_rate, basis="this_load", at=f"{answer.clients:g} at once")
    most, tokens = answer.most_served, asked.prompt + asked.answer
    return Capacity(
        rate=Rate(
            value=most.value * tokens, low=most.low * tokens, high=most.high * tokens, status=most.status
        ),
        basis="most_requests_per_second",
        at=f"{most.value:.3g} requests/s, the most that are served",
    )


def most_capacity(answer: "SpeedAnswer", at: Callable[[float], "SpeedAnswer"]) -> Capacity | None:
    """Return what as many clients are served as memory holds, or as meet the targets; None where not known.

    ``at`` answers the same question for another number of clients. Memory is no limit that is known of
    engines of one's own, and where prompts have devices apart, their number follows the load.
    """
    asked, room = answer.asked, answer.most_running
    if asked.rate is not None or asked.split or room is None:
        return None
    try:
        most = floor(max(room, 1.0))
        targets = asked.ttft is not None or asked.tpot is not None
        clients = _most_meeting(most, asked, at) if targets else most
        if not clients:
            return None
        found = at(float(clients))
    except SizewiseError:
        return None
    if (found.scenario.layout, found.scenario.weights) != (answer.scenario.layout, answer.scenario.weights):
        return None
    why = "that fit in memory" if clients == most else "that meet the targets"
    basis: Basis = "most_that_fit" if clients == most else "most_that_meet"
    return Capacity(rate=found.total_rate, basis=basis, at=f"{clients:,} at once, the most {why}")


def _most_meeting(most: int, asked: SpeedAsked, at: Callable[[float], "SpeedAnswer"]) -> int:
    """Return the most clients, up to ``most``, whose times meet the targets; 0 where not even one's do."""
    wanted = MEETS_STEP if asked.ttft is None else MEETS_FIRST

    def meets(clients: int) -> bool:
        return (at(float(clients)).meets or 0.0) >= wanted

    if meets(most):
        return most
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if meets(middle) else (low, middle)
    return low
