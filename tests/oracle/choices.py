"""How the value of a configuration field is drawn: the vocabulary of the tables beside this file.

A table maps a field to its choice; a tuple of names is a field and its aliases, of which a file uses
one. A recipe is a sequence of tables; a later entry replaces an earlier one of the same field.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import Any

Fields = dict[str, Any]
Draw = Callable[[Random, Fields], Any]
"""From a source of randomness and the fields drawn so far (under their first name) to a value."""
Table = Mapping[Any, Draw]
"""From a name, or a tuple of names, to its choice."""


class Missing(Enum):
    """The field does not stand in the file."""

    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Either:
    """Several ways to say something, of which a file uses one."""

    tables: tuple[Table, ...]


Recipe = Sequence[Table | Either]


def either(*tables: Table) -> Either:
    return Either(tables)


def draw(random: Random, recipe: Recipe) -> Fields:
    """Return the fields of one sparse configuration."""
    known: Fields = {}
    spelling: dict[str, str] = {}
    for part in recipe:
        table = random.choice(part.tables) if isinstance(part, Either) else part
        for names, choice in table.items():
            spellings = (names,) if isinstance(names, str) else names
            known[spellings[0]] = choice(random, known)
            spelling[spellings[0]] = random.choice(spellings)
    return {spelling[name]: value for name, value in known.items() if value is not Missing.ABSENT}


def of(*values: Any) -> Draw:
    return lambda random, fields: random.choice(values)


def between(low: int, high: int) -> Draw:
    return lambda random, fields: random.randint(low, high)


def maybe(choice: Draw, chance: float = 0.6) -> Draw:
    """The field may be missing: then the default of the class holds."""
    return lambda random, fields: choice(random, fields) if random.random() < chance else Missing.ABSENT


def or_null(choice: Draw, chance: float = 0.3) -> Draw:
    return lambda random, fields: None if random.random() < chance else choice(random, fields)


def times(field: str, *factors: int) -> Draw:
    return lambda random, fields: fields[field] * random.choice(factors)


def quotient(field: str, divisor: str) -> Draw:
    return lambda random, fields: fields[field] // fields[divisor]


def divisor_of(field: str) -> Draw:
    """A number of groups: 1, a half or all of the field."""
    return lambda random, fields: random.choice((1, fields[field] // 2, fields[field]))


def same_as(field: str) -> Draw:
    return lambda random, fields: fields[field]


def per_layer(*kinds: Any, layers: str = "num_hidden_layers") -> Draw:
    return lambda random, fields: random.choices(kinds, k=fields[layers])


def some_layers(layers: str = "num_hidden_layers") -> Draw:
    """Sorted layer indices: none, some or all."""

    def choice(random: Random, fields: Fields) -> list[int]:
        count = fields[layers]
        return sorted(random.sample(range(count), random.randint(0, count)))

    return choice


def any_of(*choices: Draw) -> Draw:
    return lambda random, fields: random.choice(choices)(random, fields)


def section(model_type: str, recipe: Recipe, *, named: float = 1.0) -> Draw:
    """A nested configuration, which says its own type with the chance ``named``."""

    def choice(random: Random, fields: Fields) -> Fields:
        own = {"model_type": model_type} if random.random() < named else {}
        return {**own, **draw(random, recipe)}

    return choice


FLAG = of(True, False)
ABSENT: Draw = lambda random, fields: Missing.ABSENT  # noqa: E731 — a choice like the others
