"""What sizewise predicts for a case: bytes of tensors, of the process, and the stated interval."""

from dataclasses import dataclass

from cases import Case

from sizewise.architecture import Model
from sizewise.ledger import Line
from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.running import run_memory
from sizewise.planning.training.memory import stage_memories
from sizewise.recipe import PRECISIONS, Adapter, Recipe
from sizewise.sources.config_json import from_config

RANK = 16
TARGETS = {"gpt2": ("c_attn",)}
"""Modules that get adapters, by model type; else those of the queries and values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Bytes on the device."""

    tensors: float
    total: float
    low: float
    high: float


def targets(case: Case) -> tuple[str, ...]:
    """Return the names of the modules that get adapters."""
    return TARGETS.get(case.config["model_type"], ("q_proj", "v_proj"))


def predicted(case: Case, *, on_cpu: bool) -> Prediction:
    """Predict a case; the loop gives the model's output back before the backward pass."""
    model = from_config(dict(case.config), name=case.model, origin="a configuration")
    line = _trained(model, case, on_cpu=on_cpu) if case.work == "train" else _run(model, case)
    overhead = sum(float(part.value) for part in line.parts if part.name == "overhead")
    low, high = line.interval
    return Prediction(tensors=line.value - overhead, total=line.value, low=low, high=high)


def _trained(model: Model, case: Case, *, on_cpu: bool) -> Line:
    adapter = Adapter(rank=RANK, targets=targets(case), width=4) if case.adapters else None
    recipe = Recipe(
        sequence=case.sequence,
        micro_batch=case.batch,
        method="lora" if case.adapters else "full",
        adapter=adapter,
        precision=PRECISIONS[case.precision],
        recompute=case.recompute,
        attention="sdpa-traced" if on_cpu and case.attention == "sdpa" else case.attention,
        implementation=case.optimizer,
        keeps_outputs=False,
        device="cpu" if on_cpu else "cuda",
    )
    return stage_memories(model, recipe)[0].line


def _run(model: Model, case: Case) -> Line:
    quant = "fp32" if case.precision == "fp32" else "bf16"
    asked = Asked(context=case.sequence, sequences=case.batch, quant=quant, runtime="transformers")
    return run_memory(model, scenario_for(model, asked)[0]).held[0].line
