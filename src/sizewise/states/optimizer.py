"""Optimizer state: its bytes per trained tensor, and as a line with a part per kind of state."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.architecture import Architecture
from sizewise.catalog.optimizers import Optimizer, Slot, find_optimizer
from sizewise.ledger import Line, leaf, total
from sizewise.recipe import Recipe
from sizewise.states.tensors import TrainedTensor
from sizewise.states.trained import trainable
from sizewise.states.widths import widths


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """State of one kind beside one tensor: how many numbers of how many bytes, movable to the host or not."""

    slot: Slot
    optimizer: Optimizer
    numbers: int
    number_bytes: int
    pageable: bool

    @property
    def bytes(self) -> int:
        """Bytes beside one tensor."""
        return self.numbers * self.number_bytes


def optimizer_for(tensor: TrainedTensor, recipe: Recipe) -> Optimizer:
    """Return the optimizer that updates a tensor: where the recipe's takes matrices alone, its companion."""
    chosen = find_optimizer(recipe.optimizer)
    if chosen.embeddings and tensor.kind == "table":
        return find_optimizer(chosen.embeddings)
    if chosen.matrices_only and not tensor.hidden_matrix:
        return find_optimizer(chosen.rest)
    return chosen


def kept(tensor: TrainedTensor, recipe: Recipe) -> Iterator[Kept]:
    """Yield the state beside one tensor; tables that an optimizer holds once are not counted."""
    optimizer = optimizer_for(tensor, recipe)
    for slot in optimizer.slots:
        numbers = slot.numbers(tensor.shape)
        if numbers:
            yield Kept(
                slot=slot,
                optimizer=optimizer,
                numbers=numbers,
                number_bytes=slot.number_bytes(tensor.shape, widths(tensor, recipe).state),
                pageable=slot.pageable(tensor.shape),
            )


def optimizer_state(architecture: Architecture, recipe: Recipe) -> Line:
    """Return the bytes of the optimizer state after the first step: a part per kind of state.

    Counted for every trained tensor: one that never gets a gradient has no state in torch. The numbers of
    steps are counted although torch keeps them on the host unless the kernel is fused.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> gpt2 = describe(Config({}, "gpt2"))
    >>> state = optimizer_state(gpt2, Recipe(sequence=1024))
    >>> state.value, state.part("exp_avg").value == 4 * 124_439_808
    (995519056, True)
    """
    groups: dict[tuple[str, str, int, bool], int] = defaultdict(int)
    for tensor in trainable(architecture, recipe):
        for entry in kept(tensor, recipe):
            key = (entry.slot.name, entry.optimizer.name, entry.number_bytes, entry.pageable)
            groups[key] += entry.numbers * tensor.copies
    names: dict[str, list[Line]] = defaultdict(list)
    for (name, optimizer, number_bytes, pageable), numbers in groups.items():
        names[name].append(_leaf(name, find_optimizer(optimizer), numbers, number_bytes, pageable=pageable))
    lines = [parts[0] if len(parts) == 1 else total(name, parts, "bytes") for name, parts in names.items()]
    chosen = find_optimizer(recipe.optimizer)
    if chosen.tables and lines:
        lines.append(leaf("tables", chosen.tables, "bytes", source=chosen.source, status=chosen.status))
    return total("optimizer state", lines, "bytes")


def pageable_bytes(architecture: Architecture, recipe: Recipe) -> int:
    """Return the bytes of optimizer state in memory that the host and the device share."""
    return sum(
        entry.bytes * tensor.copies
        for tensor in trainable(architecture, recipe)
        for entry in kept(tensor, recipe)
        if entry.pageable
    )


def _leaf(name: str, optimizer: Optimizer, numbers: int, number_bytes: int, *, pageable: bool) -> Line:
    return leaf(
        f"{name}, pageable" if pageable else name,
        numbers * number_bytes,
        "bytes",
        formula="numbers * number_bytes",
        inputs={"numbers": numbers, "number_bytes": number_bytes},
        source=optimizer.source,
        status=optimizer.status,
    )
