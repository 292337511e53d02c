"""Counts, names and shapes against what transformers 5.23 builds on the meta device.

Rows and their origin: ``architectures/SOURCES.md``.
"""

import csv
import gzip
import hashlib
import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture
from sizewise.configuration import Config
from sizewise.families import describe, known_types

DATA = Path(__file__).parent / "architectures"


def rows(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(DATA / name, "rt") if name.endswith(".gz") else (DATA / name).open() as file:
        for line in file:
            if line.strip():
                yield json.loads(line)


def build(raw: dict[str, Any], model_type: str) -> Architecture:
    return describe(Config(raw, model_type))


def of_class(row: dict[str, Any]) -> dict[str, Any]:
    """The config with the class that the row was built with: a type may have several."""
    return {**row["config"], "architectures": [row["class"]]}


def total(architecture: Architecture) -> int:
    return sum(weight.elements * layers for weight, layers in architecture.weights())


def covered(model_type: str) -> bool:
    return model_type in known_types()


def by_type(name: str) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in rows(name):
        found[row["model_type"]].append(row)
    return found


RANDOM = by_type("random_truth.jsonl.gz")
RANDOM_CONFIGS = by_type("random_configs.jsonl.gz")


@pytest.mark.parametrize("model_type", sorted(RANDOM))
def test_random_configurations_have_the_total_of_the_class(model_type: str) -> None:
    for row in RANDOM[model_type]:
        assert total(build(row["overrides"], model_type)) == row["total"], row["overrides"]


@pytest.mark.parametrize("model_type", sorted(filter(covered, RANDOM_CONFIGS)))
@pytest.mark.parametrize("field", ["config", "resolved"])
def test_names_and_shapes_are_those_of_the_class(model_type: str, field: str) -> None:
    for row in RANDOM_CONFIGS[model_type]:
        architecture = build(row[field], model_type)
        assert total(architecture) == row["total"], row["id"]
        lines = sorted(
            f"{name} {'x'.join(map(str, weight.shape)) or 'scalar'}"
            for name, weight in architecture.tensors()
        )
        if "names" in row:
            assert lines == row["names"], row["id"]
        assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == row["names_sha256"], row["id"]


def default_rows() -> list[dict[str, Any]]:
    defaults = {row["model_type"]: row["config"] for row in rows("default_configs.jsonl.gz")}
    return [
        {**row, "config": defaults[row["model_type"]]}
        for row in rows("shape_catalogue.jsonl.gz")
        if covered(row["model_type"]) and row["model_type"] in defaults
    ]


@pytest.mark.parametrize("row", default_rows(), ids=lambda row: row["model_type"])
def test_class_defaults_have_the_patterns_of_the_class(row: dict[str, Any]) -> None:
    architecture = build(of_class(row), row["model_type"])
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for name, weight in architecture.tensors():
        folded = re.sub(r"\.\d+(?=\.)", ".N", name)
        found[folded]["x".join(map(str, weight.shape)) or "scalar"] += 1
    assert {name: dict(shapes) for name, shapes in found.items()} == row["patterns"]


def default_totals() -> list[dict[str, Any]]:
    defaults = {row["model_type"]: row["config"] for row in rows("default_configs.jsonl.gz")}
    with (DATA / "meta_truth.csv").open() as file:
        truth = [row for row in csv.DictReader(file) if row["total"] and covered(row["model_type"])]
    return [{**row, "config": defaults[row["model_type"]]} for row in truth if row["model_type"] in defaults]


@pytest.mark.parametrize("row", default_totals(), ids=lambda row: row["model_type"])
def test_class_defaults_have_the_total_of_the_class(row: dict[str, Any]) -> None:
    assert total(build(of_class(row), row["model_type"])) == int(row["total"])


@pytest.mark.parametrize("row", list(rows("confirmed_configs.jsonl")), ids=lambda row: row["id"])
def test_confirmed_configurations_have_the_published_total(row: dict[str, Any]) -> None:
    if not covered(row["model_type"]):
        pytest.skip("type not covered yet")
    assert total(build(row["config"], row["model_type"])) == row["params_published"]


def real_rows() -> list[dict[str, str]]:
    with (DATA / "truth.csv").open() as file:
        return [row for row in csv.DictReader(file) if row["meta_total"] and covered(row["model_type"])]


@pytest.mark.parametrize("row", real_rows(), ids=lambda row: row["id"])
def test_real_files_have_the_total_of_the_class(row: dict[str, str]) -> None:
    raw = json.loads((DATA / row["file"]).read_text())
    assert total(build(raw, row["model_type"])) == int(row["meta_total"])
