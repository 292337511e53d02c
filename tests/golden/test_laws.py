"""Published laws at given points: values computed from the formulas of the papers, to 14 digits."""

import json
from pathlib import Path
from typing import Any

import pytest

from sizewise.catalog.laws import published_laws
from sizewise.errors import UsageError
from sizewise.scaling import law

CHECKS = json.loads((Path(__file__).parent / "laws" / "registry_checks.json").read_text(encoding="utf-8"))


def repeats_less_than_once(check: dict[str, Any]) -> bool:
    return check["inputs"].get("unique_tokens", 0) > check["inputs"].get("tokens", 0)


def test_every_law_is_checked() -> None:
    assert len(CHECKS) == 187
    assert {check["law"] for check in CHECKS} == set(published_laws())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check["law"])
def test_the_formula_gives_the_value(check: dict[str, Any]) -> None:
    found = law(check["law"])
    inputs = [check["inputs"][name] for name in found.published.variables]
    assert found.form.value(*inputs) == pytest.approx(check["value"], rel=1e-12, abs=0)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check["law"])
def test_the_law_gives_the_value(check: dict[str, Any]) -> None:
    found = law(check["law"])
    if repeats_less_than_once(check):
        with pytest.raises(UsageError, match="unique_tokens"):
            found.predict(**check["inputs"])
    else:
        assert found.predict(**check["inputs"]) == pytest.approx(check["value"], rel=1e-12, abs=0)
