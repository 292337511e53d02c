"""Published totals of checkpoints, itemised: model parameters plus named items, nothing left over.

Rows and their origin: ``architectures/SOURCES.md``.
"""

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.api import load
from sizewise.catalog.models import Preset, presets
from sizewise.reconciliation import reconcile
from sizewise.sources.config_json import from_config

DATA = Path(__file__).parent / "architectures"
ROWS = [json.loads(line) for line in (DATA / "reconciliations.jsonl").read_text().splitlines() if line]


def configuration(row: dict[str, Any]) -> dict[str, Any]:
    if "config_file" in row:
        found: dict[str, Any] = json.loads((DATA / row["config_file"]).read_text())
        return found
    return dict(row["config"])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["id"])
def test_published_totals_are_explained_to_the_last_element(row: dict[str, Any]) -> None:
    model = from_config(configuration(row), name=row["id"], origin="golden")
    found = reconcile(model, row["params_published"])
    assert found.parameters == row["model_params"]
    assert {item.name: item.elements for item in found.items} == row["items"]
    assert found.residual == row["residual"] == 0
    assert found.line.value == found.total == row["params_published"]


PACKED = ("GLM-5-FP8", "GLM-5.1-NVFP4", "Gemma-4-26B-A4B-NVFP4", "MiniMax-M2.5-NVFP4", "Qwen3.6-27B-NVFP4")


def packed_rows() -> list[dict[str, str]]:
    with (DATA / "truth.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["id"].rpartition("/")[2] in PACKED]


@pytest.mark.parametrize("row", packed_rows(), ids=lambda row: row["id"])
def test_totals_of_packed_checkpoints_are_explained(row: dict[str, str]) -> None:
    config = json.loads((DATA / row["file"]).read_text())
    found = reconcile(from_config(config, name=row["id"], origin="golden"), int(row["params_published"]))
    assert found.parameters == int(row["meta_total"])
    assert found.explained


NOT_LISTED = "positions, norms and biases outside the listed total"
"""A kind of difference that is no item: some lists count the matrices of OPT alone."""


@pytest.mark.parametrize("preset", [p for p in presets() if p.reproduced], ids=lambda preset: preset.id)
def test_presets_come_out_to_their_published_total(preset: Preset) -> None:
    assert preset.published is not None
    found = reconcile(load(preset.id), preset.published)
    assert found.explained is (NOT_LISTED not in preset.published_minus_model)
    if preset.published == found.parameters:
        assert not found.items
