"""FLOPs of a step of distillation, predicted from both configurations and counted on the models."""

import copy
import json
from typing import Any

import torch

from sizewise.errors import SizewiseError
from sizewise.flops import forward_flops, training_flops
from sizewise.lab.distilling.asked import Schooling
from sizewise.lab.distilling.loss import distillation_loss
from sizewise.lab.figures import Figure
from sizewise.lab.passes import logits_of, told
from sizewise.lab.profiling.counting import count
from sizewise.recipe import PRECISIONS, Recipe
from sizewise.sources.config_json import from_config


def step_flops(teacher: Any, student: Any, schooling: Schooling) -> Figure:
    """Return the FLOPs of one step of all processes: the student's passes, the teacher's forward pass."""
    return Figure(
        predicted=_predicted(teacher, student, schooling),
        measured=_counted(teacher, student, schooling),
    )


def _predicted(teacher: Any, student: Any, schooling: Schooling) -> int | None:
    try:
        large, small = (
            from_config(json.loads(each.config.to_json_string(use_diff=False)), name="model", origin="config")
            for each in (teacher, student)
        )
    except SizewiseError:
        return None
    recipe = Recipe(sequence=schooling.length, device="cpu", precision=PRECISIONS["fp32"])
    own = training_flops(small, recipe).value
    return int(schooling.batch * (own + forward_flops(large, tokens=schooling.length).value))


def _counted(teacher: Any, student: Any, schooling: Schooling) -> int:
    """Return the FLOPs of one sequence on a copy of the student, times the sequences of a step."""
    copied = copy.deepcopy(student).eval()
    vocabulary = copied.get_input_embeddings().weight.shape[0]
    ids = torch.arange(schooling.length)[None] % vocabulary

    def step() -> None:
        teacher.requires_grad_(False)  # torch's counter fails on a parameter that is handed to a module
        with torch.no_grad():
            wanted = logits_of(teacher, ids)
        said = logits_of(copied, ids)
        loss = distillation_loss(said, wanted, ids, temperature=schooling.temperature, alpha=schooling.alpha)
        with told(copied, "a backward pass"):
            loss.backward()

    return schooling.batch * count(step).flops
