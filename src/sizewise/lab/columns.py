"""What a model takes, each predicted from its configuration and measured: parameters, disk, memory, FLOPs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sizewise.lab.figures import Figure
from sizewise.lab.passes import logits_of
from sizewise.lab.sizes import predicted_sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """Parameters; bytes of the weight files and of the loaded weights; FLOPs of a forward pass.

    The pass is over one sequence of ``tokens`` tokens, every query with every key.
    """

    tokens: int
    parameters: Figure
    disk: Figure
    memory: Figure
    flops: Figure


def columns(module: Any, *, tokens: int, disk: int | None = None) -> Columns:
    """Return what a live model takes, beside what its configuration says; ``disk`` where it was saved."""
    raw = json.loads(module.config.to_json_string(use_diff=False))
    found = predicted_sizes(raw, dtype=dtype_of(module), tokens=tokens)
    said = (None,) * 4 if found is None else (found.parameters, found.disk, found.memory, found.flops)
    parameters, stored, memory, flops = said
    return Columns(
        tokens=tokens,
        parameters=Figure(predicted=parameters, measured=parameter_count(module)),
        disk=Figure(predicted=stored, measured=disk),
        memory=Figure(predicted=memory, measured=loaded_bytes(module)),
        flops=Figure(predicted=flops, measured=forward_flops(module, tokens)),
    )


def dtype_of(module: Any) -> str:
    """Return torch's name of the type that most weights have: float32, bfloat16 …"""
    counts: dict[str, int] = {}
    for weight in module.parameters():
        name = str(weight.dtype).removeprefix("torch.")
        counts[name] = counts.get(name, 0) + weight.numel()
    return max(counts, key=counts.__getitem__)


def parameter_count(module: Any) -> int:
    """Count the parameters of a live model, tied ones once."""
    return sum(weight.numel() for weight in module.parameters())


def loaded_bytes(module: Any) -> int:
    """Return the bytes of the weights and stored buffers of a live model, each storage once."""
    storages: Mapping[int, int] = {
        tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes()
        for tensor in module.state_dict().values()
    }
    return sum(storages.values())


def forward_flops(module: Any, tokens: int) -> int:
    """Return the FLOPs that torch does in a forward pass over one sequence."""
    import torch

    from sizewise.lab.profiling.counting import count
    from sizewise.lab.profiling.untouched import untouched

    vocabulary = module.get_input_embeddings().weight.shape[0]
    ids = torch.arange(tokens)[None] % vocabulary
    with untouched(module), torch.no_grad():
        module.requires_grad_(False)  # torch's counter fails on a parameter that is handed to a module
        return count(lambda: logits_of(module, ids)).flops
