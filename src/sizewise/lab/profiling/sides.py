"""One side of a profile from a module: run on data, or followed on tensors that have shapes alone."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch.utils._pytree import tree_map_only

from sizewise.errors import InputError
from sizewise.lab.memory import enough_memory
from sizewise.lab.profiling import observed, without_data
from sizewise.lab.profiling.answer import RUN, WITHOUT_DATA, Seen, Side
from sizewise.lab.profiling.clock import TOKENS, Timing
from sizewise.lab.profiling.counting import Counted
from sizewise.lab.profiling.inputs import Call, given_call, identifiers_in, made_call
from sizewise.lab.profiling.peaks import storage_bytes
from sizewise.lab.profiling.steps import Training
from sizewise.lab.profiling.untouched import same_randomness, untouched
from sizewise.notices import Notice

HINT = "take a smaller --batch or --sequence, or --shapes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is asked of a profile: B sequences of S tokens or other inputs, a step of training, times.

    ``on`` is the device that times are predicted for, ``data`` whether the model is run (None: where it
    fits), ``training`` None: where it is run; ``roles`` are those of modules, by path; ``tell`` is told what
    is being done.
    """

    batch: int = 1
    sequence: int = 512
    shape: tuple[int, ...] | None = None
    inputs: Any = None
    on: str | None = None
    training: bool | None = None
    timed: bool = True
    answer: int = TOKENS
    """Tokens that are decoded after the prompt; fewer than two have no time of their own."""
    data: bool | None = None
    described: bool = False
    """The architecture is known: a forward pass is a prompt."""
    roles: Mapping[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = field(default=lambda _what: None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A side with what a run shows besides, and what could not be had."""

    side: Side
    seen: Seen = field(default_factory=Seen)
    notices: tuple[Notice, ...] = ()


def call_of(module: torch.nn.Module, wanted: Wanted) -> Call:
    """Return what the module is called with. Raises UsageError (bad_option) where nothing can be made up."""
    identifiers = identifiers_in(wanted.inputs)
    if wanted.inputs is not None and identifiers is None:
        return given_call(wanted.inputs, batch=wanted.batch, sequence=wanted.sequence)
    made = made_call(module, batch=wanted.batch, sequence=wanted.sequence, shape=wanted.shape)
    return made if identifiers is None else replace(made, named={**made.named, "input_ids": identifiers})


def on_shapes(module: torch.nn.Module, mode: AbstractContextManager[Any], wanted: Wanted) -> Found:
    """Follow a module without data. Raises InputError (bad_data) where its forward pass needs data."""
    wanted.tell("following shapes")
    with same_randomness(), without_data.unlogged(), mode:
        call = call_of(module, wanted)
        if wanted.inputs is not None:
            call = _without_data(call, mode)
        module.eval()
        forward = observed.forward_work(module, call)
        peak = observed.traced_forward(module, call)
        memory: dict[str, float] = {
            "weights": storage_bytes(module.parameters()),
            **_cache(module, call),
            "inference": peak.highest,
        }
        counts = observed.parameter_counts(module)
        step: Counted | None = None
        notices: tuple[Notice, ...] = ()
        if wanted.training:
            wanted.tell("following a step of training")
            try:
                step, peaks = observed.traced_training(observed.trained(module, call, owned=True))
                memory |= observed.training_memory(peaks)
            except InputError as error:
                notices = (_left_out("training", error),)
    return _found(
        WITHOUT_DATA, wanted, counts=counts, memory=memory, forward=forward, step=step, notices=notices
    )


def _without_data(call: Call, mode: Any) -> Call:
    positional, named = tree_map_only(torch.Tensor, mode.from_tensor, (call.positional, dict(call.named)))
    return Call(
        positional=positional,
        named=named,
        batch=call.batch,
        sequence=call.sequence,
        labelled=call.labelled,
    )


def on_data(module: torch.nn.Module, wanted: Wanted, *, owned: bool) -> Found:
    """Run a module; where it is not ours it is left as it was, and trained as a copy.

    Raises InputError (bad_data) where its forward pass fails.
    """
    device = next((one.device for one in module.parameters()), torch.device("cpu"))
    timings: dict[str, Timing | None] = {}
    with untouched(module):
        call = call_of(module, wanted)
        wanted.tell("counting a forward pass")
        forward = observed.forward_work(module, call)
        memory = {**observed.inference_memory(module, call), **_cache(module, call)}
        if wanted.timed:
            wanted.tell("timing a forward pass")
            name = "prompt" if wanted.described else "forward"
            timings[name] = observed.forward_timing(module, call, device)
            wanted.tell("timing tokens")
            timings["token"] = observed.token_timing(module, call, wanted.answer)
        counts = observed.parameter_counts(module)
    step: Counted | None = None
    notices: tuple[Notice, ...] = ()
    if wanted.training is not False:
        wanted.tell("training a step")
        try:
            with enough_memory(HINT), same_randomness():
                training = observed.trained(module, call, owned=owned)
                step, timings["step"] = _trained(training, memory, device, timed=wanted.timed)
        except InputError as error:
            notices = (_left_out("training", error),)
    return _found(
        RUN,
        wanted,
        counts=counts,
        memory=memory,
        forward=forward,
        step=step,
        timings=timings,
        notices=notices,
    )


def _trained(
    training: Training, memory: dict[str, float], device: torch.device, *, timed: bool
) -> tuple[Counted, Timing | None]:
    """Count, measure and time a step of training; its memory goes into ``memory``."""
    step, peaks = observed.measured_training(training)
    memory |= observed.training_memory(peaks)
    return step, observed.step_timing(training, device) if timed else None


def _cache(module: torch.nn.Module, call: Call) -> dict[str, float]:
    found = observed.cache_bytes(module, call)
    return {} if found is None else {"cache": found}


def _left_out(what: str, error: InputError) -> Notice:
    return Notice(code=error.code, message=f"{what} is left out: {error.message}")


def _found(
    source: str,
    wanted: Wanted,
    *,
    counts: Mapping[str, int],
    memory: Mapping[str, float],
    forward: Counted,
    step: Counted | None,
    timings: Mapping[str, Timing | None] | None = None,
    notices: tuple[Notice, ...] = (),
) -> Found:
    known = {name: timing for name, timing in (timings or {}).items() if timing is not None}
    uncounted = {**forward.uncounted, **(step.uncounted if step is not None else {})}
    side = Side(
        source=source,
        parameters=counts,
        memory=memory,
        compute=observed.compute_of(forward, step),
        roles=observed.by_role(forward, wanted.roles) if wanted.roles else {},
        time={name: timing.seconds for name, timing in known.items()},
        operators=forward.operators,
    )
    seen = Seen(
        by_operator=forward.by_operator,
        by_module=forward.by_module,
        moved=forward.moved,
        uncounted=uncounted,
        timings={name: timing.to_dict() for name, timing in known.items()},
    )
    return Found(side=side, seen=seen, notices=notices)
