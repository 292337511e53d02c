"""What a profile predicts before anything is run, from the description of the model's architecture."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from sizewise.activations.inference import LOOKS, forward_peak, inference_pieces, moved_bytes
from sizewise.activations.saved import style_of
from sizewise.architecture import Model
from sizewise.counting import count
from sizewise.errors import SizewiseError
from sizewise.flops import forward_flops, training_flops
from sizewise.lab.profiling.answer import ARCHITECTURE, Side
from sizewise.lab.profiling.class_work import Beside, beside_need
from sizewise.notices import Notice
from sizewise.planning.defaults import Asked
from sizewise.planning.memory import answer_memory
from sizewise.planning.training.memory import StageMemory, stage_memories
from sizewise.recipe import PRECISIONS, AttentionKernel, Recipe
from sizewise.tape.setting import Setting

IDENTIFIER = 8
"""Bytes of an identifier of a token."""
WIDTHS = {"fp32": 4, "fp16": 2, "bf16": 2}
"""Formats that models are run in here, and bytes per number."""
PHASES = {
    "training_forward": ("forward pass",),
    "training_backward": ("backward pass of the loss", "backward pass"),
    "training_step": ("optimizer step",),
}
"""Our phases of a step by the profile's names."""

WORTH_TELLING = 0.001
"""Share of a forward pass from which on FLOPs that a class does beside its model's need are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is run: B sequences of S tokens, numbers in ``dtype``; names of ``frozen`` parameters."""

    batch: int
    sequence: int
    dtype: str
    attention: AttentionKernel = "sdpa"
    frozen: tuple[str, ...] = ()
    cuda: bool = False
    fused_scans: bool = False
    """Kernels for scans and short convolutions are installed, else the class does torch operations."""
    buffers: int = 0
    """Bytes that the class registers beside its weights (masks of all positions, tables of rotations)."""

    @property
    def width(self) -> int:
        """Bytes per number."""
        return WIDTHS[self.dtype]


def expected(model: Model, load: Load) -> tuple[Side, tuple[Notice, ...]]:
    """Return parameters, memory and compute of a model, and what of it is only an estimate."""
    pieces = inference_pieces(model, _setting(load))
    recipe = _recipe(load)
    memory, notices = _memory(model, load, forward_peak(pieces))
    stage, refused = _stage(model, recipe)
    if stage is not None:
        memory |= _training(stage, load.buffers)
    forward = forward_flops(model, tokens=load.sequence, sequences=load.batch)
    beside = beside_need(model, pieces, tokens=load.batch * load.sequence, fused=load.fused_scans)
    flops = int(forward.value) + beside.forward
    moved = moved_bytes(pieces)
    step = training_flops(model, replace(recipe, attention="eager") if _composed(model, load) else recipe)
    backward = sum(int(step.part(part).value) for part in ("forward", "backward", "recomputed"))
    found = count(model)
    assumed = [Notice(code="assumed", message=pieces.assumed)] if pieces.assumed else []
    roles = Counter({part.name: int(part.value) for part in forward.parts})
    roles.update({beside.role: beside.forward} if beside.role else {})
    side = Side(
        source=ARCHITECTURE,
        parameters=_parameters(found.total.value, found.trainable, found.non_trainable, load),
        memory=memory,
        compute={
            "forward_flops": flops,
            "forward_macs": flops // 2,
            "training_flops": load.batch * backward + beside.forward + beside.backward,
            "moved_bytes": moved,
            "intensity": flops / moved,
        },
        roles=dict(roles),
        operators=sum(step.name not in LOOKS for piece in pieces.all for step in piece.steps),
    )
    return side, (*notices, *refused, *assumed, *_told(beside, int(forward.value)))


def _told(beside: Beside, needed: int) -> tuple[Notice, ...]:
    """Return what is said of a class that does other operations than its model needs."""
    if beside.unknown:
        text = "FLOPs of scans are those that the model needs; its class does them in other operations"
        return (Notice(code="assumed", message=text),)
    if abs(beside.forward) < WORTH_TELLING * needed:
        return ()
    text = (
        f"the model needs {needed:,} FLOPs for a forward pass; its class of transformers does "
        f"{abs(beside.forward):,} {'more' if beside.forward > 0 else 'fewer'}, which is predicted"
    )
    return (Notice(code="class_work", message=text),)


def _composed(model: Model, load: Load) -> bool:
    """Tell whether a step's scores are tensors though a kernel is asked for: on a CPU torch has none then.

    Its kernel takes values as wide as keys, and drops no shares.
    """
    if load.cuda:
        return False
    scores = [one for one, _ in model.architecture.operations() if one.kind == "scores" and one.outputs]
    unequal = any(one.macs_per_key != 2 * one.outputs for one in scores)
    return unequal or bool(style_of(model).attention_dropout)


def _parameters(total: float, trainable: int, frozen: int, load: Load) -> dict[str, float]:
    """Return the counts; where the module freezes parameters the architecture cannot know how many train."""
    if load.frozen:
        return {"total": int(total)}
    return {"total": int(total), "trainable": trainable, "non_trainable": frozen}


def _setting(load: Load) -> Setting:
    return Setting(
        batch=load.batch,
        sequence=load.sequence,
        width=load.width,
        attention=load.attention,
        device="cuda" if load.cuda else "cpu",
        kernels=load.fused_scans,
    )


def _recipe(load: Load) -> Recipe:
    """Return the step of training that is run: AdamW tensor by tensor, the loop holds the output."""
    return Recipe(
        sequence=load.sequence,
        micro_batch=load.batch,
        precision=PRECISIONS["fp32" if load.dtype == "fp32" else "bf16"],
        attention=load.attention,
        frozen=load.frozen,
        implementation="loop",
        device="cuda" if load.cuda else "cpu",
        fused_scans=load.fused_scans,
    )


def _memory(model: Model, load: Load, peak: int) -> tuple[dict[str, float], tuple[Notice, ...]]:
    """Return weights, cache, and the highest moment of a forward pass that keeps no cache."""
    asked = Asked(
        context=load.sequence,
        sequences=load.batch,
        quant=None if model.quantization else load.dtype,
        kv_cache_dtype=load.dtype,
        runtime="transformers",
    )
    try:
        line = answer_memory(model, asked).line
    except SizewiseError as error:
        return {}, (Notice(code=error.code, message=f"memory is not predicted: {error.message}"),)
    weights, cache = int(line.part("weights").value), int(line.part("cache").value)
    found = {"weights": weights, "cache": cache} if cache else {"weights": weights}
    identifiers = IDENTIFIER * load.batch * load.sequence
    return {**found, "inference": weights + peak + identifiers + load.buffers}, ()


def _stage(model: Model, recipe: Recipe) -> tuple[StageMemory | None, tuple[Notice, ...]]:
    try:
        (stage,) = stage_memories(model, recipe)
    except SizewiseError as error:
        return None, (Notice(code=error.code, message=f"training is not predicted: {error.message}"),)
    return stage, ()


def _training(stage: StageMemory, buffers: int) -> dict[str, float]:
    """Return the phases of a step and the highest, without what a process takes beside tensors."""
    found = {
        name: buffers + max(stage.phases[phase] for phase in ours if phase in stage.phases)
        for name, ours in PHASES.items()
    }
    return {"training": max(found.values()), **found}


def role_of_modules(model: Model) -> Mapping[str, str]:
    """Return the role of every module whose weights have one role, by its path in the transformers class.

    Norms beside others have no say: what a mixer does outside its parts is its own.
    """
    roles: dict[str, set[str]] = {}
    with suppress(SizewiseError):
        for name, weight in model.architecture.tensors():
            path = name.rpartition(".")[0]
            while path:
                roles.setdefault(path, set()).add(weight.role)
                path = path.rpartition(".")[0]
    told = {path: found - {"norm"} or found for path, found in roles.items()}
    return {path: found.pop() for path, found in told.items() if len(found) == 1}
