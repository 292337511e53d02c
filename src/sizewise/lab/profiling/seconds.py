"""The times that the speed model predicts for a profile, on the device that is named or measured here."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sizewise.architecture import Model
from sizewise.errors import SizewiseError
from sizewise.lab.profiling.answer import Side
from sizewise.lab.profiling.rates import Rates
from sizewise.notices import Notice
from sizewise.planning.speed.option_values import speed_asked
from sizewise.planning.speed.plan import plan_speed
from sizewise.planning.training.plan import plan_training
from sizewise.planning.training_values import training_asked

PRECISION = {"fp32": "fp32", "bf16": "bf16", "fp16": "bf16"}
"""By the format of a model: the recipe of training whose products have its width."""
GIVEN = "bf16-mixed"
"""The recipe for fp32 on a device of three numbers, whose one rate is that of the format that is meant."""

TRAINED = 3
"""Operators of a step for each of its forward pass, the backward pass having two (assumed)."""
UPDATES = 12
"""Operators by which AdamW updates a tensor (torch 2.13, _single_tensor_adamw)."""
WIDEST = 3
"""How many times as long a start may take: functions of Python around an operator (assumed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Seconds by quantity (prompt, token, step), 90 % intervals of them, and what is not predicted."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


def expected_seconds(
    model: Model, *, on: str, dtype: str, batch: int, sequence: int, answer: int, training: bool
) -> Expected:
    """Return the times of a prompt, of a token after it and of a step, on a device as ``--on`` takes it.

    A time that the model of speed refuses is left out, with its reason.
    """
    served = _served(model, on=on, dtype=dtype, batch=batch, sequence=sequence, answer=answer)
    if not training:
        return served
    step = _step(model, on=on, dtype=dtype, batch=batch, sequence=sequence)
    return Expected(
        seconds={**served.seconds, **step.seconds},
        intervals={**served.intervals, **step.intervals},
        notices=(*served.notices, *step.notices),
    )


def least_seconds(side: Side, rates: Rates) -> Expected:
    """Return the least that a forward pass takes by a machine's measured rates: its bytes or its FLOPs.

    Not less than starting its operators takes.
    """
    work = side.compute
    seconds = max(work["moved_bytes"] / rates.bandwidth, work["forward_flops"] / rates.flops)
    return started(Expected(seconds={"forward": seconds}), side, rates, tensors=0)


def started(found: Expected, side: Side, rates: Rates, *, tensors: int) -> Expected:
    """Return times with what starting operators takes, which is most of a small model's.

    A step of training starts three times as many, and AdamW's for each of ``tensors`` parameters.
    """
    every = side.operators * rates.start
    further = {"step": TRAINED * every + UPDATES * tensors * rates.start}
    seconds = {name: time + further.get(name, every) for name, time in found.seconds.items()}
    intervals = {
        name: (low, high + WIDEST * further.get(name, every)) for name, (low, high) in found.intervals.items()
    }
    text = (
        f"times hold {side.operators:,} starts of operators (a step more) of {rates.start * 1e6:.1f} µs: "
        "the smallest layer takes that here"
    )
    notices = (*found.notices, Notice(code="assumed", message=text)) if seconds else found.notices
    return Expected(seconds=seconds, intervals=intervals, notices=notices)


def _served(model: Model, *, on: str, dtype: str, batch: int, sequence: int, answer: int) -> Expected:
    options = {
        "on": on,
        "quant": None if model.quantization else dtype,
        "runtime": "transformers",
        "input": sequence,
        "output": answer,
        "concurrency": float(batch),
    }
    try:
        found = plan_speed(model, speed_asked(options))
    except SizewiseError as error:
        return _refused("prompts and tokens", error)
    return Expected(
        seconds={"prompt": batch * found.prompt_seconds, "token": found.tpot.value},
        intervals={"token": (found.tpot.low, found.tpot.high)},
    )


def _step(model: Model, *, on: str, dtype: str, batch: int, sequence: int) -> Expected:
    options = {
        "on": on,
        "seq": sequence,
        "micro_batch": batch,
        "global_batch": batch,
        "precision": GIVEN if on.startswith("custom") and dtype == "fp32" else PRECISION[dtype],
        "optimizer": "adamw",
        "optimizer_kernel": "loop",
    }
    try:
        found = plan_training(model, training_asked(model, options))
    except SizewiseError as error:
        return _refused("steps", error)
    if found.time is None:
        return Expected()
    step = found.time.step
    return Expected(seconds={"step": step.value}, intervals={"step": (step.low, step.high)})


def _refused(what: str, error: SizewiseError) -> Expected:
    return Expected(
        notices=(Notice(code=error.code, message=f"times of {what} are not predicted: {error.message}"),)
    )
