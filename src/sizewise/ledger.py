"""Line: an amount that knows its unit, formula, inputs, source and status — or a sum of such lines.

A sum stores no value of its own, so a breakdown can never disagree with its total, and its status is
the weakest one below it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from sizewise.units import quantity

Status = Literal["exact", "derived", "measured", "fitted", "assumed"]
"""exact: from tensors · derived: formula checked against the engine · measured: here · fitted:
coefficients from measurements · assumed: rule of thumb. Strongest first."""

STATUSES: tuple[Status, ...] = get_args(Status)

Number = int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A leaf (``amount``) or the sum of ``parts``; build them with `leaf` and `total`."""

    name: str
    unit: str
    amount: Number | None = None
    parts: tuple["Line", ...] = ()
    formula: str = ""
    inputs: Mapping[str, Number] = field(default_factory=dict, hash=False)
    source: str = ""
    own_status: Status = "exact"
    low: Number | None = None
    high: Number | None = None

    @property
    def value(self) -> Number:
        """The amount, or the sum of the parts' values; in ``unit``."""
        if self.amount is not None:
            return self.amount
        return sum(part.value for part in self.parts)

    @property
    def status(self) -> Status:
        """The line's own status, or the weakest one among its parts that are not zero."""
        if self.amount is not None:
            return self.own_status
        below = [part.status for part in self.parts if part.value]
        return max(below, key=STATUSES.index, default="exact")

    @property
    def interval(self) -> tuple[Number, Number]:
        """The 90 % interval; for a sum that of parts that move together. Exact lines have no width."""
        if self.amount is None:
            bounds = [part.interval for part in self.parts]
            return sum(low for low, _ in bounds), sum(high for _, high in bounds)
        low = self.amount if self.low is None else self.low
        return low, self.amount if self.high is None else self.high

    @property
    def uncertain(self) -> bool:
        """Tell whether the interval has a width."""
        low, high = self.interval
        return low != high

    def part(self, name: str) -> "Line":
        """Return the direct part of that name.

        Raises KeyError when there is none.
        """
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)

    def walk(self, depth: int = 0) -> Iterator[tuple[int, "Line"]]:
        """Yield (depth, line) from the top down."""
        yield depth, self
        for part in self.parts:
            yield from part.walk(depth + 1)

    def explain(self) -> str:
        """Return the tree as text: each amount with its formula, inputs, source and status."""
        return "\n".join(_explained(depth, line) for depth, line in self.walk())

    def to_dict(self) -> dict[str, Any]:
        """Return plain data that `from_dict` turns back into an equal line."""
        low, high = self.interval
        document: dict[str, Any] = {"name": self.name, "unit": self.unit, "value": self.value}
        document["status"] = self.status
        if low != high:
            document["interval"] = [low, high]
        if self.amount is None:
            document["parts"] = [part.to_dict() for part in self.parts]
            return document
        if self.formula:
            document["formula"] = self.formula
            document["inputs"] = dict(self.inputs)
        if self.source:
            document["source"] = self.source
        return document

    @staticmethod
    def from_dict(document: Mapping[str, Any]) -> "Line":
        """Return the line that `to_dict` described."""
        if "parts" in document:
            parts = tuple(Line.from_dict(part) for part in document["parts"])
            return Line(name=document["name"], unit=document["unit"], parts=parts)
        low, high = document.get("interval", (None, None))
        return Line(
            name=document["name"],
            unit=document["unit"],
            amount=document["value"],
            formula=document.get("formula", ""),
            inputs=dict(document.get("inputs", {})),
            source=document.get("source", ""),
            own_status=document["status"],
            low=low,
            high=high,
        )


def leaf(
    name: str,
    amount: Number,
    unit: str,
    *,
    formula: str = "",
    inputs: Mapping[str, Number] | None = None,
    source: str = "",
    status: Status = "exact",
    interval: tuple[Number, Number] | None = None,
) -> Line:
    """Return a line that holds an amount.

    The formula is arithmetic over the names in ``inputs`` (with min, max and ceil) and evaluates to
    the amount.
    """
    low, high = interval or (None, None)
    return Line(
        name=name,
        unit=unit,
        amount=amount,
        formula=formula,
        inputs=dict(inputs or {}),
        source=source,
        own_status=status,
        low=low,
        high=high,
    )


def total(name: str, parts: list[Line] | tuple[Line, ...], unit: str) -> Line:
    """Return the sum of lines of one unit.

    >>> total("both", [leaf("a", 1, "bytes"), leaf("b", 2, "bytes")], "bytes").value
    3
    """
    assert all(part.unit == unit for part in parts), f"{name} mixes units"
    return Line(name=name, unit=unit, parts=tuple(parts))


def weakened(line: Line, status: Status) -> Line:
    """Return the line with no part stronger than ``status``.

    >>> weakened(leaf("a", 1, "bytes"), "assumed").status
    'assumed'
    """
    if line.amount is None:
        return replace(line, parts=tuple(weakened(part, status) for part in line.parts))
    return replace(line, own_status=max(line.own_status, status, key=STATUSES.index))


def _explained(depth: int, line: Line) -> str:
    text = f"{'  ' * depth}{line.name}: {quantity(line.value, line.unit)} ({line.status})"
    if line.uncertain:
        low, high = line.interval
        text += f", between {quantity(low, line.unit)} and {quantity(high, line.unit)}"
    if line.formula:
        where = ", ".join(f"{name} = {value:,}" for name, value in line.inputs.items())
        text += f" = {line.formula}" + (f"  [{where}]" if where else "")
    return text + (f"  ({line.source})" if line.source else "")
