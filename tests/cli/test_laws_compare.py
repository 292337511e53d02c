"""``laws compare``: published laws and files side by side, and what one recipe is worth in another."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Rows = list[tuple[Any, ...]]
QUICK = ("--at", "1e22", "--bootstrap", "40")


def answer(run: Callable, *arguments: str) -> Any:
    found = run("laws", "compare", *arguments, "--json")
    assert found.code == 0, found.err
    return json.loads(found.out, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def refused(run: Callable, *arguments: str, code: str = "bad_option") -> str:
    found = run("laws", "compare", *arguments)
    assert (found.code, found.out) == (2 if code == "bad_option" else 3, ""), found.out
    assert found.err.count("\n") == 1
    assert found.err.startswith(f"sizewise: error [{code}]: ")
    return str(found.err)


@pytest.fixture
def files(write: Callable, grid: Rows) -> tuple[str, str]:
    """A recipe, and one that needs exactly half its compute: s N parameters, t D tokens, s t = 1/2."""
    better = [(0.8 * n, 0.625 * d, loss) for n, d, loss in grid]
    return write(grid, name="usual.csv"), write(better, name="better.csv")


def test_files_whose_runs_tell_no_best_size_are_refused(run: Callable, write: Callable) -> None:
    sizes = [1e8, 2e8, 4e8, 8e8, 2e9, 4e9]
    ray = [(n, 20 * n, 1.8 + 480 * n**-0.35 + 2100 * (20 * n) ** -0.37) for n in sizes]
    message = refused(run, write(ray, name="ray.csv"), *QUICK, code="bad_data")
    assert "ray.csv: all runs have D = 20 N" in message


def test_published_laws_and_files_side_by_side(run: Callable, files: tuple[str, str]) -> None:
    published, usual, better = answer(run, "besiroglu2024-published", *files, *QUICK)["laws"]
    assert (published["law"], published["status"]) == ("besiroglu2024-published", "reproduced")
    assert (usual["law"], usual["status"]) == ("usual.csv", "your fit")
    for law in (published, usual, better):
        assert law["optimum"]["flops"] == 1e22
    assert published["compute_multiplier"] is None
    assert usual["compute_multiplier"] is None
    worth = better["compute_multiplier"]
    assert worth["value"] == pytest.approx(2, rel=1e-6)
    assert worth["low"] < 2 < worth["high"]
    table = run("laws", "compare", *files, *QUICK).out
    assert "2.00 x" in table
    assert "only for losses measured on the same data" in table


def test_a_file_is_worth_itself(run: Callable, files: tuple[str, str]) -> None:
    worth = answer(run, files[0], files[0], *QUICK)["laws"][1]["compute_multiplier"]
    assert worth["value"] == pytest.approx(1)
    assert worth["low"] < 1 < worth["high"]


def test_mistakes_name_their_file(run: Callable, write: Callable, grid: Rows) -> None:
    few = write([row for row in grid if row[0] < 1e9], name="few.csv")
    messages = [warning["message"] for warning in answer(run, few, *QUICK)["warnings"]]
    assert any(message.startswith("few.csv: 3 different sizes") for message in messages)


def test_a_law_that_is_unverified_has_a_warning(run: Callable) -> None:
    laws = run("laws", "list", "--json").document["laws"]
    name = next(law["name"] for law in laws if (law["status"], law["form"]) == ("unverified", "additive"))
    document = answer(run, name, "--at", "1e22", "--force")
    assert document["laws"][0]["status"] == "unverified"
    assert "unverified_law" in {warning["code"] for warning in document["warnings"]}


def test_a_far_budget_has_to_be_forced(run: Callable, files: tuple[str, str]) -> None:
    for item in (files[0], "besiroglu2024-published"):
        far = (item, "--at", "1e28", "--bootstrap", "40")
        assert "decades" in refused(run, *far)
        assert "LAW11" in {warning["code"] for warning in answer(run, *far, "--force")["warnings"]}


def test_what_cannot_be_compared(run: Callable, write: Callable, grid: Rows, tmp_path: Path) -> None:
    assert "no scaling law is called" in refused(run, "absent.csv", *QUICK)
    rising = write([(n, d, 5 - loss) for n, d, loss in grid], name="rising.csv")
    assert "rising.csv: no best size" in refused(run, rising, *QUICK, code="bad_data")
    refused(run, "besiroglu2024-published", "--at", "1e22", "--plot", str(tmp_path / "a.svg"))
    refused(run, "besiroglu2024-published", "--at", "0")
    refused(run, "--at", "1e22")
    refused(run, "besiroglu2024-published")


def test_recipes_that_never_meet_are_not_comparable(run: Callable, write: Callable, grid: Rows) -> None:
    usual = write(grid, name="usual.csv")
    lower = write([(n, d, loss - 1) for n, d, loss in grid], name="lower.csv")
    for items in ((usual, lower), (lower, usual)):
        worth = answer(run, *items, *QUICK)["laws"][1]["compute_multiplier"]
        assert worth["comparable"] is False
        table = run("laws", "compare", *items, *QUICK).out
        assert "not comparable: the reference never reaches this loss" in table
        assert "inf x" not in table
        assert "0.00 x" not in table


def test_csv_holds_exact_numbers(run: Callable, files: tuple[str, str]) -> None:
    arguments = ("compare", *files, *QUICK)
    document = run("laws", *arguments, "--json").document
    rows = list(csv.DictReader(run("laws", *arguments, "--format", "csv").out.splitlines()))
    for row, law in zip(rows, document["laws"], strict=True):
        assert row["law"] == law["law"]
        assert float(row["optimum_params"]) == law["optimum"]["params"]
    worth = document["laws"][1]["compute_multiplier"]
    assert float(rows[1]["compute_multiplier_value"]) == worth["value"]
