"""Expressions over the metadata and the tensors of a GGUF file, as the rows of facts write them.

Words stand between spaces: ``block_count`` is a key of the architecture, ``layers`` the layers that the
tensors have, ``@ffn_up.weight.0`` a dimension of the first such tensor (row-major), ``'text'`` and ``12``
themselves. Of a tensor, ``has:output.weight`` tells whether there is one, ``each:`` the same layer by layer,
``lacking:`` how many layers have none, ``first:``, ``last:`` and ``step:`` the first and last layer with
one and the distance from the first to the next. ``most:`` and ``least:`` are the extremes of a key's list,
and ``windows`` tells for each layer whether attention slides. ``+ - * /`` (exact), ``==`` and ``<`` join
words from left to right, ``a or b`` takes the first that is there, ``a ? b : c`` chooses, layer by layer
where ``a`` is a list. What needs something that is missing is missing itself.
"""

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from sizewise.listing import Shape
from sizewise.sources.gguf.metadata import Metadata, Number

Result = Number | str | list[Number | str] | None

_LAYER = re.compile(r"blk\.(\d{1,6})\.(.+)", re.S | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What expressions look at.

    ``shapes`` are those of the first tensor of a name, layers without their prefix; ``layers_of`` the layers
    that have one of that name. ``layers`` counts the layers of the model, without those that predict further
    tokens.
    """

    metadata: Metadata
    architecture: str
    shapes: Mapping[str, Shape]
    layers_of: Mapping[str, frozenset[int]]
    layers: int

    def key(self, name: str) -> Result:
        """Return a value of the architecture's own metadata; lists of one entry per layer are cut to them."""
        found = self.metadata.values.get(f"{self.architecture}.{name}")
        return list(found) if isinstance(found, tuple) else found

    def per_layer(self, found: list[Number | str]) -> list[Number | str]:
        """Return a list with the entries of the layers that predict further tokens cut off."""
        return found[: self.layers]


def place_of(name: str) -> tuple[int | None, str]:
    """Return the layer of a tensor, None outside of the layers, and its name there.

    >>> place_of("blk.3.attn_q.weight")
    (3, 'attn_q.weight')
    """
    found = _LAYER.fullmatch(name)
    return (int(found[1]), found[2]) if found else (None, name)


def evaluate(text: str, facts: Facts) -> Result:
    """Return what an expression means for a file, None where something that it needs is missing."""
    condition, question, rest = text.partition(" ? ")
    if question:
        then, _, otherwise = rest.partition(" : ")
        return _chosen(_first(condition, facts), then, otherwise, facts)
    return _first(text, facts)


def _chosen(condition: Result, then: str, otherwise: str, facts: Facts) -> Result:
    if condition is None:
        return None
    if not isinstance(condition, list):
        return evaluate(then if condition else otherwise, facts)
    yes, no = evaluate(then, facts), evaluate(otherwise, facts)
    return [_entry(yes if holds else no, layer) for layer, holds in enumerate(facts.per_layer(condition))]


def _entry(found: Result, layer: int) -> Number | str:
    """Return the entry of a layer, or what holds for all of them; 0 where there is none."""
    if isinstance(found, list):
        return found[layer] if layer < len(found) else 0
    return 0 if found is None else found


def _first(text: str, facts: Facts) -> Result:
    """Return the first of several alternatives that is there."""
    found = (_joined(choice, facts) for choice in text.split(" or "))
    return next((value for value in found if value is not None), None)


def _joined(text: str, facts: Facts) -> Result:
    words = text.split()
    value = _word(words[0], facts)
    for sign, word in zip(words[1::2], words[2::2], strict=True):
        value = _computed(sign, value, _word(word, facts))
    return value


_SIGNS: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "==": operator.eq,
    "<": operator.lt,
}


def _computed(sign: str, left: Result, right: Result) -> Result:
    """Return a whole number, None where one side is none or a division leaves a rest."""
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    if sign == "/":
        return left // right if right and left % right == 0 else None
    return _SIGNS[sign](left, right)


def _word(word: str, facts: Facts) -> Result:
    if word.startswith("'"):
        return word.strip("'")
    if word.isdecimal():
        return int(word)
    kind, colon, name = word.partition(":")
    if colon:
        return _ASKED[kind](name, facts)
    if word.startswith("@"):
        name, _, axis = word[1:].rpartition(".")
        shape = facts.shapes.get(name, ())
        return shape[int(axis)] if int(axis) < len(shape) else None
    own = _OWN.get(word)
    return own(facts) if own else facts.key(word)


def _having(name: str, facts: Facts) -> list[int]:
    """Return the layers that have a tensor, in order."""
    return sorted(layer for layer in facts.layers_of.get(name, ()) if layer < facts.layers)


def _first_layer(name: str, facts: Facts) -> Result:
    return next(iter(_having(name, facts)), None)


def _last_layer(name: str, facts: Facts) -> Result:
    return next(reversed(_having(name, facts)), None)


def _step(name: str, facts: Facts) -> Result:
    """Return how many layers after the first one the next has a tensor; all of them where none has."""
    found = _having(name, facts)
    return found[1] - found[0] if len(found) > 1 else facts.layers


def _extreme(choose: Callable[[list[int]], int], name: str, facts: Facts) -> Result:
    """Return the largest or smallest entry above 0 of a list, or the number itself."""
    found = facts.key(name)
    if not isinstance(found, list):
        return found
    entries = [entry for entry in facts.per_layer(found) if isinstance(entry, int) and entry > 0]
    return choose(entries) if entries else None


def _windows(facts: Facts) -> Result:
    """Tell for each layer whether attention slides: by a list, or in all but the last of so many layers."""
    found = facts.key("attention.sliding_window_pattern")
    if isinstance(found, int) and not isinstance(found, bool) and found > 0:
        return [layer % found < found - 1 for layer in range(facts.layers)]
    return found if isinstance(found, list) else None


_OWN: Mapping[str, Callable[[Facts], Result]] = {
    "layers": lambda facts: facts.layers,
    "windows": _windows,
}
_ASKED: Mapping[str, Callable[[str, Facts], Result]] = {
    "has": lambda name, facts: name in facts.shapes,
    "each": lambda name, facts: [layer in facts.layers_of.get(name, ()) for layer in range(facts.layers)],
    "lacking": lambda name, facts: facts.layers - len(_having(name, facts)),
    "first": _first_layer,
    "last": _last_layer,
    "step": _step,
    "most": partial(_extreme, max),
    "least": partial(_extreme, min),
}
