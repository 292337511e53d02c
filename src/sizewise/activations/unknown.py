"""A part without a record, recorded from the operations that it says it does for a token.

Operations are taken in their order: a product reads what enters the part, what attention or a scan made, or a
function of the earlier products that are as wide as its input.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sizewise.architecture import Component
from sizewise.operations import Operation, SequenceState, TokenCache
from sizewise.tape.attention import attend
from sizewise.tape.tape import WIDE, Tape
from sizewise.tape.tensors import Tensor

CHUNK = 64
"""Tokens after which a kernel keeps the state of its scan (flash-linear-attention)."""
STEPS = 4
"""States of every token that a scan in torch operations keeps: decay, its exponential, input, sum."""


def record_unknown(tape: Tape, component: Component, source: Tensor) -> Tensor:
    """Record a part that cannot record itself; return what its last operation makes."""
    flow = _Flow(tape=tape, source=source, component=component)
    for operation in component.operations():
        if not operation.selects:
            flow.take(operation)
    return flow.last


@dataclass(slots=True, kw_only=True)
class _Flow:
    """What is on its way through a part: outputs that nothing read yet, and what mixed tokens last."""

    tape: Tape
    source: Tensor
    component: Component
    pending: list[Tensor] = field(default_factory=list)
    mixed: Tensor | None = None
    last: Tensor = field(init=False)

    def __post_init__(self) -> None:
        self.last = self.source

    def take(self, operation: Operation) -> None:
        """Record one operation; a look-up multiplies nothing and keeps nothing of the token."""
        if operation.kind == "product" and operation.outputs:
            self._product(operation)
        elif operation.kind == "scores":
            self._scores(operation)
        elif operation.kind == "convolution":
            self._convolution(operation)
        elif operation.kind == "scan":
            self._scan()

    def _product(self, operation: Operation) -> None:
        if not operation.macs:
            return
        times = self._copies() if operation.role == "expert" else 1
        inputs, outputs = operation.macs // operation.outputs, operation.outputs // times
        rows = self.tape.tokens * times
        entry = self._input(rows * inputs)
        self.last = self.tape.product(entry, outputs, inputs, tokens=rows)
        self.pending.append(self.last)

    def _copies(self) -> int:
        """Count the experts that a token is sent to."""
        stacks = (weight.active_experts for weight in self.component.weights() if weight.experts > 1)
        return max(stacks, default=1)

    def _input(self, numbers: int) -> Tensor:
        """Return what a product of that many numbers reads."""
        tape = self.tape
        if self.mixed is not None and self.mixed.numbers == numbers:
            return self._gated(self.mixed)
        if self.source.numbers == numbers:
            return self.source
        matching = [tensor for tensor in self.pending if tensor.numbers == numbers]
        if not matching:
            self.pending.clear()
            return tape.step("joined", (self.last,), numbers, self.last.width)
        self.pending = [tensor for tensor in self.pending if tensor.numbers != numbers]
        return self._product_of(matching)

    def _product_of(self, found: list[Tensor]) -> Tensor:
        """Record a function of the first, multiplied with each of the others."""
        made = self.tape.unary("activation", found[0], "input")
        for other in found[1:]:
            made = self.tape.multiply(made, other)
        return made

    def _gated(self, mixed: Tensor) -> Tensor:
        gates = [tensor for tensor in self.pending if tensor.numbers == mixed.numbers]
        self.pending.clear()
        self.mixed = None
        return self.tape.multiply(mixed, self._product_of(gates[:1])) if gates else mixed

    def _scores(self, operation: Operation) -> None:
        tape, tokens = self.tape, self.tape.tokens
        queries = operation.macs_per_key - operation.outputs
        kept = [entry for entry in self.component.kept() if isinstance(entry, TokenCache)]
        full = [entry.keys + entry.values for entry in kept if not entry.latent and entry.stride == 1]
        both = full[0] if full else operation.macs_per_key
        sizes = (queries, both - both // 2, both // 2)
        parts = [self._made(self.pending, tokens * size) for size in sizes]
        self.pending.clear()
        heads = operation.heads or 1
        self.mixed = attend(tape, *parts, heads=heads, groups=1, outputs=tokens * operation.outputs)
        self.last = self.mixed

    def _made(self, found: Iterable[Tensor], numbers: int) -> Tensor:
        width = self.tape.setting.width
        return self.tape.step("prepared", tuple(found) or (self.source,), numbers, width)

    def _convolution(self, operation: Operation) -> None:
        tape = self.tape
        numbers = tape.tokens * operation.outputs
        entry = self._made(self.pending[:1], numbers)
        rest = self.pending[1:]
        left = self.pending[0].numbers - numbers if self.pending else 0
        gate = [tape.view(self.pending[0], left)] if left > 0 else []
        convolved = tape.step("convolution", (entry,), numbers, entry.width, saved=(entry,))
        self.last = tape.unary("activation", convolved, "input")
        self.pending = [*gate, *rest, self.last]

    def _scan(self) -> None:
        tape = self.tape
        states = [entry for entry in self.component.kept() if isinstance(entry, SequenceState)]
        state = sum(entry.recurrent + entry.memory for entry in states)
        setting = tape.setting
        pieces = -(-setting.sequence // CHUNK) if setting.kernels else STEPS * setting.sequence
        entries = tuple(self.pending) or (self.source,)
        numbers = tape.tokens * self._scanned()
        self.mixed = tape.step(
            "scan",
            entries,
            numbers,
            setting.width,
            saved=entries,
            saves_output=True,
            extra=WIDE * setting.batch * state * pieces,
        )
        self.last = self.mixed

    def _scanned(self) -> int:
        return next(entry.outputs for entry in self.component.operations() if entry.kind == "scan")
