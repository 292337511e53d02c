"""FLOPs and bytes of what torch runs, by operator and by module, and what could not be counted.

torch's dispatcher shows every operator that runs, on real tensors and on those without data. FLOPs are
those of torch's FlopCounterMode, completed by `rules`. Bytes are what each operator reads and writes, one
operator at a time: nothing is assumed to stay in a cache, views move nothing.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode, flop_registry

from sizewise.lab.profiling.rules import CORRECTIONS, RULES, Rule, looks_like_product

EVERYWHERE = "Global"
"""What torch's counter calls all modules together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What ran: FLOPs ``by_operator`` (``mm``, ``bmm`` …) and ``by_module``, by path, its own operators.

    ``moved`` bytes read and written by operator; ``uncounted`` operators that look like a product and have no
    rule, with how often they ran.
    """

    by_operator: Mapping[str, int]
    by_module: Mapping[str, int]
    moved: Mapping[str, int]
    uncounted: Mapping[str, int]
    operators: int = 0
    """Operators that made something: views are none."""

    @property
    def flops(self) -> int:
        """FLOPs of all operators that have a rule."""
        return sum(self.by_operator.values())

    @property
    def bytes(self) -> int:
        """Bytes that all operators read and write."""
        return sum(self.moved.values())


def count(run: Callable[[], object]) -> Counted:
    """Run and return what was done. Hooks and switches of torch are as before, whatever happens."""
    counter = FlopCounterMode(display=False, custom_mapping=_missing_rules())
    with _fused_layers_off(), _Witness(counter.flop_registry) as witness, counter:
        run()
    totals = {
        module: {str(packet).rpartition(".")[2]: flops for packet, flops in found.items()}
        for module, found in counter.get_flop_counts().items()
    }
    everywhere = totals.pop(EVERYWHERE, {})
    return Counted(
        by_operator=everywhere,
        by_module=_own(
            {module: sum(found.values()) for module, found in totals.items()}, sum(everywhere.values())
        ),
        moved=dict(witness.moved),
        uncounted=dict(witness.uncounted),
        operators=witness.operators,
    )


def _missing_rules() -> dict[Any, Rule]:
    found = {
        getattr(getattr(torch.ops, space), name): rule
        for space, rules in RULES.items()
        for name, rule in rules.items()
        if hasattr(getattr(torch.ops, space), name)
    }
    return {
        packet: rule for packet, rule in found.items() if packet not in flop_registry or rule in CORRECTIONS
    }


@contextmanager
def _fused_layers_off() -> Iterator[None]:
    """Run torch's encoder layers as the products they are: their fused path hides them."""
    fast = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)


def _own(totals: Mapping[str, int], everything: int) -> dict[str, int]:
    """Return the FLOPs of each module's own operators by its path in the outermost one; "" is outside all.

    torch names a module after the class of the outermost one and counts an operator for all that enclose it.
    """
    own = Counter({**totals, EVERYWHERE: everything})
    for module, flops in totals.items():
        own[_enclosing(module, totals)] -= flops
    paths: Counter[str] = Counter()
    for module, flops in own.items():
        paths[module.partition(".")[2]] += flops
    return {path: flops for path, flops in paths.items() if flops}


def _enclosing(module: str, totals: Mapping[str, int]) -> str:
    """Return the nearest module around one that counted something: lists of modules run nothing."""
    while "." in module:
        module = module.rpartition(".")[0]
        if module in totals:
            return module
    return EVERYWHERE


class _Witness(TorchDispatchMode):  # type: ignore[misc]
    """Adds up the bytes of every operator and lists those that look like a product and have no rule."""

    def __init__(self, known: Mapping[Any, Any]) -> None:
        super().__init__()
        self.known = known
        self.moved: Counter[str] = Counter()
        self.uncounted: Counter[str] = Counter()
        self.operators = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        found = func(*args, **(kwargs or {}))
        packet = getattr(func, "_overloadpacket", func)
        space, _, name = str(packet).rpartition(".")
        if packet not in self.known and looks_like_product(space.rpartition(".")[2], name):
            self.uncounted[name] += 1
        moved = 0 if getattr(func, "is_view", False) else _bytes(tree_leaves((args, kwargs)), found)
        if moved:
            self.moved[name] += moved
            self.operators += 1
        return found


def _bytes(given: Iterable[Any], made: Any) -> int:
    """Count the bytes of the tensors that an operator reads and writes; one that makes none only looks."""
    written = [_size(entry) for entry in tree_leaves(made) if isinstance(entry, torch.Tensor)]
    read = [_size(entry) for entry in given if isinstance(entry, torch.Tensor)]
    return sum(written) + sum(read) if written else 0


def _size(tensor: Any) -> int:
    """Return the bytes that a tensor looks at: of one that is repeated without a copy only what is stored."""
    looked = int(tensor.numel()) * int(tensor.element_size())
    try:
        return min(looked, int(tensor.untyped_storage().nbytes()))
    except (RuntimeError, NotImplementedError):
        return looked
