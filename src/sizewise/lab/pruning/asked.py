"""What is pruned, and how much of it."""

from dataclasses import dataclass
from math import floor
from typing import Literal, get_args

from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten

Method = Literal["magnitude", "wanda", "2:4", "layers", "width"]
Axis = Literal["ffn", "heads", "hidden"]
METHODS: tuple[Method, ...] = get_args(Method)
AXES: tuple[Axis, ...] = get_args(Axis)
HALF = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruning:
    """A method with its amount: ``share`` of the weights, layers or widths, or ``layers`` by their number."""

    method: Method
    share: float | None = None
    layers: int | None = None
    axes: tuple[Axis, ...] = ("ffn",)

    def dropped_layers(self, depth: int) -> int:
        """Return how many of ``depth`` layers go: rounded down, at least 1, and 1 stays.

        Raises UsageError (bad_option).
        """
        asked = self.layers if self.layers is not None else max(part_of(depth, self.share or 0.0), 1)
        if not 0 < asked < depth:
            raise UsageError("bad_option", f"--amount: {asked} of {depth} layers cannot be dropped")
        return asked


def part_of(whole: int, share: float) -> int:
    """Return a share of a count, rounded down; shares that are whole but for floating point stay whole.

    >>> part_of(100, 0.29)
    29
    """
    return floor(share * whole * (1 + 1e-12))


def asked_pruning(method: str, amount: str | float | None = None, axes: tuple[str, ...] = ()) -> Pruning:
    """Return what is asked for. ``amount`` is a share (0.2, "20%"), or a number of layers ("5").

    Raises UsageError (bad_option).

    >>> asked_pruning("wanda", "50%").share
    0.5
    >>> asked_pruning("layers", "5").layers
    5
    """
    chosen = next((known for known in METHODS if known == method), None)
    if chosen is None:
        near = did_you_mean(method, METHODS)
        raise UsageError(
            "bad_option", f"--method: {shorten(method)!r} is none{near}; known: {', '.join(METHODS)}"
        )
    if axes and chosen != "width":
        raise UsageError("bad_option", f"--axis belongs to --method width, not to {chosen}")
    share, layers = _amount(chosen, amount)
    return Pruning(method=chosen, share=share, layers=layers, axes=_axes(axes))


def _axes(names: tuple[str, ...]) -> tuple[Axis, ...]:
    for name in names:
        if name not in AXES:
            near = did_you_mean(name, AXES)
            raise UsageError(
                "bad_option", f"--axis: {shorten(name)!r} is none{near}; known: {', '.join(AXES)}"
            )
    return tuple(axis for axis in AXES if axis in names) or ("ffn",)


def _amount(method: Method, amount: str | float | None) -> tuple[float | None, int | None]:
    if method == "2:4":
        if amount is not None and _share(str(amount)) != HALF:
            raise UsageError("bad_option", "--amount: 2:4 takes two of four weights, 50%; drop the option")
        return HALF, None
    if amount is None:
        raise UsageError("bad_option", f"--method {method} needs --amount, e.g. --amount 20%")
    text = str(amount).strip()
    if method == "layers" and text.isascii() and text.isdigit() and len(text) < 7:
        return None, int(text)
    return _share(text), None


def _share(text: str) -> float:
    """Read a share: 20%, 0.2."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0.0 < value < 1.0:
        raise UsageError(
            "bad_option", f"--amount: {shorten(text)!r} is no share between 0 and 1, such as 0.2 or 20%"
        )
    return value
