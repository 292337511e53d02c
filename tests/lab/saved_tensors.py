"""What torch's autograd really keeps: bytes of unique storages that a forward pass with labels saves."""

from typing import Any
from weakref import WeakSet

import torch
from torch.autograd.graph import saved_tensors_hooks
from transformers import AutoConfig, AutoModelForCausalLM

DTYPES = {4: torch.float32, 2: torch.bfloat16}


def build(config: dict[str, Any], width: int, attention: str) -> torch.nn.Module:
    """Return a small random causal model in training mode."""
    fields = dict(config)
    settings = AutoConfig.for_model(fields.pop("model_type"), **fields)
    settings.use_cache = False
    model = AutoModelForCausalLM.from_config(settings, attn_implementation=attention, dtype=DTYPES[width])
    return model.train()


class _Held:
    """A saved tensor; it goes when the part of the graph that saved it does."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: torch.Tensor) -> None:
        self.tensor = tensor


def _kept(model: torch.nn.Module, batch: int, sequence: int) -> dict[int, torch.Tensor]:
    """Return a tensor for each storage that the graph of the loss keeps, parameters and buffers left out.

    What is saved for results that lead nowhere (the choice of groups of experts) is freed at once: not kept.
    """
    own = {entry.untyped_storage().data_ptr() for entry in (*model.parameters(), *model.buffers())}
    held: WeakSet[_Held] = WeakSet()

    def pack(tensor: torch.Tensor) -> _Held:
        one = _Held(tensor)
        held.add(one)
        return one

    identifiers = torch.randint(3, 90, (batch, sequence))
    with saved_tensors_hooks(pack, lambda one: one.tensor):
        loss = model(input_ids=identifiers, labels=identifiers, use_cache=False).loss
    found = {one.tensor.untyped_storage().data_ptr(): one.tensor for one in held}
    del loss
    return {
        place: tensor
        for place, tensor in found.items()
        if place not in own and tensor.untyped_storage().nbytes()
    }


def saved_bytes(model: torch.nn.Module, batch: int, sequence: int, *, recompute: bool = False) -> int:
    """Count the bytes that a forward pass keeps for the backward pass, without parameters and buffers."""
    if recompute:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    return sum(tensor.untyped_storage().nbytes() for tensor in _kept(model, batch, sequence).values())


def saved_list(model: torch.nn.Module, batch: int, sequence: int) -> list[tuple[tuple[int, ...], str, int]]:
    """List (shape, dtype, bytes of its storage) of every kept storage: for finding differences by hand."""
    return [
        (tuple(tensor.shape), str(tensor.dtype), tensor.untyped_storage().nbytes())
        for tensor in _kept(model, batch, sequence).values()
    ]
