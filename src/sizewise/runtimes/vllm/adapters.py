"""LoRA adapters at serving: buffers for ``max_loras`` adapters of ``max_lora_rank``, allocated at the start.

Every linear layer that can be adapted gets A [slots, r, in] and B [slots, out, r] on each device:
column-parallel layers share out B, row-parallel ones A.
Source: vLLM 0.33.0, ``lora/layers/base_linear.py`` (create_lora_weights) and ``column_parallel_linear.py``.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.architecture import Architecture
from sizewise.catalog.serving import vllm_defaults
from sizewise.ledger import Line, leaf
from sizewise.runtimes.vllm import SOURCE
from sizewise.tensors import Weight

ADAPTED = ("attention", "feed_forward", "shared_expert", "expert", "state_space")
"""Roles whose matrices take adapters."""

ROW_PARALLEL = ("o_proj", "down_proj", "out_proj", "dense_4h_to_h", "w2", "wo", "c_proj", "fc2")
"""Names of matrices whose inputs are shared out over the devices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapters:
    """How many adapters are held at once, and their largest rank."""

    slots: int = 1
    rank: int = 16


def default_adapters() -> Adapters:
    """Return vLLM's defaults of ``--max-loras`` and ``--max-lora-rank``.

    >>> default_adapters()
    Adapters(slots=1, rank=16)
    """
    constants = vllm_defaults()
    return Adapters(slots=int(constants["loras"]), rank=int(constants["lora_rank"]))


def adapter_buffers(
    architecture: Architecture, adapters: Adapters, *, tensor: int = 1, number_bytes: int = 2
) -> Line:
    """Return the bytes of the buffers on one device: slots * rank * (in + out) over all adapted matrices."""
    widths = sum(count * _width(weight, tensor) for weight, count in _adapted(architecture))
    inputs = {"slots": adapters.slots, "rank": adapters.rank, "widths": widths, "number_bytes": number_bytes}
    return leaf(
        "adapter buffers",
        adapters.slots * adapters.rank * widths * number_bytes,
        "bytes",
        formula="slots * rank * widths * number_bytes",
        inputs=inputs,
        source=SOURCE,
        status="derived",
    )


def _adapted(architecture: Architecture) -> Iterator[tuple[Weight, int]]:
    for place in architecture.language():
        for weight in place.weights():
            if weight.kind == "matrix" and weight.role in ADAPTED:
                yield weight, len(place.layers) * weight.experts


def _width(weight: Weight, devices: int) -> int:
    """Count the inputs and outputs of a matrix on one device; fused matrices read their input once each."""
    inputs, outputs = weight.columns, weight.rows
    if any(name in weight.name for name in ROW_PARALLEL):
        return -(-inputs // devices) + outputs
    return inputs * weight.pieces + -(-outputs // devices)
