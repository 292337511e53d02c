"""State of real optimizers: bytes and dtypes of every kind of state tensor, after a step of each."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from sizewise.catalog.optimizers import find_optimizer
from sizewise.recipe import PRECISIONS, Recipe
from sizewise.states.optimizer import kept
from sizewise.states.tensors import TrainedTensor
from sizewise.states.widths import widths

CASES = json.loads((Path(__file__).parent / "training" / "optimizer_states.json").read_text(encoding="utf-8"))
PRECISION = {"float32": PRECISIONS["fp32"], "bfloat16": PRECISIONS["bf16"]}
DTYPE = {4: "float32", 2: "bfloat16", 1: "uint8"}


def tensor_of(shape: list[int]) -> TrainedTensor:
    kind = "matrix" if len(shape) > 1 else "vector"
    return TrainedTensor(name="w", shape=tuple(shape), layers=(0,), kind=kind, role="feed_forward")


def measured(case: dict[str, Any]) -> dict[str, dict[str, int]]:
    """The bytes of each kind of state by dtype."""
    states = {name: found if isinstance(found[0], list) else [found] for name, found in case["state"].items()}
    return {name: {dtype: size for size, dtype in parts} for name, parts in states.items()}


def test_the_cases_are_all_there() -> None:
    assert len(CASES["cases"]) == 76
    assert sum(case["made"] in {"AdamW", "Muon", "Rprop"} for case in CASES["cases"]) == 6


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: f"{case['made']}-{case['param_dtype']}")
def test_state_is_that_of_the_optimizer(case: dict[str, Any]) -> None:
    recipe = Recipe(sequence=1, optimizer=case["optimizer"], precision=PRECISION[case["param_dtype"]])
    optimizer = find_optimizer(case["optimizer"])
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for tensor in map(tensor_of, case["params"]):
        for entry in kept(tensor, recipe):
            if entry.optimizer is optimizer:
                found[entry.slot.name][DTYPE[entry.number_bytes]] += entry.bytes
    assert found == measured(case)
    assert optimizer.tables == case.get("tables", 0)


@pytest.mark.parametrize("case", CASES["cases"], ids=lambda case: f"{case['made']}-{case['param_dtype']}")
def test_gradients_are_those_of_the_parameters(case: dict[str, Any]) -> None:
    recipe = Recipe(sequence=1, optimizer=case["optimizer"], precision=PRECISION[case["param_dtype"]])
    tensors = map(tensor_of, case["params"])
    assert sum(one.elements * widths(one, recipe).gradient for one in tensors) == case["grad_bytes"]
