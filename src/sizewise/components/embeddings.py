"""Token and position tables, and the head that turns hidden states into logits.

Shapes: V vocabulary, P positions, D hidden size; tables are [V, D] and [P, D], the head [V, D].
A tied head uses the token table: it stores nothing but its product is still computed.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sizewise.operations import Kept, Operation, product
from sizewise.tape.loss import finished_logits
from sizewise.tape.norms import layer_norm
from sizewise.tape.tape import Tape
from sizewise.tape.tensors import Tensor
from sizewise.tensors import Role, Weight


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """A table of ``rows`` vectors; one row is looked up per token, which costs no arithmetic."""

    rows: int
    width: int
    role: Role = "embedding"
    frozen: bool = False
    """The class computes the rows and never trains them (sinusoids)."""
    absolute: bool = False
    """A row for each place of a sequence: a token that stands beyond the last has none to look up."""

    def weights(self) -> Iterator[Weight]:
        """Yield the table [V, D].

        >>> [weight.elements for weight in Embedding(rows=50_000, width=512).weights()]
        [25600000]
        """
        yield Weight(
            name="weight",
            role=self.role,
            shape=(self.rows, self.width),
            kind="table",
            frozen=self.frozen,
        )

    def operations(self) -> Iterator[Operation]:
        """Yield the look-up, which multiplies nothing."""
        yield Operation(name="lookup", role=self.role, kind="lookup", outputs=self.width)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())

    def record(self, tape: Tape, identifiers: Tensor) -> Tensor:
        """Record the look-up of a row per identifier: it saves the identifiers.

        Where the table is not trained, a gradient of what is looked up is asked for nevertheless: the layers
        above could not be done again otherwise.
        """
        weight = tape.weight(self.rows * self.width, trained=False if self.frozen else None)
        found = tape.step(
            "lookup",
            (weight,),
            tape.tokens * self.width,
            tape.setting.stored,
            saved=(identifiers,) if weight.tracked else (),
        )
        found.tracked = not self.frozen
        if tape.style.normed_embedding:
            return layer_norm(tape, found, self.width, weighted=False)
        return tape.scale(found) if tape.style.scaled_embedding else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The product of the hidden state with V rows; stored only when it is not tied."""

    hidden: int
    vocabulary: int
    tied: bool
    bias: bool = False

    def weights(self) -> Iterator[Weight]:
        """Yield the matrix [V, D] unless tied, and the bias [V] where there is one."""
        if not self.tied:
            shape = (self.vocabulary, self.hidden)
            yield Weight(name="weight", role="head", shape=shape, kind="matrix")
        if self.bias:
            yield Weight(name="bias", role="head", shape=(self.vocabulary,))

    def operations(self) -> Iterator[Operation]:
        """Yield the product with the V rows, tied or not."""
        yield product("logits", "head", self.vocabulary, self.hidden)

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())

    def record(self, tape: Tape, source: Tensor) -> Tensor:
        """Record the logits of all tokens."""
        return finished_logits(tape, tape.linear(source, self.vocabulary, bias=self.bias))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bias:
    """A vector added to the output of a tied head, stored beside it and not in it."""

    width: int

    def weights(self) -> Iterator[Weight]:
        """Yield the vector [V]."""
        yield Weight(name="bias", role="head", shape=(self.width,))

    def operations(self) -> Iterator[Operation]:
        """Yield nothing: an addition multiplies nothing."""
        return iter(())

    def kept(self) -> Iterator[Kept]:
        """Yield nothing."""
        return iter(())
