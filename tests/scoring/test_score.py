"""Scores of made-up and of shipped rows."""

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from sizewise.catalog.measurements import Bound, Measurement, measurement_sets, measurements
from sizewise.errors import UsageError
from sizewise.report.scores import followed_version
from sizewise.runtimes.registry import RUNTIMES
from sizewise.scoring.asking import asked_for
from sizewise.scoring.predicting import prediction
from sizewise.scoring.score import Score, Scored, chosen_sets, scores
from sizewise.scoring.training import recipe_for
from sizewise.units import MIB

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "src" / "sizewise" / "facts" / "measurements"
TRUTH = measurement_sets()[0]


def scored(measured: float, predicted: float | None, *, rounding: float = 0, margin: float = 0) -> Scored:
    return Scored(
        measurement=Measurement(model="made up", told={}, measured=measured),
        rounding=rounding,
        predicted=predicted,
        low=(predicted or 0) - margin,
        high=(predicted or 0) + margin,
    )


def test_rounding_of_the_truth_is_no_error() -> None:
    row = scored(1.01 * MIB, 1.005 * MIB, rounding=0.005 * MIB)
    assert row.exact
    assert row.inside
    assert not scored(1.01 * MIB, 1.004 * MIB, rounding=0.005 * MIB).exact


def test_a_score_counts_exact_near_and_inside() -> None:
    rows = (
        scored(100 * MIB, 100 * MIB),
        scored(100 * MIB, 101 * MIB),
        scored(100 * MIB, 104 * MIB, margin=5 * MIB),
        scored(100 * MIB, 150 * MIB, margin=5 * MIB),
    )
    score = Score(truth=TRUTH, rows=rows)
    assert (score.exact, score.within_mib, score.near, score.inside) == (1, 2, 3, 2)
    assert score.median_error == pytest.approx(0.025)
    assert [row.error for row in score.worst(2)] == [0.5, 0.04]


def test_a_refused_row_is_not_left_out() -> None:
    refused = replace(scored(5, None), refusal="no such model")
    score = Score(truth=replace(TRUTH, bound=Bound(exact=0.6)), rows=(scored(5, 5), refused))
    assert (score.refused, score.exact, score.inside) == (1, 1, 1)
    assert score.median_error == 0
    assert not score.holds
    assert score.worst(3) == (refused,)


@pytest.mark.parametrize("bound", [Bound(exact=1.0), Bound(inside=1.0), Bound(median=0.1)])
def test_each_bound_can_be_missed(bound: Bound) -> None:
    row = scored(100, 120)
    assert not Score(truth=replace(TRUTH, bound=bound), rows=(row,)).holds
    assert Score(truth=replace(TRUTH, bound=bound), rows=(scored(100, 100),)).holds


def test_every_shipped_set_holds_its_bound() -> None:
    heard: list[tuple[int, int]] = []
    found = scores(chosen_sets(), lambda done, count: heard.append((done, count)))
    assert [score.truth.name for score in found if not score.holds] == []
    rows = sum(len(score.rows) for score in found)
    assert heard[-1] == (rows, rows)
    assert rows > 3000


def test_sets_are_complete() -> None:
    names = [one.name for one in measurement_sets()]
    assert len(names) == len(set(names))
    for one in measurement_sets():
        assert one.source
        assert one.license
        assert one.checked >= "2026-11"
        assert bool(one.column) != bool(one.across)
        assert any(True for _ in measurements(one))


def test_shipped_rows_are_those_of_the_golden_tables() -> None:
    path = ROOT / "validation" / "shipped_measurements.py"
    spec = importlib.util.spec_from_file_location("shipped_measurements", path)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    for name, text in script.files().items():
        assert (SHIPPED / name).read_text(encoding="utf-8") == text, name


def test_sets_are_chosen_by_name() -> None:
    assert {one.engine for one in chosen_sets(["cache"])} == {"llama.cpp", "transformers", "vllm"}
    with pytest.raises(UsageError, match="did you mean vllm"):
        chosen_sets(engines=["vlm"])
    with pytest.raises(UsageError, match="no measurement of gguf"):
        chosen_sets(["gguf"], ["vllm"])


def test_columns_become_options_in_their_types() -> None:
    asked = asked_for(
        {"context": "4096", "utilization": "0.9", "eager": "1", "tensor": "2", "quant": "fp8"}, "vllm"
    )
    assert (asked.context, asked.runtime, asked.quant) == (4096, "vllm", "fp8")
    assert (asked.engine.utilization, asked.engine.eager, asked.layout.tensor) == (0.9, True, 2)
    with pytest.raises(AssertionError, match="no option is called"):
        asked_for({"contxt": "1"}, "vllm")


def test_training_runs_are_predicted_as_the_planner_does() -> None:
    (score,) = scores(chosen_sets(["training"]))
    small = [row for row in score.rows if row.measurement.model == "llama-3.1-8b"]
    assert (len(score.rows), len(small), score.refused) == (12, 10, 0)
    assert max(abs(row.error) for row in small) < 0.055
    assert score.median_error < 0.03
    recipe = recipe_for(small[5].measurement.told)
    assert (recipe.sharding.data, recipe.sharding.context, recipe.sharding.zero) == (2, 4, 3)
    assert recipe.fused_norms
    line = prediction("llama-3.1-8b", "torchtitan", small[0].measurement.told).line("weights")
    assert line.value == 4 * 8_030_261_248 / 8
    with pytest.raises(AssertionError, match="no column is called"):
        recipe_for({"contxt": "1"})


def test_versions_that_predictions_follow_are_named() -> None:
    (chosen,) = chosen_sets(["training"])
    assert followed_version(chosen) == "torch 2.13 (FSDP2)"
    assert followed_version(TRUTH) == RUNTIMES[TRUTH.engine].version
