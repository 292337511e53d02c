"""What a record costs: the bytes saved for backward, and the highest memory of each pass.

The passes are replayed step by step: memory is taken when a step makes it and given back after its last use,
as reference counting does in torch. Peaks are relative to what is alive when a piece is entered.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from sizewise.tape.tensors import Step, Storage, Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A recorded part of a model (a layer, the embedding, the head) with where it begins and ends."""

    steps: tuple[Step, ...]
    entry: Tensor | None
    exit: Tensor
    held: tuple[Tensor, ...] = ()
    """Tensors that the caller holds until the forward pass of the piece is over."""
    lets_go: bool = False
    """Nobody else holds what enters: it goes with its last use, where nothing saves it."""
    silent: bool = False
    """No gradient flows through it: the backward pass does not come here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Bytes of one piece.

    ``saved`` for backward without shared memory and without what it enters with, ``saves_entry``: it keeps
    that too; ``shared`` names the shared memory that is saved, ``read`` all of it that is looked at.
    ``forward_peak`` above entering; ``unsaved_peak`` the same
    where nothing is saved; ``backward_peak`` above what is alive before the piece's backward pass (its saved
    tensors and the gradient of its exit), ``gradients`` of weights that it leaves.
    """

    entering: int
    leaving: int
    saved: int
    saves_entry: bool
    saves_exit: bool
    shared: dict[str, int]
    read: dict[str, int]
    forward_peak: int
    unsaved_peak: int
    backward_peak: int
    gradients: int


def saved_storages(steps: Iterable[Step]) -> set[Storage]:
    """Return the memory that backward needs, each piece of it once; weights are not part of it."""
    return {storage for step in steps for storage in step.saved if not storage.permanent}


@lru_cache(maxsize=512)
def costs(piece: Piece, *, accumulated: bool = False) -> Costs:
    """Return what a piece saves and how high each of its passes goes.

    ``accumulated``: gradients are added to those that are already there, and do not stay by themselves.
    """
    saved = saved_storages(piece.steps)
    entry = piece.entry.storage if piece.entry is not None else None
    shared = {storage.shared: storage.bytes for storage in saved if storage.shared}
    own = sum(storage.bytes for storage in saved if not storage.shared and storage is not entry)
    gradients = 0 if accumulated else sum(sum(step.weight_gradients) for step in piece.steps)
    return Costs(
        entering=entry.bytes if entry is not None else 0,
        leaving=piece.exit.storage.bytes,
        saved=own,
        saves_entry=entry in saved,
        saves_exit=piece.exit.storage in saved,
        shared=shared,
        read=shared | _read(piece),
        forward_peak=_forward_peak(piece, saved),
        unsaved_peak=_forward_peak(piece, set()),
        backward_peak=0 if piece.silent else _backward_peak(piece, saved, accumulated=accumulated),
        gradients=gradients,
    )


def _read(piece: Piece) -> dict[str, int]:
    """Return the shared memory that a piece looks at, by name."""
    found = (entry.storage for step in piece.steps for entry in step.inputs)
    return {storage.shared: storage.bytes for storage in found if storage.shared}


def _forward_peak(piece: Piece, saved: set[Storage]) -> int:
    last: dict[Storage, int] = {}
    for index, step in enumerate(piece.steps):
        for tensor in (*step.inputs, *step.beside, step.output):
            last[tensor.storage] = index
    ends: dict[int, list[Storage]] = {}
    held = saved | {piece.exit.storage} | {tensor.storage for tensor in piece.held}
    for storage, index in last.items():
        ends.setdefault(index, []).append(storage)
    alive = peak = 0
    born = {piece.entry.storage} if piece.entry is not None else set()
    for index, step in enumerate(piece.steps):
        if step.output.storage not in born:
            born.add(step.output.storage)
            alive += step.output.storage.bytes
        further = dict.fromkeys((*step.saved, *step.extra))
        made = {storage for storage in further if storage not in born and _own(storage)}
        staying = {storage for storage in made if storage in held or storage in last}
        alive += sum(storage.bytes for storage in staying)
        born |= staying
        beside = sum(storage.bytes for storage in made - staying)
        peak = max(peak, alive + step.forward_scratch + beside)
        for storage in ends.get(index, ()):
            kept = storage in held or (_is(storage, piece.entry) and not piece.lets_go)
            if not kept and _own(storage) and storage in born:
                alive -= storage.bytes
    return peak


def _own(storage: Storage) -> bool:
    return not storage.permanent and not storage.shared


def _is(storage: Storage, tensor: Tensor | None) -> bool:
    return tensor is not None and tensor.storage is storage


@dataclass(slots=True)
class _Gradients:
    """Gradients on their way: how many tensors wait with each piece of memory, and what is alive."""

    alive: int = 0
    peak: int = 0
    waiting: dict[Tensor, Storage] = field(default_factory=dict)
    holders: Counter[Storage] = field(default_factory=Counter)

    def take(self, amount: int) -> None:
        self.alive += amount
        self.peak = max(self.peak, self.alive)

    def hand(self, tensor: Tensor, storage: Storage) -> None:
        """Give a tensor a gradient; a second one is added to the first, in place where nobody else has it."""
        first = self.waiting.get(tensor)
        self.holders[storage] += 1
        if first is None:
            self.waiting[tensor] = storage
            return
        if self.holders[first] > 1 and self.holders[storage] > 1:
            self.take(first.bytes)
            total = Storage(bytes=first.bytes)
            self.holders[total] += 1
            self.waiting[tensor] = total
            self.release(first)
            self.release(storage)
            return
        stays, goes = (first, storage) if self.holders[first] == 1 else (storage, first)
        self.waiting[tensor] = stays
        self.release(goes)

    def release(self, storage: Storage) -> None:
        self.holders[storage] -= 1
        if not self.holders[storage]:
            del self.holders[storage]
            self.alive -= storage.bytes


def _backward_peak(piece: Piece, saved: set[Storage], *, accumulated: bool) -> int:
    uses = Counter(storage for step in piece.steps for storage in step.saved if storage in saved)
    flow = _Gradients()
    root = Storage(bytes=piece.exit.bytes)
    flow.holders[root] += 1
    flow.waiting[piece.exit] = root
    for step in reversed(piece.steps):
        gradient = flow.waiting.pop(step.output, None)
        if gradient is None:
            continue
        _step_back(flow, step, gradient, accumulated=accumulated)
        flow.release(gradient)
        for storage in step.saved:
            if storage in uses:
                uses[storage] -= 1
                if not uses[storage] and _own(storage) and not _is(storage, piece.entry):
                    flow.alive -= storage.bytes
    return flow.peak


def _step_back(flow: _Gradients, step: Step, gradient: Storage, *, accumulated: bool) -> None:
    """Do one step of the backward pass: gradients of the inputs, then of the weights."""
    tracked = [entry for entry in step.inputs if entry.tracked and not entry.storage.permanent]
    if step.aliases:
        for entry in tracked:
            flow.hand(entry, gradient)
        return
    made = [(entry, Storage(bytes=entry.bytes)) for entry in tracked]
    if step.name == "split":
        made = [pair for pair in made if pair[0] not in flow.waiting]
    born = sum(storage.bytes for _, storage in made) + sum(step.weight_gradients)
    flow.take(born + step.scratch)
    flow.alive -= step.scratch
    if accumulated:
        flow.alive -= sum(step.weight_gradients)
    for entry, storage in made:
        flow.hand(entry, storage)
