"""The loop that trains a student, with a teacher or on the text alone.

What a step does follows from its number alone (its sequences, its learning rate, its dropout), so that a
run that was stopped and goes on from a checkpoint is the run that was not stopped.
"""

import math
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch

from sizewise.errors import InputError, UsageError
from sizewise.lab.distilling.asked import Schooling
from sizewise.lab.distilling.checkpoints import Standing, read_standing, write_standing
from sizewise.lab.distilling.interrupts import between_steps
from sizewise.lab.distilling.loss import distillation_loss
from sizewise.lab.distilling.processes import Processes
from sizewise.lab.passes import logits_of, told
from sizewise.lab.profiling.untouched import untouched

FLOOR = 0.1
"""What is left of the learning rate at the end."""
APART = 1_000_003
"""How far the seeds of two runs are apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Class:
    """A student, its teacher (None: it learns from the text alone), and the sequences [N, S] that it sees."""

    student: Any
    teacher: Any
    sequences: torch.Tensor
    schooling: Schooling
    checkpoint: str | None = None
    run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schooled:
    """The loss of every step in nats per token, and the seconds of all."""

    losses: tuple[float, ...]
    seconds: float
    resumed_at: int = 0


def school(room: Class, here: Processes, tell: Callable[[int, int], None] | None = None) -> Schooled:
    """Train the student in place; the teacher stays as it is.

    Goes on from the checkpoint where there is one. Raises KeyboardInterrupt after a signal to stop, once the
    step is done and written, UsageError (bad_option) where processes cannot share a step, and InputError
    (diverged, inconsistent, unreadable, disk_full, unwritable).
    """
    schooling = room.schooling
    if schooling.batch % here.count:
        raise UsageError(
            "bad_option", f"--batch {schooling.batch} cannot be shared by {here.count} processes alike"
        )
    room.student.train()
    optimizer = torch.optim.AdamW(
        room.student.parameters(), lr=schooling.learning_rate, weight_decay=schooling.weight_decay
    )
    standing = _resumed(room, optimizer)
    losses, started = list(standing.losses), time.perf_counter() - standing.seconds
    with _listening(room.teacher), between_steps() as stopping:
        for step in range(standing.steps, schooling.steps):
            losses.append(_step(room, optimizer, step, here))
            stopped, last = here.any(stopping()), step + 1 == schooling.steps
            if stopped or last or (step + 1) % schooling.checkpoint_every == 0:
                _keep(room, here, optimizer, losses, time.perf_counter() - started)
            if tell is not None:
                tell(step + 1, schooling.steps)
            if stopped:
                raise KeyboardInterrupt
    room.student.eval()
    seconds = time.perf_counter() - started
    return Schooled(losses=tuple(losses), seconds=seconds, resumed_at=standing.steps)


def _listening(teacher: Any) -> AbstractContextManager[None]:
    """Keep a teacher in evaluation mode, and as it is."""
    return nullcontext() if teacher is None else untouched(teacher)


def learning_rate(schooling: Schooling, step: int) -> float:
    """Return the learning rate of a step: a straight rise, then half a cosine down to a tenth."""
    warmup = min(schooling.warmup, schooling.steps)
    if step < warmup:
        return schooling.learning_rate * (step + 1) / warmup
    way = (step - warmup) / max(schooling.steps - warmup - 1, 1)
    return schooling.learning_rate * (FLOOR + (1 - FLOOR) * (1 + math.cos(math.pi * way)) / 2)


def chosen(count: int, batch: int, seed: int, step: int) -> list[int]:
    """Return the sequences of a step: each once before any comes again, in an order of its own each time."""
    places = range(step * batch, (step + 1) * batch)
    return [_order(count, seed, place // count)[place % count] for place in places]


@lru_cache(maxsize=2)
def _order(count: int, seed: int, again: int) -> tuple[int, ...]:
    source = torch.Generator().manual_seed(seed * APART + again)
    return tuple(torch.randperm(count, generator=source).tolist())


def _step(room: Class, optimizer: torch.optim.Optimizer, step: int, here: Processes) -> float:
    """Do one step and return its loss, the mean over the processes."""
    schooling = room.schooling
    places = chosen(len(room.sequences), schooling.batch, schooling.seed, step)[here.rank :: here.count]
    ids = room.sequences[places].to(here.device)
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(schooling, step)
    with torch.random.fork_rng(devices=[here.device] if here.device.type == "cuda" else []):
        torch.manual_seed(schooling.seed * APART + step * here.count + here.rank)
        said = logits_of(room.student, ids)
    wanted = None
    if room.teacher is not None:
        with torch.no_grad():
            wanted = logits_of(room.teacher, ids)
    loss = distillation_loss(said, wanted, ids, temperature=schooling.temperature, alpha=schooling.alpha)
    optimizer.zero_grad(set_to_none=True)
    mean = here.mean(loss)
    if not math.isfinite(mean):
        raise InputError(
            "diverged", f"the loss of step {step + 1} is no number; take a lower --learning-rate and --force"
        )
    with told(room.student, "a backward pass"):
        loss.backward()
    here.average_gradients(room.student)
    torch.nn.utils.clip_grad_norm_(room.student.parameters(), schooling.clip)
    optimizer.step()
    return mean


def _resumed(room: Class, optimizer: torch.optim.Optimizer) -> Standing:
    if room.checkpoint is None or not os.path.exists(room.checkpoint):
        return Standing(steps=0, losses=(), seconds=0.0, run=room.run, student={}, optimizer={})
    standing = read_standing(room.checkpoint, run=room.run)
    room.student.load_state_dict(standing.student)
    optimizer.load_state_dict(dict(standing.optimizer))
    return standing


def _keep(
    room: Class, here: Processes, optimizer: torch.optim.Optimizer, losses: list[float], seconds: float
) -> None:
    if room.checkpoint is None or not here.is_first:
        return
    standing = Standing(
        steps=len(losses),
        losses=tuple(losses),
        seconds=seconds,
        run=room.run,
        student=room.student.state_dict(),
        optimizer=optimizer.state_dict(),
    )
    write_standing(room.checkpoint, standing)
