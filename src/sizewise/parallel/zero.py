"""States of training that data-parallel devices share: ZeRO 1 to 3, FSDP, hybrid groups.

Stage 1 shares optimizer state (and master weights), 2 gradients too, 3 weights too. A tensor is cut along its
first axis, and the first device has the larger part; one with fewer rows than devices is cut anywhere.
Source: Rajbhandari et al. 2019, arXiv:1910.02054; torch 2.13, FSDP2 (fully_shard).
"""

from collections.abc import Callable
from dataclasses import dataclass

from sizewise.architecture import Architecture
from sizewise.ledger import Line, leaf, total, weakened
from sizewise.recipe import Recipe, Sharding
from sizewise.states.trained import trainable
from sizewise.states.weights import TensorBytes, ema, tensor_bytes

UNIT = "bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """What one device keeps the whole time, in bytes; ``optimizer`` holds master weights and averages too."""

    weights: Line
    gradients: Line
    optimizer: Line


def sharers(sharding: Sharding, *, expert: bool = False) -> int:
    """Count the devices that share the states of a tensor; those of experts are shared by fewer."""
    group = sharding.group or sharding.data * sharding.context
    return max(1, group // sharding.experts) if expert else group


def largest_shard(amount: int, rows: int, devices: int) -> int:
    """Return the bytes of the largest share of a tensor of ``rows`` rows and ``amount`` bytes.

    >>> largest_shard(4000, 10, 4), largest_shard(4000, 2, 4), largest_shard(4000, 10, 1)
    (1200, 1000, 4000)
    """
    if rows < devices:
        return -(-amount // devices)
    return -(-amount * -(-rows // devices) // rows)


def device_states(architecture: Architecture, recipe: Recipe, base: Line | None = None) -> States:
    """Return the states on the fullest device that holds ``architecture`` of the model.

    ``base`` are the frozen weights in a packed format (QLoRA).
    """
    stage = recipe.sharding.zero
    entries = list(tensor_bytes(architecture, recipe))
    weights = _shared("trained", entries, recipe, stage >= 3, lambda entry: entry.weight)
    frozen = _frozen(architecture, recipe, base)
    gradients = _shared("gradients", entries, recipe, stage >= 2, lambda entry: entry.gradient)
    master = _shared("master weights", entries, recipe, stage >= 1, lambda entry: entry.master)
    state = _shared("state", entries, recipe, stage >= 1, lambda entry: entry.state)
    parts = [master, state]
    average = ema(architecture, recipe)
    if average.value:
        kept = _shared(
            "moving average", entries, recipe, stage >= 1, lambda entry: entry.master or entry.weight
        )
        parts.append(weakened(kept, average.status))
    return States(
        weights=total("weights", [line for line in (weights, frozen) if line.value], UNIT),
        gradients=total("gradients", [gradients], UNIT),
        optimizer=total("optimizer", [line for line in parts if line.value], UNIT),
    )


def _shared(
    name: str, entries: list[TensorBytes], recipe: Recipe, cut: bool, bytes_of: Callable[[TensorBytes], int]
) -> Line:
    """Return the bytes of one kind of state on the fullest device."""
    amount = 0
    for entry in entries:
        tensor = entry.tensor
        devices = sharers(recipe.sharding, expert=tensor.role == "expert") if cut else 1
        amount += largest_shard(bytes_of(entry), tensor.shape[0], devices) * tensor.copies
    devices = sharers(recipe.sharding) if cut else 1
    source = f"shared by {devices:,} devices" if devices > 1 else ""
    return leaf(name, amount, UNIT, source=source)


def _frozen(architecture: Architecture, recipe: Recipe, base: Line | None) -> Line:
    """Return the bytes of weights that are not trained; those of experts are shared by fewer devices."""
    cut = recipe.sharding.zero >= 3
    whole = trainable(architecture, recipe).frozen * recipe.precision.stored
    amount = whole if base is None else int(base.value)
    expert = _frozen_experts(architecture, recipe) if base is None else _part(base, "expert")
    devices = sharers(recipe.sharding) if cut else 1
    experts = sharers(recipe.sharding, expert=True) if cut else 1
    shared = -(-(amount - expert) // devices) + -(-expert // experts)
    if base is None:
        return leaf("frozen", shared, UNIT)
    return leaf("frozen", shared, UNIT, source=base.source, status=base.status)


def _frozen_experts(architecture: Architecture, recipe: Recipe) -> int:
    """Return the bytes of experts' weights that are not trained."""
    stored = sum(
        weight.elements * copies for weight, copies in architecture.weights() if weight.role == "expert"
    )
    trained = sum(
        tensor.elements * tensor.copies
        for tensor in trainable(architecture, recipe)
        if tensor.role == "expert" and not tensor.adapter
    )
    return (stored - trained) * recipe.precision.stored


def _part(line: Line, name: str) -> int:
    return sum(int(part.value) for part in line.parts if part.name == name)
