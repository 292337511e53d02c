"""Optimizers as rows of facts: which tensors of state each keeps, and what a step allocates for a moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, Literal

from sizewise.catalog.rows import normalised, tables
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.ledger import Status

Shape = Literal["full", "scalar", "rows", "columns", "vector", "codes", "scales"]
"""full: the tensor's own shape · scalar: one number · rows, columns: one number for each row, each column of
a tensor of two or more axes · vector: the own shape, of tensors of fewer axes · codes: a byte per number, but
fp32 in small tensors · scales: an fp32 number per block of numbers, none in small tensors."""

Implementation = Literal["loop", "foreach", "fused"]
"""How torch.optim updates: tensor by tensor, all tensors in one call, or in one kernel."""

BLOCK = 256
SMALL = 4096
"""Numbers below which a tensor's state stays in 32 bit."""
PAGED = 100_000
"""Numbers from which a paged optimizer's tensor lies in memory that the host and the device share."""

FP32 = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A tensor of state beside every tensor that is trained, ``times`` over.

    ``width`` bytes per number; None: as wide as the recipe's states. ``paged``: large ones are pageable.
    """

    name: str
    shape: Shape = "full"
    width: int | None = None
    times: int = 1
    paged: bool = False

    def numbers(self, shape: tuple[int, ...]) -> int:
        """Count the numbers kept for a tensor of that shape.

        >>> Slot(name="row_var", shape="rows").numbers((4096, 11008))
        4096
        >>> Slot(name="absmax", shape="scales").numbers((4096, 11008))
        176128
        """
        return self.times * self._numbers(shape, prod(shape))

    def _numbers(self, shape: tuple[int, ...], elements: int) -> int:
        match self.shape:
            case "scalar":
                return 1
            case "rows":
                return elements // shape[-1] if len(shape) > 1 else 0
            case "columns":
                return elements // shape[-2] if len(shape) > 1 else 0
            case "vector":
                return elements if len(shape) <= 1 else 0
            case "scales":
                return -(-elements // BLOCK) if elements >= SMALL else 0
            case _:
                return elements

    def number_bytes(self, shape: tuple[int, ...], state: int) -> int:
        """Return the bytes of one of these numbers; ``state`` are those of the recipe's states."""
        if self.shape == "codes":
            return 1 if prod(shape) >= SMALL else FP32
        return state if self.width is None else self.width

    def pageable(self, shape: tuple[int, ...]) -> bool:
        """Tell whether the state of a tensor of that shape can be moved to the host."""
        return self.paged and prod(shape) >= PAGED


@dataclass(frozen=True, slots=True, kw_only=True)
class Temporaries:
    """What a step holds for a moment, in numbers of ``width`` bytes (None: as wide as the states).

    ``all`` for every number that the call updates, ``largest`` for each of the tensor at work and
    ``previous`` for each of the tensor before it, whose result is freed late. ``mask`` bytes for each number
    of the tensor at work, ``casts`` fp32 copies of it where weights are 16 bit, and ``orthogonal`` says that
    it is made orthogonal in bf16 by products with its own transpose.
    """

    all: int = 0
    largest: int = 0
    previous: int = 0
    mask: int = 0
    casts: int = 0
    width: int | None = None
    orthogonal: bool = False

    def at_work(self, shape: tuple[int, ...], state: int, stored: int) -> int:
        """Return the bytes held while a tensor of that shape is updated.

        ``state`` and ``stored`` are the bytes of a number of state and of a weight. Orthogonal: the old and
        the new matrix and two products of its smaller side (Newton-Schulz; Jordan et al. 2024).

        >>> Temporaries(largest=1, orthogonal=True).at_work((1000, 1000), state=4, stored=4)
        12000000
        """
        elements = prod(shape)
        casts = self.casts * FP32 if stored < FP32 else 0
        held = elements * (self.largest * self.number_bytes(state) + self.mask + casts)
        if self.orthogonal:
            held += 4 * elements + 4 * min(shape) ** 2
        return held

    def number_bytes(self, state: int) -> int:
        """Return the bytes of one of these numbers; ``state`` are those of the recipe's states."""
        return state if self.width is None else self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimizer:
    """An optimizer of a library: its state per tensor and what a step takes.

    With ``matrices_only`` the row updates matrices of hidden layers and ``rest`` names the optimizer of all
    other tensors. ``tables`` bytes are held once. ``steps`` has a rule per implementation; an optimizer with
    a loop alone has no choice of implementation.
    """

    name: str
    aliases: tuple[str, ...]
    library: str
    slots: tuple[Slot, ...]
    steps: Mapping[Implementation, Temporaries]
    status: Status
    source: str
    checked: str
    matrices_only: bool = False
    rest: str = ""
    tables: int = 0
    embeddings: str = ""
    """Which optimizer updates tables of embeddings where it is another."""

    def step(self, implementation: Implementation) -> Temporaries:
        """Return what a step of an implementation takes.

        Raises UsageError (bad_option) where the optimizer has others but not this one.
        """
        if len(self.steps) == 1:
            return self.steps["loop"]
        if implementation not in self.steps:
            known = ", ".join(self.steps)
            raise UsageError(
                "bad_option", f"{self.name} has no {implementation} implementation; known: {known}"
            )
        return self.steps[implementation]


def find_optimizer(name: str) -> Optimizer:
    """Return the optimizer of a name, or of an alias such as the names of transformers' Trainer.

    Raises UsageError (bad_option) with the nearest names.

    >>> find_optimizer("adamw_torch").name
    'adamw'
    """
    found = _by_name().get(normalised(name))
    if found is None:
        near = did_you_mean(name.lower(), optimizers()) or f"; known: {', '.join(optimizers())}"
        raise UsageError("bad_option", f"no optimizer is called {shorten(name)!r}{near}")
    return found


@cache
def optimizers() -> Mapping[str, Optimizer]:
    """Return every optimizer by its name."""
    rows = [row for document in tables("optimizers").values() for row in document["optimizer"]]
    return {row["name"]: _optimizer(row) for row in rows}


@cache
def _by_name() -> Mapping[str, Optimizer]:
    found: dict[str, Optimizer] = {}
    for row in optimizers().values():
        for word in (row.name, *row.aliases):
            found.setdefault(normalised(word), row)
    return found


def _optimizer(row: Mapping[str, Any]) -> Optimizer:
    values = {key: row[key] for key in ("name", "library", "status", "source", "checked")}
    optional = {key: row[key] for key in ("matrices_only", "rest", "tables", "embeddings") if key in row}
    return Optimizer(
        **values,
        **optional,
        aliases=tuple(row["aliases"]),
        slots=tuple(Slot(**slot) for slot in row["state"]),
        steps={name: Temporaries(**rule) for name, rule in row["step"].items()},
    )
