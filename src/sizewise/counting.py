"""How many parameters: totals by role and by convention, as lines with their formulas.

Each logical weight counts once (a tied head has none of its own). "Active" is what one token uses;
vendors differ on whether embeddings belong to it, so every convention is named.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from math import prod

from sizewise.architecture import Architecture, Model
from sizewise.components.stored_tensor import StoredTensor
from sizewise.errors import InputError
from sizewise.ledger import Line, Status, leaf, total
from sizewise.tensors import Role, Weight

UNIT = "parameters"
PARAMETER_LIMIT = 10**16
LISTED_LIMIT = 200_000

LOOKED_UP: tuple[Role, ...] = ("embedding", "position")
"""Roles whose rows are looked up: they cost no arithmetic."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The counts of a model. ``active_by_convention`` holds every meaning of "active"."""

    total: Line
    by_role: dict[Role, int]
    active: int
    active_by_convention: dict[str, int]
    trainable: int
    non_trainable: int
    active_known: bool = True
    """Of a header with experts it is not known how many of them a token uses: all count as active."""


def count(model: Model) -> Count:
    """Count a model's parameters.

    Raises InputError (bad_config) for more than 10^16 of them.
    """
    check_limit(model)
    line = parameter_line(model)
    counted = model.counted or model.architecture
    conventions = active_by_convention(counted)
    frozen = sum(w.elements * n for w, n in counted.weights() if w.frozen)
    if model.trainable is not None:
        frozen = int(line.value) - model.trainable
    return Count(
        total=line,
        by_role={part.name: int(part.value) for part in line.parts},  # type: ignore[misc]
        active=conventions["all"],
        active_by_convention=conventions,
        trainable=int(line.value) - frozen,
        non_trainable=frozen,
        active_known=active_known(counted),
    )


def active_known(architecture: Architecture) -> bool:
    """Tell whether it is known how many experts a token uses; a checkpoint's header does not say it."""
    stored = (place for place in architecture.placed() if isinstance(place.component, StoredTensor))
    return not any(weight.role == "expert" for place in stored for weight in place.weights())


def check_listable(model: Model) -> None:
    """Raise InputError (too_many_tensors) for more than 200,000 tensors: too long a list to read."""
    tensors = sum(layers for _, layers in model.architecture.weights())
    if tensors > LISTED_LIMIT:
        raise InputError(
            "too_many_tensors",
            f"{model.name} has {tensors:,} tensors; {LISTED_LIMIT:,} can be listed; drop --tensors",
        )


def check_limit(model: Model) -> None:
    """Raise InputError (bad_config) for a model of more than 10^16 parameters."""
    if total_parameters(model.architecture) > PARAMETER_LIMIT:
        raise InputError("bad_config", f"{model.name}: over 10^16 parameters; check the sizes in the config")


def parameter_line(model: Model) -> Line:
    """Return the total with a part per role and a leaf per kind of tensor."""
    status: Status = "assumed" if model.assumed else "exact"
    source = model.assumed or model.architecture.model_class
    roles: dict[str, list[Line]] = defaultdict(list)
    for place in (model.counted or model.architecture).placed():
        for weight in place.weights():
            name = place.full_name(weight, "*")
            roles[weight.role].append(_weight_line(name, weight, len(place.layers), status, source))
    parts = [total(role, leaves, UNIT) for role, leaves in roles.items()]
    return total("parameters", parts, UNIT)


def _weight_line(name: str, weight: Weight, layers: int, status: Status, source: str) -> Line:
    axes: tuple[str, ...] = ("rows", "columns") if len(weight.shape) == 2 else ("experts", "rows", "columns")
    if weight.kind == "kernel" or len(weight.shape) not in (2, 3):
        axes = tuple(f"axis{i}" for i in range(len(weight.shape)))
    inputs = dict(zip(axes, weight.shape, strict=True))
    if layers > 1:
        inputs = {"layers": layers, **inputs}
    return leaf(
        name,
        layers * prod(weight.shape),
        UNIT,
        formula=" * ".join(inputs) or "1",
        inputs=inputs,
        status=status,
        source=source,
    )


def active_by_convention(architecture: Architecture) -> dict[str, int]:
    """Count the parameters that one token uses, by convention.

    ``all`` counts embeddings and head; ``without_input_embedding`` leaves out the tables that are
    only looked up (a tied table stays: the head multiplies with it) and matches FLOPs;
    ``non_embedding`` leaves out tables and head (Kaplan et al. 2020, arXiv:2001.08361).
    """
    active: dict[Role, int] = defaultdict(int)
    for weight, layers in architecture.weights():
        active[weight.role] += weight.active_elements * layers
    everything = sum(active.values())
    looked_up = sum(active[role] for role in LOOKED_UP)
    shared = architecture.hidden * architecture.vocabulary if architecture.tied else 0
    return {
        "all": everything,
        "without_input_embedding": everything - looked_up + shared,
        "non_embedding": everything - looked_up - active["head"],
    }


@lru_cache(maxsize=64)
def total_parameters(architecture: Architecture) -> int:
    """Count the stored parameters."""
    return sum(weight.elements * layers for weight, layers in architecture.weights())
