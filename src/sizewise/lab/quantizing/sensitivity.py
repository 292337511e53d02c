"""What each group of matrices is to blame for: the KL of the model with that group alone rounded."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sizewise.lab.quality.measure import Reference, compared
from sizewise.lab.quantizing.budget import Option
from sizewise.lab.quantizing.groups import Group
from sizewise.lab.quantizing.rounding import rounded, rounding

LEAST_NATS = 1e-9
"""What a rounding costs at least: log-probabilities in fp32 tell no less from nothing, or from below it."""

Step = Callable[[int, int], None]
"""Told how many of all measurements are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensitivity:
    """What was measured of each group in each format, and of what was chosen of all together.

    ``chosen`` is the format of each group; ``sum_nats`` the sum of their KLs alone, ``joint_nats`` the KL
    of all of them at once. ``text`` and ``tokens`` say what it was measured on.
    """

    options: tuple[tuple[Option, ...], ...]
    chosen: tuple[Option, ...]
    joint_nats: float
    text: str
    tokens: int

    @property
    def sum_nats(self) -> float:
        """The KL that the chosen formats were expected to have together."""
        return sum(option.kl_nats for option in self.chosen)


def measured_options(
    module: Any,
    reference: Reference,
    groups: Sequence[Group],
    formats: Sequence[str],
    bytes_of: Callable[[Group, str], int],
    *,
    step: Step,
) -> tuple[tuple[Option, ...], ...]:
    """Return the options of each group: its bytes in each format, and the KL where it alone is in it.

    Measured is the first, coarsest format, as at least `LEAST_NATS`: left-over bytes go to groups without a
    loss that could be measured, too. To second order the KL is as the squared error of the rounding, so
    the others follow from the errors that the formats make of the same numbers.
    """
    found: list[tuple[Option, ...]] = []
    for place, group in enumerate(groups):
        coarsest = max(joint_nats(module, reference, {group: formats[0]}), LEAST_NATS)
        errors = [_squared_error(module, group, format) for format in formats] if len(formats) > 1 else [1.0]
        found.append(
            tuple(
                Option(
                    group=group.name,
                    format=format,
                    bytes=bytes_of(group, format),
                    kl_nats=coarsest * error / errors[0] if errors[0] else coarsest,
                )
                for format, error in zip(formats, errors, strict=True)
            )
        )
        step(place + 1, len(groups))
    return tuple(found)


def _squared_error(module: Any, group: Group, format: str) -> float:
    """Return the sum of squares by which a format moves the numbers of a group."""
    before = {name: module.get_parameter(name).data for name in group.parameters}
    change = rounding(format)
    with rounded(module, dict.fromkeys(group.parameters, change)):
        return sum(
            float((module.get_parameter(name).data - data).square().sum()) for name, data in before.items()
        )


def joint_nats(module: Any, reference: Reference, formats: Mapping[Group, str]) -> float:
    """Return the KL in nats per token of a module with groups of its matrices rounded."""
    changes = {format: rounding(format) for format in set(formats.values())}
    parameters = {name: changes[format] for group, format in formats.items() for name in group.parameters}
    with rounded(module, parameters):
        return compared(reference, module).kl_nats.value
