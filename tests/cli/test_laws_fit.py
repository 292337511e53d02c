"""``laws fit``: the JSON contract, every option, files of every kind, and runs that cannot be fitted."""

import csv
import json
import pickle
import re
import sys
import time
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

CHINCHILLA = str(Path(__file__).parents[1] / "golden/laws/runs/epoch_chinchilla.csv")
PUBLISHED = ("--where", "in_published_fit=1")
QUICK = ("--bootstrap", "20", "--hold-out", "none")
COEFFICIENTS = ("E", "A", "B", "alpha", "beta")

Rows = list[tuple[Any, ...]]


def answer(run: Callable, file: str, *arguments: str) -> Any:
    found = run("laws", "fit", file, *QUICK, *arguments, "--json")
    assert found.code == 0, found.err
    return json.loads(found.out, parse_constant=_no_constant)


def _no_constant(name: str) -> None:
    raise AssertionError(f"{name} is no JSON")


def refused(run: Callable, *arguments: str, code: str = "bad_data") -> str:
    found = run("laws", "fit", *arguments)
    assert (found.code, found.out) == (2 if code == "bad_option" else 3, ""), found.out
    assert found.err.count("\n") == 1
    assert found.err.startswith(f"sizewise: error [{code}]: ")
    return str(found.err)


def codes(document: Any) -> set[str]:
    return {warning["code"] for warning in document["warnings"]}


def test_the_contract_on_the_chinchilla_runs(run: Callable) -> None:
    document = answer(run, CHINCHILLA, *PUBLISHED)
    fit = document["fit"]
    assert (fit["form"], fit["points"], fit["loss"], fit["delta"]) == ("additive", 240, "huber", 1e-3)
    assert fit["objective"] == pytest.approx(1.0182740178e-3, rel=1e-9)
    expected = (1.81721810, 477.825868, 2143.41736, 0.347310499, 0.367172433)
    assert tuple(fit["coefficients"]) == COEFFICIENTS
    assert tuple(fit["coefficients"].values()) == pytest.approx(expected, rel=1e-6)
    assert tuple(document["standard_errors"]) == COEFFICIENTS
    assert set(document["intervals"]) == {*COEFFICIENTS, "params_exponent"}
    for name, value in fit["coefficients"].items():
        low, high = document["intervals"][name]
        assert low < value < high
        assert document["standard_errors"][name] > 0
    assert document["certificate"]["confirmed"] is True
    assert document["bootstrap"]["replicates"] == 20
    assert {"code", "message"} <= set(document["warnings"][0])


def test_the_same_seed_gives_the_same_answer(run: Callable, write: Callable, grid: Rows) -> None:
    file = write(grid)
    first = answer(run, file, "--seed", "7")
    assert first == answer(run, file, "--seed", "7")
    assert first["intervals"] != answer(run, file, "--seed", "8")["intervals"]


@pytest.mark.parametrize("objective", ["lad", "squared"])
def test_other_objectives(run: Callable, write: Callable, grid: Rows, objective: str) -> None:
    document = answer(run, write(grid), "--objective", objective, "--profiles")
    assert (document["fit"]["loss"], document["fit"]["approach"]) == (objective, 3)
    assert document["fit"]["coefficients"]["alpha"] == pytest.approx(0.35, abs=0.05)
    assert bool(document["profiles"]) is (objective == "squared")


def test_one_exponent(run: Callable, write: Callable, grid: Rows) -> None:
    document = answer(run, write(grid), "--form", "tied")
    coefficients = document["fit"]["coefficients"]
    assert document["fit"]["form"] == "additive, one exponent"
    assert coefficients["alpha"] == coefficients["beta"]
    assert document["fit"]["params_exponent"] == 0.5
    assert "LAW19" in codes(document)


def test_whole_sizes_are_drawn(run: Callable, write: Callable, grid: Rows) -> None:
    document = answer(run, write(grid), "--cluster")
    assert document["bootstrap"]["resampled"] != answer(run, write(grid))["bootstrap"]["resampled"]
    few = [row for row in grid if row[0] < 1e9]
    assert "5 are the least" in refused(run, write(few), *QUICK, "--cluster")


def test_the_largest_runs_are_held_out(run: Callable, write: Callable, grid: Rows) -> None:
    held = answer(run, write(grid), "--hold-out", "size")["held_out"]
    assert (held["runs"], held["fitted"]) == (4, 16)
    assert held["mean_error"] < 0.02
    for one in held["predictions"]:
        assert one["low"] < one["predicted"] < one["high"]


def test_a_table_of_many_held_out_runs_says_that_it_shows_the_largest(run: Callable) -> None:
    found = run("laws", "fit", CHINCHILLA, *PUBLISHED, "--bootstrap", "2", "--hold-out", "share")
    assert "48 largest runs, predicted from the other 192: the 8 largest of them" in found.out


def test_other_forms_are_ranked(run: Callable, write: Callable, grid: Rows) -> None:
    forms = answer(run, write(grid), "--forms")["forms"]
    assert {"additive", "additive, tied exponents"} <= {form["form"] for form in forms}


def test_a_target_is_asked_for(run: Callable, write: Callable, grid: Rows) -> None:
    file = write(grid)
    assert answer(run, file)["target"]["optimum"]["flops"] == pytest.approx(10 * 6 * 4e9 * 1e11)
    target = answer(run, file, "--target", "1e23")["target"]
    assert target["optimum"]["flops"] == 1e23
    low, high = target["intervals"]["params"]
    assert low < target["optimum"]["params"] < high


@pytest.mark.parametrize("approach", ["1", "2", "3"])
def test_a_target_decades_beyond_the_runs_has_to_be_forced(
    run: Callable, write: Callable, budgets: Rows, curves: Rows, approach: str
) -> None:
    if approach == "1":
        file = write(curves, "run,params,tokens,loss")
    else:
        file = write(budgets, "params,tokens,loss,flops")
    far = ("--approach", approach, "--target", "2e26", "--bootstrap", "20")
    assert "LAW11" in refused(run, file, *far, code="bad_option")
    found = run("laws", "fit", file, *far, "--force", "--json")
    assert found.code == 0
    assert "LAW11" in codes(found.document)
    assert "decades beyond the largest run" in found.err


def test_a_parabola_for_each_budget(run: Callable, write: Callable, budgets: Rows) -> None:
    file = write(budgets, "params,tokens,loss,flops")
    document = run("laws", "fit", file, "--approach", "2", "--json").document
    assert document["fit"]["approach"] == 2
    assert document["fit"]["coefficients"]["params_exponent"] == pytest.approx(0.514, abs=0.01)
    assert [budget["runs"] for budget in document["budgets"]] == [5] * 4
    low, high = document["intervals"]["params_exponent"]
    assert low <= document["fit"]["coefficients"]["params_exponent"] <= high
    assert "A parabola per budget" in run("laws", "fit", file, "--approach", "2").out


def test_two_laws_that_miss_the_budget_together_say_so(run: Callable, write: Callable, budgets: Rows) -> None:
    """FLOPs counted as 9ND: 6 N* D* is two thirds of what the file calls the budget."""
    counted = write([(n, d, loss, 1.5 * flops) for n, d, loss, flops in budgets], "params,tokens,loss,flops")
    arguments = ("--approach", "2", "--bootstrap", "20")
    text = run("laws", "fit", counted, *arguments).out
    assert re.search(r"6 N\* D\* at the target is \S+ FLOPs, 3\d\.\d % below its", text)
    plain = run("laws", "fit", write(budgets, "params,tokens,loss,flops"), *arguments).out
    assert "6 N* D*" not in plain


def test_csv_holds_exact_numbers(run: Callable, write: Callable, grid: Rows, budgets: Rows) -> None:
    for file, more in (
        (write(grid), ("--hold-out", "none")),
        (write(budgets, "params,tokens,loss,flops"), ("--approach", "2")),
    ):
        arguments = ("laws", "fit", file, "--bootstrap", "20", *more)
        document = run(*arguments, "--json").document
        found = run(*arguments, "--format", "csv", "--quiet")
        rows = {row["name"]: row for row in csv.DictReader(found.out.splitlines())}
        for name, value in document["fit"]["coefficients"].items():
            row = rows[name]
            assert float(row["value"]) == value
            assert [float(row["low"]), float(row["high"])] == document["intervals"][name]
        target = document["target"]
        assert float(rows["target_flops"]["value"]) == target.get("optimum", target)["flops"]


def test_an_envelope_of_curves(run: Callable, write: Callable, curves: Rows) -> None:
    file = write(curves, "run,params,tokens,loss")
    document = run("laws", "fit", file, "--approach", "1", "--bootstrap", "100", "--json").document
    assert document["fit"]["coefficients"]["params_exponent"] == pytest.approx(0.514, abs=0.02)
    assert len(document["envelope"]) == 6
    assert "LAW08" in codes(document)
    without_names = write([row[1:] for row in curves])
    assert "--run" in refused(run, without_names, "--approach", "1")


def test_an_envelope_that_hangs_on_every_size_has_a_warning(
    run: Callable, write: Callable, curves: Rows
) -> None:
    file = write([row for row in curves if row[1] <= 1.6e9], "run,params,tokens,loss")
    document = run("laws", "fit", file, "--approach", "1", "--json").document
    assert "LAW13" in codes(document)


@pytest.mark.parametrize(
    "unused",
    [("--form", "tied"), ("--objective", "lad"), ("--forms",), ("--card", "card.md"), ("--cluster",)],
)
def test_what_an_approach_has_no_use_for_is_refused(
    run: Callable, write: Callable, budgets: Rows, unused: tuple[str, ...]
) -> None:
    said = refused(run, write(budgets), "--approach", "2", *unused, code="bad_option")
    assert f"{unused[0]}: approach 2 has no use for it" in said


class Page(HTMLParser):
    """What is open, what was closed out of turn, and the tags that were seen."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.seen.append(tag)


HOSTILE = "<script>alert(1)</script>$x^{|"
NAMED = "run,params,tokens,loss,optimizer,lr"


@pytest.fixture
def hostile(write: Callable, grid: Rows) -> str:
    rows = [(f"{HOSTILE}{place}", *row, "<b>Adam", "" if place else 1e-3) for place, row in enumerate(grid)]
    return str(write(rows, NAMED))


def test_a_card_as_a_page(run: Callable, hostile: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    card = tmp_path / "card.html"
    found = run(
        "laws", "fit", hostile, "--bootstrap", "20", "--column", "optimizer=optimizer", "--card", str(card)
    )
    assert found.code == 0, found.err
    text = card.read_text(encoding="utf-8")
    page = Page()
    page.feed(text)
    assert page.open == []
    assert page.seen.count("svg") == 5
    assert "script" not in page.seen
    assert "&lt;script&gt;" in text
    assert "&lt;b&gt;Adam" in text
    assert "not stated" in text


def test_a_picture(run: Callable, hostile: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "fit.svg"
    assert run("laws", "fit", hostile, *QUICK, "--plot", str(path)).code == 0
    assert path.read_bytes().startswith(b"<?xml")
    assert "exists" in refused(run, hostile, "--plot", str(path), code="exists")


@pytest.mark.parametrize("option", ["--card", "--plot"])
def test_files_that_cannot_be_made_are_refused_before_the_work(
    run: Callable, tmp_path: Path, option: str
) -> None:
    nothing = str(tmp_path / "absent.csv")  # its absence would be told next
    assert "must end in" in refused(run, nothing, option, "a.doc", code="bad_option")
    there = tmp_path / "there.svg" if option == "--plot" else tmp_path / "there.html"
    there.write_text("mine")
    assert "exists" in refused(run, nothing, option, str(there), code="exists")
    assert there.read_text() == "mine"


@pytest.mark.parametrize(("option", "name"), [("--card", "a.html"), ("--plot", "a.svg")])
def test_without_matplotlib_the_extra_is_named(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, option: str, name: str
) -> None:
    for module in ("matplotlib", "matplotlib.figure"):
        monkeypatch.setitem(sys.modules, module, None)
    said = refused(run, CHINCHILLA, option, str(tmp_path / name), code="missing_extra")
    assert "sizewise[plot]" in said
    assert list(tmp_path.iterdir()) == []


def test_lines_of_json(run: Callable, tmp_path: Path, grid: Rows) -> None:
    file = tmp_path / "runs.jsonl"
    file.write_text("\n".join(json.dumps({"N": n, "D": d, "L": loss}) for n, d, loss in grid))
    document = answer(run, str(file), "--n", "N", "--d", "D", "--loss", "L")
    assert document["columns"] == {"n": "N", "d": "D", "loss": "L"}


def test_an_export_of_weights_and_biases(run: Callable, write: Callable, grid: Rows) -> None:
    rows = [(f"run {place}", "finished", *row) for place, row in enumerate(grid)]
    head = "Name,State,config.n_params,tokens_seen,val/loss"
    options = ("--n", "config.n_params", "--d", "tokens_seen", "--loss", "val/loss", "--run", "Name")
    assert answer(run, write(rows, head), *options)["fit"]["points"] == 20


def test_an_export_of_curves_takes_sizes_and_steps(run: Callable, tmp_path: Path, grid: Rows) -> None:
    sizes: list[str] = []
    for place, (n, d, loss) in enumerate(grid):
        lines = ["Wall time,Step,Value", f"1.0,1,{loss + 1}", f"2.0,{d / 1e6:.0f},{loss}"]
        (tmp_path / f"run{place}.csv").write_text("\n".join(lines) + "\n")
        sizes += ["--size-of", f"run{place}={n:.0f}"]
    document = answer(run, str(tmp_path), *sizes, "--tokens-per-step", "1e6")
    assert document["fit"]["points"] == 20
    assert document["fit"]["coefficients"]["alpha"] == pytest.approx(0.35, abs=0.05)


def test_missing_cells_are_told_or_left_out(run: Callable, write: Callable, grid: Rows) -> None:
    file = write([*grid[:4], (1e9, "", 2.5), *grid[4:]])
    assert "row 5, column 'tokens' is missing" in refused(run, file)
    document = answer(run, file, "--skip-incomplete")
    assert document["fit"]["points"] == 20
    assert "rows_skipped" in codes(document)


@pytest.mark.parametrize(
    ("loss", "said"),
    [("0", "is 0"), ("-1", "is -1"), ("nan", "missing"), ("inf", "infinite"), ("high", "'high'")],
)
def test_losses_that_are_none(run: Callable, write: Callable, grid: Rows, loss: str, said: str) -> None:
    message = refused(run, write([*grid, (1e9, 1e9, loss)]))
    assert "row 21, column 'loss'" in message
    assert said in message


def test_runs_that_determine_no_law(run: Callable, write: Callable, grid: Rows) -> None:
    one_size = [(1e9, d * (1 + k), loss) for k in (0, 1) for n, d, loss in grid if n == 1e8]
    assert "every run has 1e+09 parameters" in refused(run, write(one_size))
    assert "cannot determine 5 coefficients" in refused(run, write(grid[:4]))
    assert "every run has the loss 2.5" in refused(run, write([(n, d, 2.5) for n, d, _ in grid]))
    beyond = [(n * 1e200, d * 1e200, loss) for n, d, loss in grid]
    assert "check their units" in refused(run, write(beyond))
    assert "no complete row" in refused(run, write([]))


def test_runs_along_a_ray_are_not_told_apart(run: Callable, write: Callable, grid: Rows) -> None:
    ray = [
        (n, 20 * n, 1.8 + 480 * n**-0.35 + 2100 * (20 * n) ** -0.37) for n in (1e8, 2e8, 4e8, 8e8, 2e9, 4e9)
    ]
    file = write(ray)
    document = answer(run, file)
    assert {"LAW10", "LAW11"} <= codes(document)
    assert "LAW15" not in codes(document)
    assert tuple(document["fit"]["coefficients"]) == tuple(document["intervals"]) == ("E", "K", "gamma")
    assert (document["target"], document["fit"]["params_exponent"]) == (None, None)
    assert document["line"] == {"ratio": pytest.approx(20), "power": 1, "formula": "D = 20 N"}
    along = document["along_line"]
    true = 1.8 + 480 * along["params"] ** -0.35 + 2100 * along["tokens"] ** -0.37
    assert along["loss"] == pytest.approx(true, rel=1e-3)
    assert along["intervals"]["loss"][0] <= along["loss"] <= along["intervals"]["loss"][1]
    shown = run("laws", "fit", file, *QUICK)
    assert "Best use" not in shown.out
    assert "alpha  " not in shown.out
    assert "not told: alpha, beta and the best size: all runs have D = 20 N" in shown.out
    rows = list(csv.DictReader(run("laws", "fit", file, *QUICK, "--format", "csv").out.splitlines()))
    assert [row["name"] for row in rows][:3] == ["E", "K", "gamma"]
    assert "all runs have D = 20 N" in refused(run, file, *QUICK, "--card", "card.md", code="bad_option")


def test_a_ray_is_fitted_within_the_time_of_a_service(run: Callable, write: Callable) -> None:
    ray = [
        (n, 20 * n, 1.9 + 300 * n**-0.32 + 900 * (20 * n) ** -0.33)
        for n in (4e7 * 1.08**k for k in range(60))
    ]
    before = time.perf_counter()
    found = run("laws", "fit", write(ray), "--json")
    assert found.code == 0, found.err
    assert json.loads(found.out)["bootstrap"]["replicates"] == 4000
    assert time.perf_counter() - before < 6


def test_as_many_runs_as_coefficients_have_a_warning(run: Callable, write: Callable, grid: Rows) -> None:
    document = answer(run, write([grid[place] for place in (0, 3, 6, 13, 19)]))
    assert any("5 runs for 5 coefficients" in warning["message"] for warning in document["warnings"])


def test_mixed_units_and_a_loss_below_the_floor_have_warnings(
    run: Callable, write: Callable, grid: Rows
) -> None:
    mixed = write([(n / 1e6 if place % 2 else n, d, loss) for place, (n, d, loss) in enumerate(grid)])
    assert {"LAW18", "LAW15", "LAW01", "LAW10"} & codes(answer(run, mixed))
    below = answer(run, write([*grid, (2e9, 4e10, 0.5)]))
    assert "LAW15" in codes(below)
    assert below["fit"]["coefficients"]["E"] > 1.5


def test_losses_in_an_absurd_unit_are_refused(run: Callable, write: Callable, grid: Rows) -> None:
    absurd = write([(n, d, loss * 1e300) for n, d, loss in grid])
    assert "row 1, column 'loss'" in refused(run, absurd)


def test_losses_in_another_unit_are_said(run: Callable, write: Callable, grid: Rows) -> None:
    document = answer(run, write([(n, d, loss * 100) for n, d, loss in grid]))
    assert "LAW18" in codes(document)
    assert document["fit"]["coefficients"]["alpha"] == pytest.approx(0.35, abs=0.05)


def test_losses_that_grow_have_no_best_size(run: Callable, write: Callable, grid: Rows) -> None:
    document = answer(run, write([(n, d, 5 - loss) for n, d, loss in grid]))
    assert document["target"] is None
    assert document["fit"]["params_exponent"] is None
    assert document["intervals"]["params_exponent"] is None
    assert document["refusals"] == ["no best size: A, B, alpha and beta have to be above 0"]


@pytest.mark.parametrize(
    ("option", "code"),
    [
        (("--n", "absent"), "bad_data"),
        (("--units", "q=3"), "bad_option"),
        (("--units", "n"), "bad_option"),
        (("--units", "n=furlongs"), "bad_option"),
        (("--where", "params=7"), "bad_data"),
        (("--size-of", "a=b"), "bad_option"),
        (("--delta", "0"), "bad_option"),
        (("--delta", "nan"), "bad_option"),
        (("--level", "1"), "bad_option"),
        (("--bootstrap", "1"), "bad_option"),
        (("--target", "0"), "bad_option"),
        (("--target", "-1e20"), "bad_option"),
        (("--form", "cubic"), "bad_option"),
    ],
)
def test_options_that_cannot_be(
    run: Callable, write: Callable, grid: Rows, option: tuple[str, ...], code: str
) -> None:
    refused(run, write(grid), *option, code=code)


def test_files_that_are_none(run: Callable, tmp_path: Path) -> None:
    refused(run, str(tmp_path / "absent.csv"), code="not_found")
    (tmp_path / "folder").mkdir()
    refused(run, str(tmp_path / "folder"), code="bad_data")
    for name in ("runs.pkl", "runs.csv"):
        (tmp_path / name).write_bytes(pickle.dumps({"a": 1}))
        assert "LAW21" in refused(run, str(tmp_path / name), code="unsupported_format")
