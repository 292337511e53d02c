"""Tensor parallelism: every rank holds a part of each matrix and of each layer's cache.

What one rank holds is an architecture again. All ranks hold equally much, and together at least the
model: norms, routers and what no rule is known for are on every rank, vocabularies are padded.
"""

from collections import Counter
from functools import lru_cache, partial

from sizewise.architecture import Architecture, Component
from sizewise.errors import UsageError
from sizewise.notices import Notice
from sizewise.parallel.division import nearest_possible
from sizewise.parallel.mapping import Change, changed
from sizewise.parallel.routed import ROUTED
from sizewise.parallel.tensor_rules import has_rule, tensor_share, tower_share
from sizewise.tensors import Weight


def tensor_rank(architecture: Architecture, ranks: int) -> Architecture:
    """Return what each of ``ranks`` devices holds; one rank holds the model as it is.

    Raises UsageError (bad_option) with the nearest numbers that are possible where heads, features or
    the vocabulary cannot be divided.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> llama = describe(Config({"num_key_value_heads": 8}, "llama"))
    >>> sum(entry.numbers * layers for entry, layers in tensor_rank(llama, 8).kept())
    8192
    """
    return architecture if ranks == 1 else _rank(architecture, ranks)


@lru_cache(maxsize=64)
def _rank(architecture: Architecture, ranks: int) -> Architecture:
    return rank_with_experts(architecture, ranks, partial(tensor_share, ranks=ranks))


def rank_with_experts(architecture: Architecture, ranks: int, routed: Change) -> Architecture:
    """Return the same with another rule for the routed experts."""
    try:
        return _divided(architecture, ranks, routed)
    except UsageError as error:
        possible = nearest_possible(ranks, lambda number: is_possible(architecture, number))
        raise UsageError("bad_option", f"{error.message}; {possible}") from None


@lru_cache(maxsize=256)
def is_possible(architecture: Architecture, ranks: int) -> bool:
    """Tell whether a model can be divided by so many."""
    try:
        _divided(architecture, ranks, partial(tensor_share, ranks=ranks))
    except UsageError:
        return False
    return True


def _divided(architecture: Architecture, ranks: int, routed: Change) -> Architecture:
    if ranks == 1:
        return changed(architecture, lambda part: routed(part) if isinstance(part, ROUTED) else part)

    def share(component: Component) -> Component:
        return routed(component) if isinstance(component, ROUTED) else tensor_share(component, ranks)

    return changed(architecture, share, lambda component: tower_share(component, ranks))


def replication_notice(architecture: Architecture, ranks: int) -> Notice | None:
    """Return a notice of what is counted whole on every rank because no rule is known for it."""
    found: Counter[str] = Counter()
    for place in architecture.placed() if ranks > 1 else ():
        if not has_rule(place.component) or (place.role is not None and _undivided(place.component, ranks)):
            elements = sum(weight.elements for weight in place.component.weights())
            found[type(place.component).__name__] += elements * len(place.layers)
    names = [f"{name} ({elements:,} parameters)" for name, elements in found.most_common() if elements]
    if not names:
        return None
    text = f"assumed to be whole on each of {ranks:,} ranks, as no rule is known: {', '.join(names)}"
    return Notice(code="replicated", message=text)


def _undivided(component: Component, ranks: int) -> bool:
    try:
        tensor_share(component, ranks)
    except UsageError:
        return True
    return False


def check_groups(whole: Architecture, share: Architecture, *, columns: int, rows: int = 1) -> None:
    """Refuse a tensor-parallel share whose matrices cut through the groups of a number format.

    ``columns`` (and ``rows``) numbers of a matrix share a scale. Raises UsageError (bad_option).
    """
    for before, after in zip(whole.placed(), share.placed(), strict=True):
        for old, new in zip(before.weights(), after.weights(), strict=True):
            if old.kind == "matrix" and len(old.shape) > 1:
                _check_group(old.columns, new.columns, columns, new, "columns")
                _check_group(old.rows, new.rows, rows, new, "rows")


def _check_group(whole: int, part: int, group: int, weight: Weight, axis: str) -> None:
    if part != whole and part % group and whole % group == 0:
        ranks = whole // part
        text = (
            f"{weight.name} has {part:,} {axis} on each of {ranks:,} ranks, which groups of {group:,} numbers"
        )
        possible = nearest_possible(
            ranks, lambda number: whole % number == 0 and whole // number % group == 0
        )
        raise UsageError("bad_option", f"{text} of its format do not divide; for this matrix {possible}")
