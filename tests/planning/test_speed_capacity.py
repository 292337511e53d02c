"""What devices serve at most, beside the price of an API: never less than another load shows."""

from functools import cache
from typing import Any

import pytest

import sizewise as sw
from sizewise.architecture import Model
from sizewise.planning.speed.answer import SpeedAnswer
from sizewise.report.cost import cost_notes
from sizewise.report.speed import speed_document

DAY = 86_400
FOUR: dict[str, Any] = {
    "on": "h100-sxm:4",
    "quant": "fp8",
    "runtime": "vllm",
    "input": 1000,
    "output": 500,
    "usd_per_hour": 2,
    "api_price": (0.5, 0.5),
}


@cache
def loaded(name: str) -> Model:
    return sw.load(name)


def asked(model: str = "llama-3.1-70b", **options: Any) -> SpeedAnswer:
    return sw.speed_answer(loaded(model), **{"calibration": False, **FOUR, **options})


def even(answer: SpeedAnswer) -> dict[str, Any]:
    found = speed_document(answer)["cost"]["break_even"]
    assert isinstance(found, dict)
    return found


def note(answer: SpeedAnswer) -> str:
    return next(text for text in cost_notes(answer.cost) if text.startswith("the API"))


@pytest.mark.parametrize("rate", [2, 9])
def test_a_rate_is_compared_with_the_most_that_is_served(rate: float) -> None:
    answer = asked(rps=rate)
    found, most = even(answer), speed_document(answer)["load"]["most_requests_per_second"]
    for end in ("value", "low", "high"):
        assert found["capacity_tokens_per_day"][end] == pytest.approx(most[end] * 1500 * DAY)
    assert found["capacity_basis"] == "most_requests_per_second"
    assert found["share_of_capacity"]["value"] < 0.4
    assert "the devices cost less from 384M tokens a day" in note(answer)
    assert "requests/s, the most that are served" in note(answer)


@pytest.mark.parametrize("clients", [2, 64, 5000])
def test_clients_are_compared_with_as_many_as_memory_holds(clients: int) -> None:
    answer = asked(concurrency=clients)
    assert answer.most_running is not None
    full = asked(concurrency=float(int(answer.most_running)))
    found = even(answer)
    assert found["capacity_basis"] == "most_that_fit"
    assert found["capacity_tokens_per_day"]["value"] == pytest.approx(full.total_rate.value * DAY)
    assert found["capacity_tokens_per_day"]["low"] == pytest.approx(full.total_rate.low * DAY)
    assert "the devices cost less" in note(answer)


@pytest.mark.parametrize(("targets", "wanted"), [({"tpot": "25ms"}, 0.7), ({"ttft": "300ms"}, 0.8)])
def test_clients_are_compared_with_as_many_as_meet_the_targets(
    targets: dict[str, Any], wanted: float
) -> None:
    answer = asked(concurrency=2, **targets)
    found = even(answer)
    assert found["capacity_basis"] == "most_that_meet"
    most = int(found["capacity_at"].partition(" ")[0])
    at, beyond = (asked(concurrency=count, **targets) for count in (most, most + 1))
    assert at.meets is not None
    assert beyond.meets is not None
    assert beyond.meets < wanted <= at.meets
    assert found["capacity_tokens_per_day"]["value"] == pytest.approx(at.total_rate.value * DAY)


@pytest.mark.parametrize(
    "options",
    [
        {"tpot": "1ms"},
        {"split": True},
        {"on": "h100-sxm", "quant": "bf16"},
        {"on": "h100-sxm", "quant": "q4_k_m", "runtime": "llama.cpp"},
    ],
)
def test_where_no_other_load_is_known_only_this_one_is_told(options: dict[str, Any]) -> None:
    answer = asked(concurrency=2, **options)
    found = even(answer)
    assert (found["capacity_basis"], found["capacity_at"]) == ("this_load", "2 at once")
    assert found["capacity_tokens_per_day"]["value"] == pytest.approx(answer.total_rate.value * DAY)
    assert "at this load the devices do not cost less" in note(answer)
    assert "never" not in note(answer)


def test_a_share_that_may_be_below_one_is_told_as_such() -> None:
    answer = asked(concurrency=2, on="h100-sxm")
    share = even(answer)["share_of_capacity"]
    assert share["low"] < 1 < share["value"]
    assert "the devices may not cost less" in note(answer)


def test_other_loads_are_looked_at_only_beside_an_api() -> None:
    assert asked(api_price=None).most is None
