"""What a live module shows: its parameters, what it computes, how high its memory goes, how long it takes."""

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from sizewise.lab.passes import told
from sizewise.lab.profiling import without_data
from sizewise.lab.profiling.clock import Timing, decoding, timed
from sizewise.lab.profiling.counting import Counted, count
from sizewise.lab.profiling.inputs import Call
from sizewise.lab.profiling.peaks import Peaks, forward_peaks, storage_bytes, training_peaks
from sizewise.lab.profiling.steps import Training, training_call
from sizewise.sources.torch_module import listing_of_module

LEAST_TOKENS = 2
"""Tokens whose slope can be told."""
OUTSIDE = "other"
"""The role of what runs outside every module whose weights have one role."""


def parameter_counts(module: torch.nn.Module) -> dict[str, int]:
    """Count parameters, tied ones once, packed ones by their logical shape. Raises InputError (bad_field)."""
    found = listing_of_module(module)
    return {
        "total": found.total,
        "trainable": found.trainable,
        "non_trainable": found.non_trainable,
    }


def forward_work(module: torch.nn.Module, call: Call) -> Counted:
    """Count a forward pass without gradients. Raises InputError (bad_data) where it fails."""
    with told(module, "a forward pass"), _without_gradients(module), torch.no_grad():
        return count(lambda: call.on(module))


@contextmanager
def _without_gradients(module: torch.nn.Module) -> Iterator[None]:
    """Let no parameter need a gradient: torch's counter fails on one that is handed to a module otherwise."""
    needed = [one for one in module.parameters() if one.requires_grad]
    for parameter in needed:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in needed:
            parameter.requires_grad_(True)


def compute_of(forward: Counted, training: Counted | None) -> dict[str, float]:
    """Return FLOPs, MACs, bytes moved and FLOPs per byte of a forward pass, FLOPs of a step."""
    found: dict[str, float] = {"forward_flops": forward.flops, "forward_macs": forward.flops // 2}
    if training is not None:
        found["training_flops"] = training.flops
    found["moved_bytes"] = forward.bytes
    if forward.bytes:
        found["intensity"] = forward.flops / forward.bytes
    return found


def by_role(counted: Counted, roles: Mapping[str, str]) -> dict[str, float]:
    """Return the FLOPs of each role: that of the nearest module whose weights have one role."""
    found: Counter[str] = Counter()
    for path, flops in counted.by_module.items():
        found[_role(path, roles)] += flops
    return dict(found)


def _role(path: str, roles: Mapping[str, str]) -> str:
    while path:
        if path in roles:
            return roles[path]
        path = path.rpartition(".")[0]
    return OUTSIDE


def head_of(module: Any) -> Mapping[str, str]:
    """Return the path of the output head with its role: a tied one has no weights of its own."""
    head = module.get_output_embeddings() if hasattr(module, "get_output_embeddings") else None
    return {path: "head" for path, part in module.named_modules() if part is head and head is not None}


def inference_memory(module: torch.nn.Module, call: Call) -> dict[str, float]:
    """Return the bytes of the weights and of the highest moment of a forward pass."""
    with told(module, "a forward pass"):
        peaks = forward_peaks(module, call)
    return {"weights": storage_bytes(module.parameters()), "inference": peaks.highest}


def training_memory(peaks: Peaks) -> dict[str, float]:
    """Return the phases of a step and the highest of them."""
    return {"training": peaks.highest, **{f"training_{name}": size for name, size in peaks.phases.items()}}


def trained(module: torch.nn.Module, call: Call, *, owned: bool) -> Training:
    """Return a module that may be trained: itself where it is ours, else a copy.

    Raises InputError (bad_data) where it cannot be copied or trained.
    """
    if not owned:
        with told(module, "a copy"):
            module = copy.deepcopy(module)
            for parameter in module.parameters():
                parameter.grad = None
    with told(module, "the optimizer"):
        return Training(module, training_call(call))


def measured_training(training: Training) -> tuple[Counted, Peaks]:
    """Count a step of training and measure its memory. Raises InputError (bad_data) where it fails."""
    with told(training.module, "a step of training"):
        training.step()
        return count(training.step), training_peaks(training)


def traced_training(training: Training) -> tuple[Counted, Peaks]:
    """Do the same on tensors without data, inside their mode."""
    with told(training.module, "a step of training"):
        return count(training.step), without_data.training_peaks(training)


def traced_forward(module: torch.nn.Module, call: Call) -> Peaks:
    """Follow the memory of a forward pass on tensors without data, inside their mode. Raises InputError."""
    with told(module, "a forward pass"):
        return without_data.forward_peaks(module, call)


def cache_bytes(module: torch.nn.Module, call: Call) -> int | None:
    """Return the bytes that a module keeps of a call's tokens for the next one, None where it keeps none."""
    if "use_cache" not in call.named:
        return None
    with told(module, "a forward pass with its cache"), torch.no_grad():
        try:
            found = module(**{**call.named, "use_cache": True})
        except (TypeError, ValueError):
            return None
    kept = next((found[name] for name in ("past_key_values", "cache_params") if found.get(name)), None)
    return _looked_at(_tensors(kept, set())) if kept is not None else None


def _looked_at(tensors: Iterable[torch.Tensor]) -> int:
    """Count the bytes that tensors look at, of each storage no more than it has.

    A layer with a window keeps a look at the prompt's last keys, whose storage goes with the next token.
    """
    looked: Counter[int] = Counter()
    stored: dict[int, int] = {}
    for tensor in tensors:
        storage = tensor.untyped_storage()
        looked[storage._cdata] += tensor.numel() * tensor.element_size()
        stored[storage._cdata] = storage.nbytes()
    return sum(min(size, stored[key]) for key, size in looked.items())


def _tensors(value: Any, seen: set[int]) -> Iterator[torch.Tensor]:
    """Yield the tensors in an object, its attributes and what these hold."""
    if isinstance(value, torch.Tensor):
        yield value
        return
    if id(value) in seen or isinstance(value, str | int | float | type | torch.nn.Module):
        return
    seen.add(id(value))
    if isinstance(value, Mapping):
        entries = list(value.values())
    elif isinstance(value, list | tuple):
        entries = list(value)
    else:
        entries = list(vars(value).values()) if hasattr(value, "__dict__") else []
    for entry in entries:
        yield from _tensors(entry, seen)


def forward_timing(module: torch.nn.Module, call: Call, device: torch.device) -> Timing:
    """Time a forward pass; a model of language keeps its cache, as it does for a prompt."""
    named = {**call.named, "use_cache": True} if "use_cache" in call.named else call.named
    with told(module, "a forward pass"), torch.inference_mode():
        return timed(lambda: module(*call.positional, **named), device)


def token_timing(module: torch.nn.Module, call: Call, tokens: int) -> Timing | None:
    """Time the decoding of tokens after the call's, None where a module keeps no cache to go on from."""
    if tokens < LEAST_TOKENS:
        return None
    encoder = getattr(getattr(module, "config", None), "is_encoder_decoder", False)
    if encoder or "use_cache" not in call.named or "input_ids" not in call.named:
        return None
    with told(module, "decoding"), torch.inference_mode():
        try:
            return decoding(module, call.named["input_ids"], tokens=tokens)
        except (TypeError, AttributeError):
            return None


def step_timing(training: Training, device: torch.device) -> Timing:
    """Time a step of training."""
    with told(training.module, "a step of training"):
        return timed(training.step, device)


Progress = Callable[[str], None]
"""Told what is being done."""
