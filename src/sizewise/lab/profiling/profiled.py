"""From a subject to its profile: what is predicted, whether it is run, what is measured."""

import sys
from contextlib import nullcontext
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import date
from importlib.util import find_spec
from typing import Any

import torch

from sizewise.catalog.devices import find_device
from sizewise.detection.host import memory_by_library
from sizewise.errors import InputError, UsageError
from sizewise.lab.memory import enough_memory
from sizewise.lab.passes import told
from sizewise.lab.profiling import without_data
from sizewise.lab.profiling.answer import RUN, WITHOUT_DATA, Profile, Side
from sizewise.lab.profiling.expected import Load, expected, role_of_modules
from sizewise.lab.profiling.inputs import identifiers_in
from sizewise.lab.profiling.observed import head_of
from sizewise.lab.profiling.peaks import storage_bytes
from sizewise.lab.profiling.rates import measured_rates
from sizewise.lab.profiling.seconds import Expected, expected_seconds, least_seconds, started
from sizewise.lab.profiling.sides import HINT, Found, Wanted, call_of, on_data, on_shapes
from sizewise.lab.profiling.subject import (
    DTYPES,
    Subject,
    own_architecture,
    with_data,
    without_weights,
)
from sizewise.lab.profiling.untouched import is_lazy, same_randomness
from sizewise.lab.quiet import quiet_transformers
from sizewise.notices import Notice
from sizewise.recipe import AttentionKernel
from sizewise.units import binary_bytes

SHARE = 0.8
"""The part of the memory at hand that a run may take."""
KERNELS: dict[str, AttentionKernel] = {
    "eager": "eager",
    "flash_attention_2": "flash",
    "flash_attention_3": "flash",
}
"""By transformers' word; any other is torch's fused kernel."""
SCAN_KERNELS = ("mamba_ssm", "fla")
"""Packages with kernels for scans; without one of them transformers' classes do torch operations."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Whether a model is run on data, whether it is trained there, and why not."""

    forward: bool
    training: bool
    notices: tuple[Notice, ...] = ()


def profiled(subject: Subject, wanted: Wanted) -> Profile:
    """Predict and measure. Raises UsageError (bad_option) and InputError as `profile` says."""
    with enough_memory(HINT), quiet_transformers() if subject.raw else nullcontext():
        return _profiled(_ready(subject, wanted), wanted)


def _ready(subject: Subject, wanted: Wanted) -> Subject:
    """Return the subject with all its parameters: a lazy module makes them in a copy, at its first input."""
    if subject.module is None or not is_lazy(subject.module):
        return subject
    with told(subject.module, "a copy"):
        module = deepcopy(subject.module)
    with told(module, "a forward pass"), same_randomness(), torch.no_grad():
        call_of(module, wanted).on(module)
    return replace(subject, module=module, owned=True)


def _profiled(subject: Subject, wanted: Wanted) -> Profile:
    mode = without_data.without_data()
    shapes = without_weights(subject, mode) if subject.module is None else None
    known = shapes if subject.module is None else subject.module
    subject = own_architecture(subject, known)
    if subject.model is not None:
        roles = {**role_of_modules(subject.model), **head_of(known)}
        wanted = replace(wanted, described=_is_sequences(wanted), roles=roles)
    predicted, notices = _predicted(subject, known, wanted, mode)
    run = _run_of(subject, wanted, predicted)
    device, seconds = wanted.on or "", Expected()
    if run.forward:
        wanted = replace(wanted, training=wanted.training is not False and run.training)
        subject = with_data(subject)
        device, seconds = _seconds(subject, wanted, predicted)
        found = on_data(subject.module, wanted, owned=subject.owned)
    elif shapes is not None:
        found = on_shapes(shapes, mode, wanted)
    else:
        found = on_shapes(without_data.copied(known, mode), mode, wanted)
    notices = (*notices, *_unseen(predicted, found))
    said = (*subject.notices, *notices, *run.notices, *seconds.notices, *found.notices)
    return Profile(
        name=subject.name,
        batch=wanted.batch,
        sequence=wanted.sequence,
        dtype=subject.dtype,
        device=device,
        threads=torch.get_num_threads(),
        answer=wanted.answer,
        predicted=replace(predicted, time=seconds.seconds),
        measured=found.side,
        seen=found.seen,
        intervals=seconds.intervals,
        versions=_versions(),
        date=date.today().isoformat(),
        notices=tuple(dict.fromkeys(said)),
    )


def _unseen(predicted: Side, found: Found) -> tuple[Notice, ...]:
    """Return what shapes do not show of a run."""
    kernels = [name for name in found.seen.by_operator if "conv" in name or "rnn" in name]
    if not kernels or found.side.source != RUN or predicted.source != WITHOUT_DATA:
        return ()
    text = f"what kernels take for a moment is not seen on shapes: {', '.join(sorted(kernels))}"
    return (Notice(code="assumed", message=text),)


def _predicted(subject: Subject, module: Any, wanted: Wanted, mode: Any) -> tuple[Side, tuple[Notice, ...]]:
    """Return what the architecture says; where there is none that is known, what shapes say."""
    if subject.model is None or not _is_sequences(wanted):
        training = wanted.training is not False
        try:
            found = on_shapes(without_data.copied(module, mode), mode, replace(wanted, training=training))
        except InputError as error:
            if wanted.data is False:
                raise
            notice = Notice(code=error.code, message=f"nothing is predicted: {error.message}")
            return Side(source=WITHOUT_DATA), (notice,)
        return found.side, found.notices
    frozen = tuple(name for name, one in module.named_parameters() if not one.requires_grad)
    load = Load(
        batch=wanted.batch,
        sequence=wanted.sequence,
        dtype=subject.dtype,
        attention=KERNELS.get(str(getattr(module.config, "_attn_implementation", "")), "sdpa"),
        frozen=frozen,
        cuda=_on_card(subject.module),
        buffers=storage_bytes(module.buffers()),
        fused_scans=_on_card(subject.module) and any(map(find_spec, SCAN_KERNELS)),
    )
    side, notices = expected(subject.model, load)
    if wanted.training is False:
        side = replace(
            side,
            memory={name: size for name, size in side.memory.items() if not name.startswith("training")},
            compute={name: size for name, size in side.compute.items() if not name.startswith("training")},
        )
    return side, notices


def _is_sequences(wanted: Wanted) -> bool:
    """Tell whether sequences of tokens go in, which is what a description of a model is about."""
    tokens = wanted.inputs is None or identifiers_in(wanted.inputs) is not None
    return tokens and (wanted.shape is None or len(wanted.shape) == 2)


def _run_of(subject: Subject, wanted: Wanted, predicted: Side) -> Run:
    """Decide what is run: all, a forward pass alone, or nothing, by the memory that it takes."""
    if wanted.data is False or _has_no_data(subject.module):
        return Run(forward=False, training=False)
    if wanted.data:
        return Run(forward=True, training=True)
    free = _free(subject.module)
    needed = predicted.memory.get("inference", 0)
    if free is None or needed <= SHARE * free:
        beside = 0 if subject.owned else predicted.memory.get("weights", 0)
        step = predicted.memory.get("training", 0) + beside
        if wanted.training is False or free is None or step <= SHARE * free:
            return Run(forward=True, training=True)
        return Run(forward=True, training=False, notices=(_too_large("a step of training", step, free),))
    return Run(forward=False, training=False, notices=(_too_large("the model", needed, free),))


def _has_no_data(module: Any) -> bool:
    """Tell whether a module of the caller has shapes alone."""
    return module is not None and any(one.device.type == "meta" for one in module.parameters())


def _free(module: Any) -> int | None:
    """Return the bytes that are free where a module is, or will be."""
    return int(torch.cuda.mem_get_info()[0]) if _on_card(module) else memory_by_library()[1]


def _on_card(module: Any) -> bool:
    """Tell whether a module is on a CUDA device, or will be put there."""
    if module is None:
        return bool(torch.cuda.is_available())
    return bool(next(module.parameters(), torch.empty(0)).is_cuda)


def _too_large(what: str, needed: float, free: int) -> Notice:
    text = f"{what} takes {binary_bytes(needed)} of {binary_bytes(free)} that are free: not run"
    return Notice(code="not_run", message=text)


def _seconds(subject: Subject, wanted: Wanted, predicted: Side) -> tuple[str, Expected]:
    """Return the device that times are predicted for, and the times."""
    if not wanted.timed:
        return wanted.on or "", Expected()
    device = next((one.device for one in subject.module.parameters()), torch.device("cpu"))
    named, rates = wanted.on or _known(device), None
    if named is None:
        wanted.tell("measuring this machine")
        dtype = next(found for found, name in DTYPES.items() if name == subject.dtype)
        rates = measured_rates(device, dtype, memory=_free(subject.module) or 0)
        named = rates.device
    if subject.model is None or not wanted.described:
        return named, least_seconds(predicted, rates) if rates and predicted.compute else Expected()
    found = expected_seconds(
        subject.model,
        on=named,
        dtype=subject.dtype,
        batch=wanted.batch,
        sequence=wanted.sequence,
        answer=max(wanted.answer, 1),
        training=bool(wanted.training),
    )
    if rates is None or not found.seconds:
        return named, found
    return named, started(found, predicted, rates, tensors=len(list(subject.module.parameters())))


def _known(device: torch.device) -> str | None:
    """Return the catalogue's name of a card, None for a processor and for cards that it does not have."""
    if device.type != "cuda":
        return None
    try:
        return find_device(torch.cuda.get_device_name(device)).id
    except UsageError:
        return None


def _versions() -> dict[str, str]:
    """Return the versions of what made the profile."""
    found = {"torch": str(torch.__version__)}
    if "transformers" in sys.modules:
        found["transformers"] = str(sys.modules["transformers"].__version__)
    return found
