"""Predict the memory of a device in a training run that was measured."""

from collections.abc import Mapping

from sizewise.architecture import Model
from sizewise.ledger import Line
from sizewise.planning.training.memory import stage_memories
from sizewise.recipe import PRECISIONS, Recipe, Sharding
from sizewise.scoring.asking import TRUE

DEVICE = "memory per device"
READ = frozenset(
    ("context", "micro_batch", "devices", "tensor", "context_parallel", "compiled", "recompute", "float8")
)
"""Columns of a run; ``float8`` says that products are computed in 8 bit: what is kept stays in 16."""


def recipe_for(told: Mapping[str, str]) -> Recipe:
    """Return the recipe of a run of torchtitan: FSDP in bf16 on fp32 weights, flash attention.

    >>> recipe_for({"context": "8192", "micro_batch": "2", "devices": "8", "recompute": "full"}).sharding.data
    8
    """
    unknown = set(told) - READ
    assert not unknown, f"no column is called {sorted(unknown)}"
    tensor, context = int(told.get("tensor", 1)), int(told.get("context_parallel", 1))
    return Recipe(
        sequence=int(told["context"]),
        micro_batch=int(told["micro_batch"]),
        precision=PRECISIONS["bf16-mixed"],
        recompute="full" if told["recompute"] == "full" else "selective",
        attention="flash",
        fused_norms=told.get("compiled") == TRUE,
        sharding=Sharding(
            data=int(told["devices"]) // (tensor * context), tensor=tensor, context=context, zero=3
        ),
    )


class TrainingPrediction:
    """One training run: what a device needs."""

    def __init__(self, model: Model, told: Mapping[str, str]) -> None:
        """Plan the run; raises what the training planner would raise."""
        self._stages = stage_memories(model, recipe_for(told))

    def line(self, name: str) -> Line:
        """Return the memory of a first-stage device, or a part of it; raises KeyError when there is none."""
        line = self._stages[0].line
        return line if name == DEVICE else line.part(name)
