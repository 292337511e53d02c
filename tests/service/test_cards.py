"""Cards of fitted laws: a command writes a file, a service hands the text over."""

import json
from pathlib import Path

import pytest

from sizewise.errors import UsageError
from sizewise.service.answers import ask
from sizewise.service.verbs import verb

LINES = [
    f"{n},{d},{1.8 + 480 * n**-0.35 + 2000 * d**-0.366}"
    for n in (5e7, 1e8, 2e8, 4e8, 8e8)
    for d in (1e9, 2e9, 4e9, 8e9)
]
RUNS = "\n".join(["params,tokens,loss", *LINES]) + "\n"
FEW = {"runs": RUNS, "bootstrap": 20, "hold_out": "none"}


def told(**values: object) -> dict:
    return json.loads(ask(verb("laws fit"), FEW | values).text)


def test_a_card_is_part_of_the_answer_and_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    card = told(card="md")["card"]
    assert card["kind"] == "md"
    assert card["text"].startswith("# Scaling card")
    assert json.loads(told(card="json")["card"]["text"])["card"] == "Scaling card"
    assert list(tmp_path.iterdir()) == []


def test_a_card_says_what_the_answer_says() -> None:
    answer = told(card="json")
    card = json.loads(answer["card"]["text"])
    assert card["fit"]["coefficients"] == answer["fit"]["coefficients"]
    assert card["fit"]["coefficients"]["alpha"] == pytest.approx(0.35, rel=1e-3)


@pytest.mark.parametrize("path", ["card.md", "/etc/card.md", "txt"])
def test_a_card_is_a_kind_and_no_path(path: str) -> None:
    with pytest.raises(UsageError):
        told(card=path)


def test_curves_hold_the_runs_and_follow_the_law() -> None:
    answer = told(curve=True)
    curve, fitted = answer["curve"], answer["fit"]["coefficients"]
    assert curve["runs"] == [pytest.approx([float(cell) for cell in line.split(",")]) for line in LINES]
    budgets = [6 * n * d for n, d, _ in curve["runs"]]
    amid = (min(budgets) * max(budgets)) ** 0.5
    assert amid in [pytest.approx(one["flops"]) for one in curve["budgets"]]
    for one in curve["budgets"]:
        for params, tokens, loss in one["points"]:
            powers = fitted["A"] * params ** -fitted["alpha"] + fitted["B"] * tokens ** -fitted["beta"]
            assert loss == pytest.approx(fitted["E"] + powers)


def test_draws_that_nobody_can_wait_for_are_refused_before_they_begin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sizewise.service.answers.MOST_DRAWN", 20 * 200)
    assert told(bootstrap=200)["schema_version"] == 1
    with pytest.raises(UsageError, match=r"bootstrap: 201 draws of 20 runs .* at most 200, or") as caught:
        told(bootstrap=201)
    assert caught.value.code == "too_slow"
    monkeypatch.setattr("sizewise.service.answers.MOST_DRAWN", 20 * 99)
    with pytest.raises(UsageError, match="than an answer may, or ask the command line"):
        told(bootstrap=201)
