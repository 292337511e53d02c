"""FLOPs of what torch runs: its own counter, completed by the kernels that it does not know.

torch 2.13's FlopCounterMode counts nothing for the CPU's attention kernel, the grouped product of experts
and products with a vector. Attention is counted with all pairs, masked or not, and its backward pass with
five products for three, as for FlashAttention. What else looks like a product is listed, never left out.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import (
    FlopCounterMode,
    flop_registry,
    sdpa_backward_flop_count,
    sdpa_flop_count,
)

Shape = tuple[int, ...]

PRODUCTS = ("mm", "matmul", "attention", "conv", "linear", "mv", "dot", "addr", "rnn")
"""What the names of operators that multiply matrices hold."""
CHEAP = ("convert", "linear_gamma", "comm")
"""What the names of others hold that PRODUCTS would take for one."""


def _vector(left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    return 2 * prod(left)


def _added_vector(bias: Shape, left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    return 2 * prod(left)


def _grouped(left: Shape, right: Shape, *_: Any, **__: Any) -> int:
    """Rows are shared among the experts; in the gradient of the weights (2-D by 2-D) the inner axis is."""
    if len(left) == len(right) == 2:
        return 2 * prod(left) * right[1]
    return 2 * prod(left) * right[-1]


def _attention(query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    return int(sdpa_flop_count(query, key, value))


def _attention_backward(out: Shape, query: Shape, key: Shape, value: Shape, *_: Any, **__: Any) -> int:
    return int(sdpa_backward_flop_count(out, query, key, value))


RULES: dict[str, Callable[..., int]] = {
    "_scaled_dot_product_flash_attention_for_cpu": _attention,
    "_scaled_dot_product_flash_attention_for_cpu_backward": _attention_backward,
    "_grouped_mm": _grouped,
    "mv": _vector,
    "dot": _vector,
    "addmv": _added_vector,
}


def _missing_rules() -> dict[Any, Callable[..., int]]:
    packets = {getattr(torch.ops.aten, name): rule for name, rule in RULES.items()}
    return {packet: rule for packet, rule in packets.items() if packet not in flop_registry}


class _Witness(TorchDispatchMode):
    """Lists the operators that look like a product and have no rule."""

    def __init__(self, known: dict[Any, Any]) -> None:
        super().__init__()
        self.known = known
        self.unknown: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        packet = func.overloadpacket
        name = str(packet).rpartition(".")[2]
        named = any(part in name for part in PRODUCTS) and not any(part in name for part in CHEAP)
        if named and packet not in self.known:
            self.unknown[name] += 1
        return func(*args, **(kwargs or {}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """FLOPs by operator (``mm``, ``bmm``, ``convolution_backward`` …), and operators without a rule."""

    by_operator: dict[str, int]
    unknown: dict[str, int]

    @property
    def total(self) -> int:
        """FLOPs of all operators that have a rule."""
        return sum(self.by_operator.values())


def count(run: Callable[[], object]) -> Counted:
    """Run and return what was done."""
    counter = FlopCounterMode(display=False, custom_mapping=_missing_rules())
    with _Witness(counter.flop_registry) as witness, counter:
        run()
    everywhere = counter.get_flop_counts().get("Global", {})
    return Counted(
        by_operator={str(packet).rpartition(".")[2]: flops for packet, flops in everywhere.items()},
        unknown=dict(witness.unknown),
    )
