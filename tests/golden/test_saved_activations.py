"""Saved activations of real models: bytes of unique storages that torch keeps for the backward pass."""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.activations.pieces import pieces
from sizewise.activations.saved import saved_bytes, style_of
from sizewise.sources.config_json import from_config
from sizewise.tape.tape import Setting

FILE = Path(__file__).parent / "training" / "activations.json"
CASES = json.loads(FILE.read_text(encoding="utf-8"))["cases"]


def label(case: dict[str, Any]) -> str:
    fields = (case["config"]["model_type"], case["attention"], case["width"], case["batch"], case["sequence"])
    return "-".join(map(str, fields)) + ("-recompute" if case["recompute"] else "")


def test_the_cases_are_all_there() -> None:
    assert len(CASES) == 60
    assert {case["attention"] for case in CASES} == {"sdpa", "eager"}
    assert {case["config"]["model_type"] for case in CASES} >= {"llama", "mistral", "qwen2", "qwen3", "gpt2"}


@pytest.mark.parametrize("case", CASES, ids=label)
def test_saved_bytes_are_those_of_torch(case: dict[str, Any]) -> None:
    model = from_config(dict(case["config"]), name="x", origin="x")
    setting = Setting(
        batch=case["batch"], sequence=case["sequence"], width=case["width"], attention=case["attention"]
    )
    found = pieces(model.architecture, setting, style_of(model))
    assert saved_bytes(found, every=1 if case["recompute"] else 0) == case["saved_bytes"]
