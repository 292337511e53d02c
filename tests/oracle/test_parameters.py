"""Totals, names and shapes of every model type against its transformers class, for random configurations.

``SIZEWISE_ORACLE_SEED`` and ``SIZEWISE_ORACLE_CONFIGS`` (per type) make a run fresh or long.
"""

import json
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from sizewise.configuration import Config
from sizewise.errors import SizewiseError
from sizewise.families import describe, known_types

from . import encoders
from .choices import Fields
from .classes import Built, build, configuration, resolved
from .conftest import Oracle, Tally
from .generators import configurations

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]

COMPARED_SHARE = 0.8
SHOWN = 8


def named_class(model_type: str, fields: Fields) -> str | None:
    """Return the class that sizewise says a file means; None where the type's causal class is meant."""
    return describe(Config(fields, model_type)).model_class if model_type in encoders.RECIPES else None


def refuses(model_type: str, fields: Fields) -> bool:
    try:
        describe(Config(fields, model_type))
    except SizewiseError:
        return True
    return False


def spellings(configured: Any, fields: Fields) -> dict[str, Fields]:
    """The same configuration as the sparse file and with every field that the class resolves."""
    return {"sparse": fields, "resolved": resolved(configured)}


def difference(model_type: str, fields: Fields, built: Built) -> str:
    """Say how sizewise's reading differs from the class; empty where it does not."""
    try:
        architecture = describe(Config(fields, model_type))
    except SizewiseError as error:
        return f"only sizewise refuses it: {error}"
    ours = Counter((name, weight.shape) for name, weight in architecture.tensors())
    theirs = Counter(built.tensors)
    total = sum(weight.elements * copies for weight, copies in architecture.weights())
    found = {
        "class": (architecture.model_class, built.model_class),
        "total": (total, built.total),
        "first tensors": (first(ours - theirs), first(theirs - ours)),
    }
    return "\n".join(f"{what}: sizewise {a}, transformers {b}" for what, (a, b) in found.items() if a != b)


def first(tensors: Counter[tuple[str, tuple[int, ...]]]) -> list[tuple[str, tuple[int, ...]]]:
    return list(islice(sorted(tensors), SHOWN))


def mismatches(model_type: str, fields: Fields, tally: Tally) -> list[str]:
    """Compare one configuration in both spellings."""
    try:
        configured = configuration(model_type, fields)
        files = spellings(configured, fields)
        built = build(configured, named_class(model_type, fields))
    except Exception as error:  # noqa: BLE001 — whatever the class raises is a refusal
        if refuses(model_type, fields):
            tally.refused += 1
        else:
            tally.skipped[f"{type(error).__name__}: {str(error).strip()[:120]}"] += 1
        return []
    tally.compared += 1
    found = {spelling: difference(model_type, file, built) for spelling, file in files.items()}
    return [f"{spelling}: {what}\n{json.dumps(files[spelling])}" for spelling, what in found.items() if what]


@pytest.mark.parametrize("model_type", sorted(known_types()))
def test_tensors_are_those_of_the_class(model_type: str, oracle: Oracle) -> None:
    tally = oracle.tallies["tensors", model_type]
    found = [
        f"{model_type}, seed {oracle.seed}, configuration {index}, {mismatch}"
        for index, fields in enumerate(configurations(model_type, oracle.seed, oracle.configurations))
        for mismatch in mismatches(model_type, fields, tally)
    ]
    assert not found, "\n\n".join(found)
    assert tally.compared >= COMPARED_SHARE * tally.generated, str(tally)
