"""The same model without data: every operator runs on shapes alone, so that any size fits anywhere.

Source: torch 2.13, FakeTensorMode. Grouped products of experts demand bf16 there; attention of grouped
queries repeats its keys, which a CPU's own kernel does not. What is alive is what torch's own memory tracker
counts (torch.distributed._tools.mem_tracker), which looks through all modules at every operator.
"""

import copy
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from weakref import ReferenceType, ref

import torch
from torch._subclasses.fake_tensor import FakeCopyMode, FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.loading import CODE, made_from
from sizewise.lab.profiling.inputs import Call
from sizewise.lab.profiling.peaks import Peaks
from sizewise.lab.profiling.steps import Training, uninitialised


def without_data() -> FakeTensorMode:
    """Return the mode in which tensors have shapes and no data."""
    return FakeTensorMode(allow_non_fake_inputs=True)


@contextmanager
def unlogged() -> Iterator[None]:
    """Keep torch from logging what an operator refuses: it is raised, and said by whoever catches it."""
    logger = logging.getLogger("torch._subclasses.fake_tensor")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before


def built(
    raw: Mapping[str, Any], mode: AbstractContextManager[Any], *, dtype: str, model_class: str = ""
) -> torch.nn.Module:
    """Return the transformers class of a configuration, in evaluation mode, made inside a mode.

    Raises InputError: unsupported_architecture, bad_config.
    """
    import transformers

    model_type = raw.get("model_type")
    if model_type not in transformers.CONFIG_MAPPING:
        shown = shorten(str(model_type), 80)
        raise InputError("unsupported_architecture", f"transformers knows no model type {shown!r}")
    fields = {key: value for key, value in raw.items() if key not in (*CODE, "quantization_config")}
    try:
        config = transformers.CONFIG_MAPPING[model_type].from_dict(fields)
        with mode, uninitialised():
            module = made_from(config, model_class, dtype=getattr(torch, dtype))
    except Exception as error:
        reason = shorten(f"{type(error).__name__}: {error}", 200)
        raise InputError("bad_config", f"transformers refuses the configuration: {reason}") from None
    return module.eval()


def copied(module: torch.nn.Module, mode: FakeTensorMode) -> torch.nn.Module:
    """Return a copy of a module without data. Raises InputError (bad_data) where it cannot be copied."""
    try:
        with FakeCopyMode(mode):
            return copy.deepcopy(module)
    except Exception as error:
        reason = shorten(f"{type(error).__name__}: {error}", 200)
        raise InputError("bad_data", f"{type(module).__name__} cannot be copied: {reason}") from None


def forward_peaks(module: torch.nn.Module, call: Call) -> Peaks:
    """Follow a forward pass without gradients, inside the mode of the module's tensors."""
    held = [*module.parameters(), *module.buffers(), *_tensors(call)]
    with _Alive(held) as alive, torch.no_grad():
        alive.begin("forward")
        call.on(module)
    return Peaks(held=alive.held, phases=alive.highest)


def training_peaks(training: Training) -> Peaks:
    """Follow a step of training, inside the mode of the module's tensors."""
    with _Alive(training.states()) as alive:
        training.step(alive.begin)
    return Peaks(held=alive.held, phases=alive.highest)


def _tensors(call: Call) -> list[torch.Tensor]:
    given = tree_leaves((call.positional, dict(call.named)))
    return [entry for entry in given if isinstance(entry, torch.Tensor)]


class _Alive(TorchDispatchMode):  # type: ignore[misc]
    """Adds a storage when an operator makes it and takes it off when its last tensor goes."""

    def __init__(self, held: Iterable[torch.Tensor]) -> None:
        super().__init__()
        self.bytes = 0
        self.highest: dict[str, int] = {}
        self._phase = ""
        self._storages: dict[int, ReferenceType[Any]] = {}
        for tensor in held:
            self._see(tensor)
        self.held = self.bytes

    def begin(self, phase: str) -> None:
        """Begin a phase with what is alive."""
        self._phase = phase
        self.highest[phase] = self.bytes

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(found):
            if isinstance(tensor, torch.Tensor):
                self._see(tensor)
        self.highest[self._phase] = max(self.highest[self._phase], self.bytes)
        return found

    def _see(self, tensor: torch.Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, int(storage.nbytes())
        if key in self._storages:
            return

        def gone(_reference: Any) -> None:
            self.bytes -= size
            del self._storages[key]

        self.bytes += size
        self._storages[key] = ref(storage, gone)
