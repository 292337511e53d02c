r"""Names and patterns of modules, as quantization settings list them, matched safely and fast.

Three kinds: plain names (``lm_head``, ``model.layers.0``) stand for the module and all below it, and for
a run of its dotted parts; globs (``model.layers.3.mlp*``) cover the whole name; ``re:`` expressions match
from the start. Files are not trusted: expressions are never given to a backtracking engine. The
subset that is understood (literals, ``.``, ``\d``, classes, groups of literals, ``* + ?``) is followed
for all positions at once, in time linear in the pattern; anything else is reported, not guessed.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from string import digits

from sizewise.formats.expressions import General, Text, expression, glob

TEXT_LIMIT = 400
GENERAL_LIMIT = 200
LOOK_UP_WORK = 4
"""Steps that looking up all names of a module is counted as."""

_WRAPPERS = frozenset({"model", "language_model", "transformer", "text_model"})
_NUMBER = re.compile("[0-9]+")
_STEADY = re.compile(r"\.\*|\\\.|\\d\+|\[0-9\]\+")
_VARIABLE = re.compile(r"[?+\[]|\\[dw]")
_SIGN = re.compile(r"[*?\[]")


class Module:
    """A module to match, under all the names that it has."""

    def __init__(self, names: Iterable[str]) -> None:
        """Keep the names; what matching needs of them is derived when it is first asked for."""
        self.names = tuple(names)
        self.short = tuple(dict.fromkeys(unwrapped(name) for name in self.names))

    @cached_property
    def runs(self) -> frozenset[str]:
        """Every run of dotted parts of the names."""
        return frozenset(run for name in self.short for run in _runs(name))

    @cached_property
    def starts(self) -> frozenset[str]:
        """Every beginning of the names."""
        return frozenset(name[:end] for name in self.short for end in range(len(name) + 1))

    @cached_property
    def texts(self) -> tuple[Text, ...]:
        """The names, with and without what wraps a decoder."""
        return tuple(Text(name) for name in dict.fromkeys((*self.names, *self.short)))


@dataclass(frozen=True, slots=True)
class Patterns:
    """A compiled list. ``unknown`` are the entries that were not understood.

    ``numbers`` are those in the entries, ``expert_numbers`` those after the word ``experts``: layers and
    experts that no entry names are all alike.
    """

    names: frozenset[str] = frozenset()
    prefixes: frozenset[str] = frozenset()
    general: tuple[General, ...] = ()
    unknown: tuple[str, ...] = ()
    numbers: frozenset[str] = frozenset()
    expert_numbers: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.names or self.prefixes or self.general or self.unknown)

    def match(self, name: str) -> bool:
        """Tell whether one of the entries covers a module.

        >>> patterns = compile_patterns(["lm_head", "model.layers.1", "*.mlp.gate"])
        >>> [patterns.match(name) for name in ("model.layers.1.mlp.up", "model.layers.11.mlp.up")]
        [True, False]
        """
        return self.cover(Module((name,)))

    def cover(self, module: Module) -> bool:
        """Tell whether one of the entries covers a module under any of its names."""
        if self.names and not self.names.isdisjoint(module.runs):
            return True
        if self.prefixes and not self.prefixes.isdisjoint(module.starts):
            return True
        return any(entry.matches(text) for entry in self.general for text in module.texts)

    @property
    def work(self) -> int:
        """Estimate the steps of matching one module."""
        looked_up = LOOK_UP_WORK * (bool(self.names) + bool(self.prefixes))
        return looked_up + sum(entry.work for entry in self.general)


def compile_patterns(entries: Iterable[str]) -> Patterns:
    """Return a list of names, globs and ``re:`` expressions ready to match."""
    return _compiled(tuple(entries))


@lru_cache(maxsize=16)
def _compiled(entries: tuple[str, ...]) -> Patterns:
    names: set[str] = set()
    prefixes: set[str] = set()
    general: list[General] = []
    unknown: list[str] = []
    understood: list[str] = []
    for text in dict.fromkeys(entries):
        kind = _kind(text)
        if kind == "name":
            names.add(unwrapped(text))
            understood.append(text)
        elif kind == "prefix":
            prefixes.add(unwrapped(text[:-1]))
            understood.append(text)
        else:
            compiled = _general(text) if kind == "general" and len(general) < GENERAL_LIMIT else None
            if compiled is None:
                unknown.append(text)
            else:
                general.append(compiled)
                understood.append(text)
    return Patterns(
        names=frozenset(names),
        prefixes=frozenset(prefixes),
        general=tuple(general),
        unknown=tuple(unknown),
        numbers=_numbers(understood),
        expert_numbers=_numbers(_expert_part(text) for text in understood),
    )


def _numbers(texts: Iterable[str]) -> frozenset[str]:
    """Return the numbers in entries; every digit where a pattern is about how a number is written."""
    found: set[str] = set()
    for text in texts:
        if _VARIABLE.search(text):
            found.update(digits if _VARIABLE.search(_STEADY.sub("", text)) else ())
        found.update(_NUMBER.findall(text))
    return frozenset(found)


def _expert_part(text: str) -> str:
    """Return what of an entry may number experts: what follows their word, all where layers have none."""
    _, word, after = text.partition("experts")
    if word:
        return after
    return "" if "layers" in text else text


def _kind(text: str) -> str:
    """Tell a plain name, a prefix that ends in ``*``, another pattern, and what is too long."""
    if len(text) > TEXT_LIMIT:
        return "too long"
    if text.startswith("re:"):
        return "general"
    sign = _SIGN.search(text)
    if sign is None:
        return "name"
    return "prefix" if text[sign.start() :] == "*" else "general"


def unwrapped(name: str) -> str:
    """Return the name without the modules that only wrap a decoder.

    >>> unwrapped("model.language_model.layers.0.mlp"), unwrapped("language_model.model.layers.0.mlp")
    ('layers.0.mlp', 'layers.0.mlp')
    """
    while "." in name and name.partition(".")[0] in _WRAPPERS:
        name = name.partition(".")[2]
    return name


def _general(text: str) -> General | None:
    if text.startswith("re:"):
        return expression(text.removeprefix("re:"))
    return None if "[" in text else glob(text)


def _runs(name: str) -> Iterable[str]:
    """Yield every run of dotted parts of a name."""
    parts = name.split(".")
    for first in range(len(parts)):
        for last in range(first, len(parts)):
            yield ".".join(parts[first : last + 1])
