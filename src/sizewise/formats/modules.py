"""The modules behind a tensor, under every name that quantization settings may call them.

Published checkpoints split what a class stacks or fuses (``experts.gate_up_proj`` [E, 2F, D] is
``experts.3.gate_proj`` and ``experts.3.up_proj`` there) and rename some modules.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

from sizewise.catalog.formats import renamings
from sizewise.errors import InputError
from sizewise.tensors import Weight

APART_LIMIT = 10_000

_FUSED = {"gate_up_proj": ("gate_proj", "up_proj"), "qkv_proj": ("q_proj", "k_proj", "v_proj")}


@dataclass(frozen=True, slots=True)
class Matrices:
    """``count`` equal matrices that settings name alike, under any of ``names``."""

    names: tuple[str, ...]
    count: int


def told_apart(indices: Sequence[int], numbers: Set[str]) -> Iterator[tuple[int, int]]:
    """Yield (index, how many are like it): one by one those that begin with one of the numbers.

    Raises InputError (too_many_entries) for more than 10,000 indices where numbers are named.

    >>> list(told_apart(range(12), {"1"}))
    [(1, 1), (10, 1), (11, 1), (0, 9)]
    """
    if not numbers:
        yield indices[0], len(indices)
        return
    if len(indices) > APART_LIMIT:
        raise InputError(
            "too_many_entries", f"settings for single modules among {len(indices):,}; use --quant"
        )
    alike = []
    for index in indices:
        text = str(index)
        if any(text[:end] in numbers for end in range(1, len(text) + 1)):
            yield index, 1
        else:
            alike.append(index)
    if alike:
        yield alike[0], len(alike)


def matrices(weight: Weight, name: str, expert_numbers: Set[str] = frozenset()) -> Iterator[Matrices]:
    """Yield the published matrices of a weight; experts whose number is named stand alone.

    >>> stack = Weight(name="w", role="expert", shape=(4, 6, 2), kind="matrix", pieces=2)
    >>> [entry.names[1] for entry in matrices(stack, "mlp.experts.gate_up_proj")]
    ['mlp.experts.0.gate_proj', 'mlp.experts.0.up_proj']
    """
    module = name.removesuffix(".weight")
    experts: Iterable[tuple[int | None, int]] = (
        _experts_apart(weight.shape[0], frozenset(expert_numbers)) if weight.stacked else ((None, 1),)
    )
    for expert, count in experts:
        for piece in _pieces(module, weight.pieces):
            yield Matrices(names=_variants(module, _split(module, piece, expert)), count=count)


def matrix_count(weight: Weight, expert_numbers: Set[str] = frozenset()) -> int:
    """Count the entries that `matrices` yields."""
    experts = len(_experts_apart(weight.shape[0], frozenset(expert_numbers))) if weight.stacked else 1
    return experts * weight.pieces


@lru_cache(maxsize=16)
def _experts_apart(count: int, numbers: frozenset[str]) -> tuple[tuple[int, int], ...]:
    return tuple(told_apart(range(count), numbers))


def _pieces(module: str, count: int) -> tuple[str, ...]:
    own = module.rpartition(".")[2]
    published = _FUSED.get(own, ())
    return published if len(published) == count else (own,) * count


def _split(module: str, piece: str, expert: int | None) -> str:
    parent = module.rpartition(".")[0]
    parts = (parent, piece) if expert is None else (parent, str(expert), piece)
    return ".".join(part for part in parts if part)


def _variants(module: str, split: str) -> tuple[str, ...]:
    """Return the names in the class, as split, and as each style of checkpoint renames them."""
    plain = (module, split)
    renamed = (_renamed(name, table) for table in renamings() for name in plain)
    return tuple(dict.fromkeys((*plain, *renamed)))


def _renamed(name: str, table: Mapping[str, str]) -> str:
    return ".".join(table.get(part, part) for part in name.split("."))
