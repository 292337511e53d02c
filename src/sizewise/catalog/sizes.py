"""Size classes: half-open bands of parameters with models of the catalogue as examples."""

from dataclasses import dataclass

from sizewise.catalog.models import Preset, presets

BILLION = 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeClass:
    """Models of at least ``low`` and fewer than ``high`` parameters; ``high`` None: no bound."""

    name: str
    low: int
    high: int | None
    examples: tuple[Preset, ...]


BANDS = (
    ("tiny", 0, 1),
    ("3B class", 1, 5),
    ("7B class", 5, 10),
    ("13B class", 10, 20),
    ("30B class", 20, 50),
    ("70B class", 50, 100),
    ("100B class", 100, 200),
    ("200B+", 200, 400),
    ("400B+", 400, None),
)
"""Name, and bounds in billions: a model on a bound belongs to the band above."""


def size_classes() -> tuple[SizeClass, ...]:
    """Return the bands with every catalogue model of each, smallest first."""
    models = sorted(presets(), key=lambda preset: (preset.parameters, preset.id))
    return tuple(
        SizeClass(
            name=name,
            low=low * BILLION,
            high=None if high is None else high * BILLION,
            examples=tuple(m for m in models if low * BILLION <= m.parameters < (high or 10**9) * BILLION),
        )
        for name, low, high in BANDS
    )
