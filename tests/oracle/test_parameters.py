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
from sizewise.families import describe

from . import choices_audio
from .choices import Fields
from .classes import CAUSAL, IMAGE_AND_TEXT, Built, build, configuration, resolved
from .conftest import Oracle, Tally
from .generators import ENCODERS, RECIPES, WRAPPERS, configurations

pytestmark = [pytest.mark.oracle, pytest.mark.filterwarnings("ignore")]

SHOWN_TENSORS = 8
SHOWN_MISMATCHES = 3


def named_class(model_type: str, fields: Fields) -> str:
    """Return the class of an encoder that a file or else sizewise names; elsewhere the mapping's class."""
    if model_type not in ENCODERS:
        mapped = IMAGE_AND_TEXT if model_type in WRAPPERS else CAUSAL
        return choices_audio.CLASSES.get(model_type, mapped)
    named: list[str] = fields.get("architectures") or [describe(Config(fields, model_type)).model_class]
    return named[0]


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
    except Exception as error:
        return f"only sizewise refuses it: {error!r}"
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
    return list(islice(sorted(tensors), SHOWN_TENSORS))


def mismatches(model_type: str, fields: Fields, tally: Tally) -> list[str]:
    """Compare one configuration in both spellings."""
    named = named_class(model_type, fields)
    try:
        configured = configuration(model_type, fields)
        files = spellings(configured, fields)
        built = build(configured, named)
    except Exception as error:
        if refuses(model_type, fields):
            tally.refused += 1
        else:
            tally.skip(error)
        return []
    tally.compared += 1
    found = {spelling: difference(model_type, file, built) for spelling, file in files.items()}
    return [f"{spelling}: {what}\n{json.dumps(files[spelling])}" for spelling, what in found.items() if what]


@pytest.mark.parametrize("model_type", sorted(RECIPES))
def test_tensors_are_those_of_the_class(model_type: str, oracle: Oracle) -> None:
    tally = oracle.tallies["tensors", model_type]
    found = [
        f"{model_type}, seed {oracle.seed}, configuration {index}, {mismatch}"
        for index, fields in enumerate(configurations(model_type, oracle.seed, oracle.configurations))
        for mismatch in mismatches(model_type, fields, tally)
    ]
    assert not found, "\n\n".join([f"{len(found)} mismatches", *found[:SHOWN_MISMATCHES]])
    tally.assert_enough()
