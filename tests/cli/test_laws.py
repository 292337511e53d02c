"""``laws``: lists, losses, optima and over-training through the command line."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sizewise.cli.laws import COMMANDS

GIB = 2**30


def answer(run: Callable, *arguments: str) -> Any:
    found = run("laws", *arguments, "--json")
    assert found.code == 0, found.err
    return json.loads(found.out, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def refused(run: Callable, *arguments: str) -> str:
    found = run("laws", *arguments)
    assert (found.code, found.out) == (2, ""), found.out
    assert found.err.count("\n") == 1
    assert found.err.startswith("sizewise: error [bad_option]: ")
    return str(found.err)


def test_the_list_names_every_law_with_its_status(run: Callable) -> None:
    laws = answer(run, "list")["laws"]
    assert len(laws) > 40
    assert len({law["name"] for law in laws}) == len(laws)
    for law in laws:
        assert {"coefficients", "fitted_on", "status", "source", "variables", "unit", "checked"} <= set(law)
    assert "unverified" in run("laws", "list").out


def test_words_narrow_the_list(run: Callable) -> None:
    found = answer(run, "list", "hoffmann", "additive")["laws"]
    assert {law["name"] for law in found} == {"hoffmann2022-a3-tex", "hoffmann2022-a3-rounded"}
    assert answer(run, "list", "no such law")["laws"] == []


def test_one_law_is_shown_by_name_or_alias(run: Callable) -> None:
    (law,) = answer(run, "show", "besiroglu2024-published")["laws"]
    assert law["coefficients"] == {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}
    assert law["standard_errors"]["A"] == 124.58
    assert answer(run, "show", "besiroglu2024")["laws"] == [law]
    assert "482.01" in run("laws", "show", "besiroglu2024").out


@pytest.mark.parametrize(
    ("law", "expected"), [("besiroglu2024-published", 2.1733), ("hoffmann2022-a3-rounded", 2.1835)]
)
def test_the_loss_of_a_run(run: Callable, law: str, expected: float) -> None:
    document = answer(run, "loss", "--params", "7e9", "--tokens", "140e9", "--law", law)
    assert document["loss"] == pytest.approx(expected, abs=5e-5)
    assert (document["params"], document["tokens"], document["flops"]) == (7e9, 140e9, 5.88e21)
    assert document["unit"] == "nats/token"
    assert document["law"] == document["grounds"][0]["law"] == law
    assert {"interval", "interval_basis", "doubling", "cheapest", "other_laws", "warnings"} <= set(document)
    assert law in {row["law"] for row in document["other_laws"]}


def test_the_loss_has_an_interval_where_the_spread_of_the_law_is_known(run: Callable) -> None:
    document = answer(run, "loss", "-n", "7b", "-d", "140B")
    low, high = document["interval"]
    assert low < document["loss"] < high
    rounded = answer(run, "loss", "-n", "7b", "-d", "140B", "--law", "hoffmann2022-a3-rounded")
    assert rounded["interval"] is None
    assert "unknown" in rounded["interval_basis"]


def test_a_doubling_is_worth_less_than_twice_the_compute(run: Callable) -> None:
    doubling = answer(run, "loss", "-n", "7b", "-d", "140B")["doubling"]
    worth = {one["bought"]: one["worth_in_compute"] for one in doubling}
    assert worth["compute"] == pytest.approx(2, rel=1e-3)
    assert 1 < worth["params"] < 2
    assert 1 < worth["tokens"] < 2


@pytest.mark.parametrize(
    ("law", "params", "tokens", "loss"),
    [
        ("besiroglu2024-published", 9.586e10, 1.739e12, 1.960),
        ("hoffmann2022-a3-rounded", 4.130e10, 4.036e12, 1.911),
    ],
)
def test_the_optimum_of_a_budget(run: Callable, law: str, params: float, tokens: float, loss: float) -> None:
    document = answer(run, "optimal", "--flops", "1e24", "--law", law)
    best = document["optimum"]
    assert best["params"] == pytest.approx(params, rel=2e-4)
    assert best["tokens"] == pytest.approx(tokens, rel=3e-4)
    assert best["loss"] == pytest.approx(loss, abs=5e-4)
    assert best["flops"] == pytest.approx(6 * best["params"] * best["tokens"])
    assert set(best) == {"params", "tokens", "loss", "flops", "tokens_per_param"}
    assert {"intervals", "flat", "other_laws", "spread", "spending", "params_exponent"} <= set(document)


def test_the_optimum_of_gopher_sized_compute(run: Callable) -> None:
    best = answer(run, "optimal", "--flops", "5.88e21")["optimum"]
    assert best["params"] == pytest.approx(6.89e9, rel=1e-3)
    assert best["tokens"] == pytest.approx(1.422e11, rel=1e-3)
    assert best["tokens_per_param"] == pytest.approx(20.6, abs=0.05)


def test_budget_size_data_and_loss_lead_to_one_optimum(run: Callable) -> None:
    best = answer(run, "optimal", "--flops", "1e22")["optimum"]
    for option, name in (("--params", "params"), ("--tokens", "tokens"), ("--loss", "loss")):
        amount = f"{best[name]:.16g}" if name == "loss" else f"{best[name]:.0f}"
        found = answer(run, "optimal", option, amount)["optimum"]
        assert found["flops"] == pytest.approx(1e22, rel=1e-6)


def test_money_and_hours_are_budgets(run: Callable) -> None:
    on = ("--on", "h100-sxm", "--mfu", "0.4")
    hours = answer(run, "optimal", "--device-hours", "1000", *on)
    rate = hours["spending"]["peak_flops_per_second"]
    assert hours["optimum"]["flops"] == pytest.approx(1000 * 3600 * 0.4 * rate)
    money = answer(run, "optimal", "--usd", "2000", "--usd-per-hour", "2", *on)
    assert money["optimum"] == pytest.approx(hours["optimum"])
    assert money["spending"]["money"] == pytest.approx(2000)


def test_serving_makes_the_best_model_smaller(run: Callable) -> None:
    lifetime = answer(run, "optimal", "--flops", "1e24", "--served-tokens", "5T")["lifetime"]
    assert lifetime["best"]["params"] < lifetime["training_optimal"]["params"]
    assert lifetime["best"]["loss"] < lifetime["training_optimal"]["loss"]
    assert lifetime["best"]["cost"] == pytest.approx(1e24)
    at_loss = answer(run, "optimal", "--loss", "2", "--served-tokens", "5T")["lifetime"]
    assert at_loss["best"]["loss"] == pytest.approx(2)
    assert at_loss["saving"] == pytest.approx(0.238, abs=1e-3)


def test_shapes_keep_the_memory_and_the_data(run: Callable, tmp_path: Path) -> None:
    limits = ("--memory", "24GiB", "-q", "q4_k_m", "-c", "8k", "--unique-tokens", "2T")
    document = answer(run, "optimal", "--flops", "1e24", *limits)
    shapes = document["buildable"]
    assert {bound["limit"] for bound in shapes["binding"]} == {"memory", "unique_tokens"}
    assert all(bound["loss_gain_if_lifted"] > 0 for bound in shapes["binding"])
    losses = [one["loss"] for one in shapes["candidates"]]
    assert losses == sorted(losses)
    for place, one in enumerate(shapes["candidates"][:2]):
        assert one["tokens"] <= 2e12
        assert one["regret"]["loss"] >= 0
        assert one["memory_missing"] <= 0
        config = tmp_path / f"{place}.json"
        config.write_text(json.dumps(one["config"]))
        found = run("memory", str(config), "-q", "q4_k_m", "-c", "8k", "--memory", "24GiB", "--json")
        (fit,) = found.document["fits"]
        assert fit["fits"]
        counted = run("params", str(config), "--json")
        assert counted.document["parameters"]["total"] == one["params"]
    text = run("laws", "optimal", "--flops", "1e24", *limits).out
    assert "binding: the memory it has to run in" in text
    assert "binding: --unique-tokens" in text


def test_over_training(run: Callable) -> None:
    document = answer(run, "overtrain", "--params", "7b", "--tokens", "1T")
    assert document["run"]["flops"] == pytest.approx(4.2e22)
    assert document["run"]["loss"] == pytest.approx(2.0838, abs=5e-5)
    same = document["same_compute"]
    assert same["loss"] == pytest.approx(2.0680, abs=5e-5)
    assert same["params"] == pytest.approx(18.9e9, rel=2e-3)
    assert same["tokens"] == pytest.approx(371e9, rel=2e-3)
    assert document["same_loss"]["loss"] == pytest.approx(document["run"]["loss"])
    assert document["penalty"] == pytest.approx(document["run"]["loss"] - same["loss"])
    assert document["served_tokens_to_break_even"] > 0
    factor = document["size_factor"]
    again = answer(run, "overtrain", "--loss", str(document["run"]["loss"]), "--size-factor", str(factor))
    assert again["run"]["params"] == pytest.approx(7e9, rel=1e-6)


def test_answers_beyond_the_runs_are_warned_of(run: Callable) -> None:
    document = answer(run, "optimal", "--flops", "1e24")
    assert [warning["code"] for warning in document["warnings"]] == ["LAW11"]
    assert document["grounds"][0]["outside"]["flops"] == pytest.approx(1.886, abs=1e-3)
    assert "warning [LAW11]" in run("laws", "optimal", "--flops", "1e24").err
    assert answer(run, "optimal", "--flops", "1e21")["warnings"] == []


def test_answers_far_beyond_the_runs_have_to_be_forced(run: Callable) -> None:
    for far in (
        ("loss", "-n", "1T", "-d", "1e16"),
        ("optimal", "--flops", "1e26"),
        ("overtrain", "-n", "1T", "-d", "1e15"),
    ):
        assert "--force" in refused(run, *far)
        assert answer(run, *far, "--force")["warnings"]


def test_unverified_laws_say_so(run: Callable) -> None:
    arguments = ("loss", "-n", "1b", "-d", "100B", "--law", "busbridge2025-supervised")
    document = answer(run, *arguments)
    assert document["grounds"][0]["status"] == "unverified"
    assert document["warnings"][0]["code"] == "unverified_law"
    found = run("laws", *arguments)
    assert "UNVERIFIED" in found.out
    assert "unverified" in found.err


@pytest.mark.parametrize("kind", ["csv", "md", "jsonl", "table"])
def test_formats(run: Callable, kind: str) -> None:
    for arguments in (("list",), ("show", "chinchilla"), ("loss", "-n", "7b", "-d", "140B")):
        found = run("laws", *arguments, "--format", kind)
        assert found.code == 0
        assert found.out.strip()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nosuch",),
        ("show",),
        ("show", "nosuch"),
        ("show", "\x1b[31m"),
        ("loss",),
        ("loss", "-n", "7b"),
        ("loss", "-n", "nan", "-d", "1B"),
        ("loss", "-n", "-7b", "-d", "1B"),
        ("loss", "-n", "0", "-d", "1B"),
        ("loss", "-n", "7b", "-d", "1e99"),
        ("loss", "-n", "7b", "-d", "1T", "--law", "nosuch"),
        ("loss", "-n", "7b", "-d", "1T", "--law", "abnar2025"),
        ("loss", "-n", "7b", "-d", "1T", "--law", "frantar2023"),
        ("loss", "-n", "7b", "-d", "1T", "--unique-tokens", "1B"),
        ("loss", "-n", "7b", "-d", "1T", "--plot", "loss.svg"),
        ("optimal",),
        ("optimal", "--flops", "1e24", "-n", "7b"),
        ("optimal", "--flops", "nan"),
        ("optimal", "--flops", "inf"),
        ("optimal", "--flops", "-1"),
        ("optimal", "--flops", "5"),
        ("optimal", "--loss", "1.0"),
        ("optimal", "--loss", "nan"),
        ("optimal", "--usd", "100"),
        ("optimal", "--usd", "nan", "--mfu", "0.4", "--on", "h100-sxm", "--usd-per-hour", "2"),
        ("optimal", "--usd", "100", "--device-hours", "5"),
        ("optimal", "--device-hours", "5", "--mfu", "2", "--on", "h100-sxm"),
        ("optimal", "--flops", "1e22", "--epochs", "4"),
        ("optimal", "--flops", "1e22", "-q", "q4_k_m"),
        ("optimal", "--flops", "1e22", "--memory", "much"),
        ("overtrain",),
        ("overtrain", "-n", "7b"),
        ("overtrain", "-n", "7b", "-d", "1T", "--loss", "2"),
        ("overtrain", "--loss", "2", "--size-factor", "0.001"),
        ("overtrain", "--loss", "nan", "--size-factor", "0.5"),
        ("overtrain", "--loss", "2", "--size-factor", "nan"),
    ],
)
def test_bad_input_is_one_clear_line(run: Callable, arguments: tuple[str, ...]) -> None:
    refused(run, *arguments)


@pytest.mark.parametrize(
    ("option", "amount"), [("--params", "9b"), ("--tokens", "180B"), ("--loss", "2.1"), ("--flops", "1e22")]
)
def test_what_was_given_has_no_interval(run: Callable, option: str, amount: str) -> None:
    given = option.strip("-")
    document = answer(run, "optimal", option, amount)
    assert document["given"] == given
    for name, ends in document["intervals"].items():
        if name == given:
            assert ends is None
        else:
            assert ends[0] < (document["optimum"] | document)[name] < ends[1]
    text = run("laws", "optimal", option, amount).out
    assert [line.endswith("given") for line in text.splitlines() if "given" in line] == [True]


def numbers(run: Callable, *arguments: str) -> list[dict[str, str]]:
    found = run("laws", *arguments, "--format", "csv", "--quiet")
    assert found.code == 0
    return list(csv.DictReader(found.out.splitlines()))


def test_csv_holds_exact_numbers_one_to_a_cell(run: Callable) -> None:
    for arguments, block in ((("loss", "-n", "7b", "-d", "140B"), "interval"), (("optimal", "-n", "7b"), "")):
        document = answer(run, *arguments)
        rows = {row["name"]: row for row in numbers(run, *arguments)}
        ends = document[block] if block else document["intervals"]["loss"]
        value = document["loss"] if block else document["optimum"]["loss"]
        assert [float(rows["loss"][cell]) for cell in ("value", "low", "high")] == [value, *ends]
        assert rows["loss"]["unit"] == "nats/token"
        assert float(rows["params"]["value"]) == 7e9
        assert rows["params"]["low"] == rows["params"]["high"] == ""
    document = answer(run, "overtrain", "-n", "7b", "-d", "1T")
    for row, name in zip(
        numbers(run, "overtrain", "-n", "7b", "-d", "1T"), ("run", "same_compute", "same_loss"), strict=True
    ):
        assert {cell: float(row[cell]) for cell in document[name]} == document[name]


def test_a_loss_out_of_reach_names_those_in_reach(run: Callable) -> None:
    for loss in ("1.8173", "1e9"):
        assert "1.81741 to 942.1 nats per token" in refused(run, "optimal", "--loss", loss)


def test_memory_that_no_shape_fits_is_told_what_the_smallest_needs(run: Callable) -> None:
    message = refused(run, "optimal", "-C", "1e22", "--memory", "100MiB")
    assert "the smallest, 128 x 1" in message
    assert "MiB more memory" in message


def test_repeats_are_warned_of_and_offered(run: Callable) -> None:
    limited = ("optimal", "-C", "1e22", "--vocab", "32000", "--unique-tokens", "25B")
    assert "LAW07" in {one["code"] for one in answer(run, *limited, "--epochs", "4")["warnings"]}
    offered = run("laws", *limited)
    assert "LAW07" not in offered.err
    assert "--epochs 4 takes repeats for new tokens, --law muennighoff2023 weighs them" in offered.out
    assert "weighs them" not in run("laws", *limited, "--epochs", "4").out


def test_repeated_data_are_answered_alike_in_both_tables(run: Callable) -> None:
    arguments = ("loss", "-n", "7b", "-d", "300B", "--law", "muennighoff2023", "--unique-tokens", "25B")
    document = answer(run, *arguments)
    (same,) = [row for row in document["other_laws"] if row["law"] == "muennighoff2023"]
    assert same["loss"] == document["loss"]
    assert "LAW17" in {one["code"] for one in document["warnings"]}
    text = run("laws", *arguments).out
    assert "0.0 decades" not in text
    assert "25B of the tokens are new" in text


def test_help_names_every_question(run: Callable) -> None:
    found = run("laws", "-h")
    assert found.code == 0
    for name in COMMANDS:
        assert name in found.out


def test_curves_of_a_budget_pass_through_its_optimum(run: Callable) -> None:
    found = run("laws", "optimal", "--flops", "1e24", "--curve", "--json").document
    curve, best = found["curve"], found["optimum"]
    assert (best["params"], best["tokens"]) == pytest.approx((9.586e10, 1.739e12), rel=1e-3)
    (asked,) = [one for one in curve["budgets"] if one["flops"] == 1e24]
    assert asked["best"] == best
    assert [best["params"], best["tokens"], best["loss"]] in asked["points"]
    (level,) = [one for one in curve["contours"] if one["flops"] == 1e24]
    assert level["loss"] == best["loss"]
    assert [best["params"], best["tokens"]] in level["points"]
    assert best in curve["frontier"]
    (llama,) = [one for one in curve["known_models"] if one["name"] == "huggyllama/llama-65b"]
    assert (llama["params"], llama["tokens"]) == (65.2e9, 1.4e12)


def test_smaller_models_of_a_budget_are_those_of_over_training(run: Callable) -> None:
    budget = run("laws", "optimal", "--flops", "1e24", "--curve", "--json").document
    half = next(one for one in budget["curve"]["over_training"] if one["size_factor"] == pytest.approx(0.5))
    arguments = ("laws", "overtrain", "--loss", repr(budget["optimum"]["loss"]), "--size-factor", "0.5")
    asked = run(*arguments, "--curve", "--json").document
    assert half["tokens"] == pytest.approx(asked["run"]["tokens"])
    assert half["overhead"] == pytest.approx(asked["overhead"])
    assert half["served_tokens_to_break_even"] == pytest.approx(asked["served_tokens_to_break_even"])
    assert asked["curve"]["over_training"] == [pytest.approx(one) for one in budget["curve"]["over_training"]]


@pytest.mark.parametrize("verb", [("optimal", "--flops", "1e24"), ("overtrain", "-n", "7b", "-d", "1T")])
def test_curves_are_data_and_no_table(run: Callable, verb: tuple[str, ...]) -> None:
    found = run("laws", *verb, "--curve")
    assert found.code == 2
    assert "--curve has no table form" in found.err
