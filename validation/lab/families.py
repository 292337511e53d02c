"""Profiles of random small models of every type: predicted against counted and measured.

Needs the extra lab; run from the root of the repository. Each line: type, whether the class was compared
with torch (else an estimate), measured over predicted FLOPs and memory of a forward pass and of a step.

    python -m validation.lab.families [TYPE ...]
"""

import sys
from copy import deepcopy
from typing import Any

import torch
from tests.lab.pairs import ALWAYS
from tests.oracle.classes import CAUSAL, configuration, model
from tests.oracle.generators import ENCODERS, RECIPES, WRAPPERS, configurations
from tests.oracle.runnable import changes
from transformers.utils import logging

from sizewise.errors import SizewiseError
from sizewise.lab import profile

SEED, TRIES = "profiles", 10
BATCH, SEQUENCE = 2, 96
AMOUNTS = {"compute": ("forward_flops", "training_flops"), "memory": ("inference", "training")}


def first_that_runs(model_type: str) -> Any:
    """Return a random model that a forward pass runs through, None where no configuration gives one."""
    tables = (*changes(model_type), ALWAYS.get(model_type, {}))
    for fields in configurations(model_type, SEED, TRIES, *tables):
        try:
            made = model(configuration(model_type, deepcopy(fields)), CAUSAL).float().eval()
            made(input_ids=torch.full((BATCH, SEQUENCE), 3), use_cache=False)
        except (ArithmeticError, LookupError, NotImplementedError, RuntimeError, TypeError, ValueError):
            continue
        return made
    return None


def line(model_type: str) -> str:
    """Return the ratios of a type."""
    made = first_that_runs(model_type)
    if made is None:
        return f"{model_type} no configuration runs"
    try:
        found = profile(made, batch=BATCH, sequence=SEQUENCE, timed=False)
    except SizewiseError as error:
        return f"{model_type} {error.message}"
    compared = "estimated" if any(one.code == "assumed" for one in found.notices) else "compared"
    ratios = [found.figures(block)[name].ratio for block, names in AMOUNTS.items() for name in names]
    return " ".join([model_type, compared, *("-" if one is None else f"{one:.4f}" for one in ratios)])


def main(arguments: list[str]) -> None:
    """Print a line per type, of those that are named or of all causal language models."""
    torch.set_num_threads(1)
    logging.set_verbosity(50)
    print("type class forward_flops training_flops forward_memory training_memory")
    for model_type in arguments or sorted(RECIPES.keys() - ENCODERS.keys() - WRAPPERS.keys()):
        print(line(model_type), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
