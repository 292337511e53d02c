"""The modules behind a tensor, under every name that quantization settings may call them.

Published checkpoints split what a class stacks or fuses (``experts.gate_up_proj`` [E, 2F, D] is
``experts.3.gate_proj`` and ``experts.3.up_proj`` there) and rename some modules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sizewise.catalog.formats import renamings
from sizewise.tensors import Weight

_FUSED = {"gate_up_proj": ("gate_proj", "up_proj"), "qkv_proj": ("q_proj", "k_proj", "v_proj")}


@dataclass(frozen=True, slots=True)
class Matrices:
    """``count`` equal matrices that settings name alike, under any of ``names``."""

    names: tuple[str, ...]
    count: int


def matrices(weight: Weight, name: str, *, each_expert: bool) -> Iterator[Matrices]:
    """Yield the published matrices of a weight, experts one by one only where settings tell them apart.

    >>> stack = Weight(name="w", role="expert", shape=(4, 6, 2), kind="matrix", pieces=2)
    >>> [entry.names[1] for entry in matrices(stack, "mlp.experts.gate_up_proj", each_expert=False)]
    ['mlp.experts.0.gate_proj', 'mlp.experts.0.up_proj']
    """
    module = name.removesuffix(".weight")
    experts = weight.shape[0] if weight.stacked else 1
    singly = each_expert and weight.stacked
    for expert in range(experts if singly else 1):
        for piece in _pieces(module, weight.pieces):
            split = _split(module, piece, expert if weight.stacked else None)
            yield Matrices(names=_variants(module, split), count=1 if singly else experts)


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
