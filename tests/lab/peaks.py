"""How much memory a training step takes in torch, by phase: on fake tensors of any size, and on real ones.

The second step of a run is measured: optimizer state is there.
Source: torch 2.13, torch.distributed._tools.mem_tracker for fake tensors, kineto's memory events for real
ones (both count tensors alive, not what an allocator reserves).
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from torch.profiler import ProfilerActivity, profile, record_function
from transformers import AutoConfig, AutoModelForCausalLM

LOSS = 4
"""Bytes of the loss itself."""
PHASES = ("forward", "loss", "backward", "step")
DTYPES = {4: torch.float32, 2: torch.bfloat16}


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """Bytes alive: the highest of each phase of a step; ``kept`` at the end of its forward pass.

    ``loss`` lasts from the loss to the gradient of the last layer's output; ``backward`` is all of the pass.
    ``kept`` is without weights, states, the identifiers of tokens and the output.
    """

    kept: int
    forward: int
    loss: int
    backward: int
    step: int

    @property
    def total(self) -> int:
        """The highest of all."""
        return max(self.forward, self.backward, self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A step to measure: AdamW, tensor by tensor; ``held``: the loop keeps the model's output."""

    config: dict[str, Any]
    batch: int
    sequence: int
    width: int = 2
    attention: str = "sdpa"
    recompute: bool = False
    held: bool = False
    autocast: bool = False


def fake_peaks(run: Run) -> Peaks:
    """Measure a step on fake tensors with torch's memory tracker."""
    with FakeTensorMode(), _uninitialised():
        model = _model(run)
        optimizer = _warm(model)
        tracker = MemTracker()
        tracker.track_external(model, optimizer)
        return _tracked(run, model, optimizer, tracker)


def real_peaks(run: Run) -> Peaks:
    """Measure a step on this machine from the memory events of torch's profiler."""
    model = _model(run)
    optimizer = _warm(model)
    states = (value for state in optimizer.state.values() for value in state.values())
    constant = _bytes((*model.parameters(), *model.buffers(), *states))
    identifiers = torch.randint(3, 50, (run.batch, run.sequence))
    _on_gradient(_last_layer(model), lambda: _mark("backward"))
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        _mark("forward")
        with torch.autocast("cpu", torch.bfloat16) if run.autocast else nullcontext():
            loss = model(input_ids=identifiers, labels=identifiers, use_cache=False).loss
        _mark("loss")
        loss.backward()
        _mark("step")
        optimizer.step()
    highest, end = _replayed(profiler)
    highest["backward"] = max(highest["backward"], highest["loss"])
    return Peaks(kept=end - LOSS, **{phase: constant + highest[phase] for phase in PHASES})


def _replayed(profiler: Any) -> tuple[dict[str, int], int]:
    """Return the highest sum of all memory events up to and in each phase, and that before the loss."""
    events = profiler.profiler.kineto_results.events()
    phases = {f"phase {name}": name for name in PHASES}
    chosen = [event for event in events if event.name() == "[memory]" or event.name() in phases]
    phase, alive, before_loss = "forward", 0, 0
    highest = dict.fromkeys(PHASES, 0)
    for event in sorted(chosen, key=lambda event: int(event.start_ns())):
        if event.name() in phases:
            phase = phases[event.name()]
            before_loss = alive if phase == "loss" else before_loss
        else:
            alive += event.nbytes()
        highest[phase] = max(highest[phase], alive)
    return highest, before_loss


def _mark(phase: str) -> None:
    with record_function(f"phase {phase}"):
        pass


def _model(run: Run) -> Any:
    fields = dict(run.config)
    settings = AutoConfig.for_model(fields.pop("model_type"), **fields)
    settings.use_cache = False
    model = AutoModelForCausalLM.from_config(
        settings, attn_implementation=run.attention, dtype=DTYPES[run.width]
    ).train()
    if run.recompute:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return model


def _warm(model: Any) -> torch.optim.Optimizer:
    """Return AdamW with its state made, as after a first step, and no gradients."""
    optimizer = torch.optim.AdamW(model.parameters(), foreach=False)
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    optimizer.zero_grad()
    return optimizer


def _bytes(tensors: Iterable[Any]) -> int:
    storages = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}
    return sum(storages.values())


def _tracked(run: Run, model: Any, optimizer: torch.optim.Optimizer, tracker: MemTracker) -> Peaks:
    identifiers = torch.zeros(run.batch, run.sequence, dtype=torch.long)
    seen: dict[str, int] = {}
    outside = _total(tracker, "current")
    _on_gradient(_last_layer(model), lambda: seen.update(loss=_total(tracker, "peak")))
    with tracker:
        found = model(input_ids=identifiers, labels=identifiers, use_cache=False)
        loss = found.loss
        held = [found.logits] if run.held else []
        del found
        seen["forward"] = _total(tracker, "peak")
        kept = _total(tracker, "current") - outside - LOSS - sum(logits.nbytes for logits in held)
    with tracker:
        loss.backward()
        seen["backward"] = _total(tracker, "peak")
    with tracker:
        optimizer.step()
        seen["step"] = _total(tracker, "peak")
    return Peaks(kept=kept, **seen)


def _total(tracker: MemTracker, kind: str) -> int:
    return sum(int(device["Total"]) for device in tracker.get_tracker_snapshot(kind).values())


def _last_layer(model: Any) -> torch.nn.Module:
    stacks = [entry for entry in model.modules() if isinstance(entry, torch.nn.ModuleList)]
    return next(entry for entry in stacks if len(entry) == model.config.num_hidden_layers)[-1]


def _on_gradient(layer: torch.nn.Module, call: Callable[[], None]) -> None:
    """Call when the gradient of what leaves a layer is there."""

    def leave(_layer: torch.nn.Module, _given: Any, output: Any) -> None:
        stream = output if isinstance(output, torch.Tensor) else output[0]
        stream.register_hook(lambda _gradient: call())

    layer.register_forward_hook(leave)


@contextmanager
def _uninitialised() -> Iterator[None]:
    """Leave weights as they are made: filling them in is the slow part of building a model."""
    names = [name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")]
    patches = [patch.object(torch.nn.init, name, lambda tensor, *_a, **_k: tensor) for name in names]
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in patches:
            one.stop()
