"""Routed experts: E feed-forward layers of which a token uses k, stored as stacked tensors.

Shapes: D hidden, F expert size, E experts; ``gate_up_proj`` is [E, 2F, D] (plain experts: ``up_proj``
[E, F, D]) and ``down_proj`` [E, D, F]; some classes store [E, in, out]. The router stands apart.
Source: Shazeer et al. 2017, arXiv:1701.06538; stacking: modelling files of transformers 5.23.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tape.activation import activation
from sizewise.tape.tape import NotRecordable, Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Weight

INDEX = 8
"""Bytes of an index."""

OFFSET = 4
"""Bytes of the place where the rows of an expert end (torch's grouped product)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertNames:
    """Names of the two stacks; an empty first one means the usual."""

    first: str = ""
    down: str = "down_proj"


@dataclass(frozen=True, slots=True, kw_only=True)
class Experts:
    """All routed experts of one layer. Every number is a count."""

    hidden: int
    width: int
    experts: int
    active: int
    gated: bool = True
    bias: bool = False
    transposed: bool = False
    names: ExpertNames = ExpertNames()
    idle: int = 0
    """Experts that pass a token on unchanged; the class stores a first matrix for them nevertheless."""
    chosen: int = 0
    """Experts that a token uses on all devices that share them; 0: all are here, ``active``."""

    @property
    def rows(self) -> int:
        """Rows per token that pass through the experts here: as many come from other devices as go there.

        >>> Experts(hidden=8, width=4, experts=2, active=2, chosen=4).rows
        4
        """
        return self.chosen or self.active

    def weights(self) -> Iterator[Weight]:
        """Yield the two stacks, and their biases [E, out] where there are some.

        >>> stack = Experts(hidden=4096, width=14336, experts=8, active=2)
        >>> sum(weight.elements for weight in stack.weights()) // 8
        176160768
        """
        first, pieces = ("gate_up_proj", 2) if self.gated else ("up_proj", 1)
        outputs, stored = pieces * self.width, self.experts + self.idle
        yield from self._matrix(self.names.first or first, outputs, self.hidden, stored, pieces)
        yield from self._matrix(self.names.down, self.hidden, self.width, self.experts, 1)

    def _matrix(self, name: str, outputs: int, inputs: int, experts: int, pieces: int) -> Iterator[Weight]:
        sizes = (inputs, outputs) if self.transposed else (outputs, inputs)
        yield Weight(
            name=name,
            role="expert",
            shape=(experts, *sizes),
            kind="matrix",
            experts=experts,
            active_experts=self.active,
            pieces=pieces,
            transposed=self.transposed,
        )
        if self.bias:
            yield Weight(
                name=f"{name}_bias",
                role="expert",
                shape=(self.experts, outputs),
                experts=self.experts,
                active_experts=self.active,
            )

    def operations(self) -> Iterator[Operation]:
        """Yield the products of the k experts that a token uses."""
        yield product("up", "expert", self.width * (2 if self.gated else 1), self.hidden, times=self.active)
        yield product("down", "expert", self.hidden, self.width, times=self.active)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())

    def record(self, tape: Tape, source: Tensor, chances: Tensor) -> Tensor:
        """Record k copies of each token, sorted by expert, through both matrices, weighted and summed.

        T*k rows in all, however many experts are here: on average a device gets as many as it sends.
        """
        if self.idle:
            raise NotRecordable("experts that pass a token on")
        if tape.style.routing.everywhere:
            return self._record_everywhere(tape, source, chances)
        rows = tape.tokens * self.rows
        order = (tape.tensor(rows, INDEX, tracked=False), tape.tensor(self.experts, OFFSET, tracked=False))
        sent = tape.step("sent", (source,), rows * self.hidden, source.width, extra=INDEX * rows)
        pieces = 2 if self.gated else 1
        first = self._record_product(tape, sent, pieces * self.width, self.hidden, order)
        inner = self._record_gate(tape, first)
        outputs = self._record_product(tape, inner, self.hidden, self.width, order)
        ordered = tape.step("ordered", (chances,), rows, chances.width, extra=INDEX * rows)
        weighted = tape.multiply(outputs, ordered)
        restored = tape.step("restored", (weighted,), weighted.numbers, weighted.width, extra=INDEX * rows)
        summed = tape.mean(restored, tape.stream * self.hidden)
        return tape.cast(summed, source.width)

    def _record_everywhere(self, tape: Tape, source: Tensor, chances: Tensor) -> Tensor:
        """Record every token, times its weight, through every expert: T*E rows in batched products."""
        rows = tape.tokens * self.experts
        repeated = tape.copy(source, rows * self.hidden)
        weighted = tape.multiply(repeated, tape.copy(chances))
        first = self._record_batched(tape, weighted, 2 * self.width, self.hidden)
        outputs = self._record_batched(tape, self._record_gate(tape, first), self.hidden, self.width)
        return tape.mean(outputs, tape.stream * self.hidden)

    def _record_batched(self, tape: Tape, source: Tensor, outputs: int, inputs: int) -> Tensor:
        """Record all rows of each expert with its matrix."""
        rows = tape.tokens * self.experts
        return tape.product(source, outputs, inputs, tokens=rows, copies=self.experts)

    def _record_product(
        self, tape: Tape, source: Tensor, outputs: int, inputs: int, order: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Record rows with the matrix of their expert: it keeps where the rows of each expert end.

        It has no rule for autocast: the rows are cast to the matrix's width.
        """
        rows, ends = order
        weight = tape.weight(self.experts * outputs * inputs)
        source = tape.cast(source, weight.width)
        found = tape.step(
            "product",
            (source, weight),
            rows.numbers * outputs,
            source.width,
            saved=([source, ends] if weight.tracked else [ends]) + [weight] * source.tracked,
        )
        if not self.bias:
            return found
        bias = tape.weight(self.experts * outputs)
        return tape.add(found, tape.step("biases", (bias,), found.numbers, found.width, saved=(rows,)))

    def _record_gate(self, tape: Tape, first: Tensor) -> Tensor:
        if not self.gated:
            return activation(tape, first)
        gate, up = tape.split(first, (first.numbers // 2,) * 2)
        if tape.style.expert_gate == "plain":
            return tape.multiply(activation(tape, gate), up)
        gate, up = tape.unary("clamp", gate, "input"), tape.unary("clamp", up, "input")
        shut = tape.multiply(gate, tape.unary("sigmoid", tape.scale(gate), "output"))
        return tape.multiply(tape.scale(up), shut)
