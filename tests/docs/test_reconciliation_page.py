"""The figures of the reconciliation page that no example prints, recomputed from the package."""

import csv
import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sizewise.api import load, parameters
from sizewise.catalog.models import presets
from sizewise.footprint.weights import stored_elements
from sizewise.reconciliation import reconcile

_SPEC = importlib.util.spec_from_file_location("figures", Path(__file__).with_name("figures.py"))
assert _SPEC is not None
assert _SPEC.loader is not None
figures = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(figures)

PAGE = "reconciliation.md"
CONFIGS = Path(__file__).parents[1] / "golden" / "architectures" / "real_configs"


def totals_of_minimax() -> Iterator[str]:
    plain = int(parameters("MiniMaxAI/MiniMax-M2.5").value)
    config = json.loads((CONFIGS / "nvidia__MiniMax-M2.5-NVFP4.json").read_text())
    with (CONFIGS.parent / "truth.csv").open() as file:
        rows = {row["id"]: int(row["params_published"] or 0) for row in csv.DictReader(file)}
    published = rows["nvidia/MiniMax-M2.5-NVFP4"]
    (packing,) = reconcile(load(config), published).items
    assert plain + packing.elements == published
    yield f"is {plain:,} − {-packing.elements:,} = {published:,}, that of"
    items = reconcile(load("MiniMaxAI/MiniMax-M2.5"), rows["MiniMaxAI/MiniMax-M2.5"]).items
    scales = next(item.elements for item in items if item.name == "fp8_block_scales")
    yield f"has its {scales:,} scales"


def models_of_the_catalogue() -> Iterator[str]:
    found = [reconcile(load(row.id), row.published) for row in presets() if row.published is not None]
    plain = sum(one.explained and not one.items for one in found)
    explained = sum(one.explained and bool(one.items) for one in found)
    left = len(found) - plain - explained
    yield f"Of the {len(found)} models of the catalogue with a published total, {plain} have it without"
    yield f"any item and {explained} with items; {left} are left over"


def stored_and_logical() -> Iterator[str]:
    for shown, name, format in (
        ("Llama-3.1-8B in AWQ, groups of 128", "llama-3.1-8b", "awq"),
        ("gpt-oss-20b in MXFP4", "gpt-oss-20b", "mxfp4"),
    ):
        model = load(name)
        stored = stored_elements(model.architecture, figures.scheme_of(name, format))
        yield f"| {shown} | {stored:,} | {int(parameters(model).value):,} |"


CLAIMS = (totals_of_minimax, models_of_the_catalogue, stored_and_logical)


@pytest.mark.parametrize("claims", CLAIMS)
def test_page_states_what_the_package_answers(claims: figures.Claims) -> None:
    figures.check_claims(PAGE, claims)


def test_every_figure_of_the_page_is_claimed() -> None:
    figures.check_figures(PAGE, CLAIMS)
