"""LoRA adapters at serving: the bytes of A [r, in] and B [out, r] beside every matrix that they change.

These are the adapters of engines without a rule of their own: what vLLM reserves for its slots is counted by
its own rule (runtimes), and which modules adapters have in training is said by ``states.targets``. Names mean
what ``target_modules`` of peft means: a module's own name, or its last parts. Source: Hu et al. 2021,
arXiv:2106.09685; checked against peft 0.21.2.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sizewise.architecture import Architecture
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.ledger import Line, leaf, total
from sizewise.tensors import Weight

ALL_LINEAR = "all-linear"
"""Every linear layer but head, routers and stacks of experts.

peft means the same in models without experts; with experts it takes routers and stacks in some model types.
"""

STACKS = {"gate_up_proj": ("gate_proj", "up_proj"), "down_proj": ("down_proj",)}
MIXTRAL_NAMES = {"w1": "gate_proj", "w3": "up_proj", "w2": "down_proj"}
"""What peft calls the matrices of experts that a class stores as one stack."""

SOURCE = "A [r, in] and B [out, r] per module, peft 0.21.2"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Adapted:
    """A kind of matrix that is adapted: its module's last name, outputs and inputs."""

    module: str
    outputs: int
    inputs: int
    times: int
    """How often the rank is taken."""


def lora_bytes(
    architecture: Architecture,
    rank: int,
    targets: Sequence[str] = (ALL_LINEAR,),
    *,
    count: int = 1,
    number_bytes: int = 2,
) -> Line:
    """Return the bytes of ``count`` adapters of a rank: a part per kind of module, r * (in + out) each.

    Experts that are named have matrices each; gate and up in one stack have those of twice the rank.
    Raises UsageError (bad_option) where no module has a target's name.

    >>> from sizewise.configuration import Config
    >>> from sizewise.families import describe
    >>> llama = {"vocab_size": 32000, "hidden_size": 4096, "intermediate_size": 11008}
    >>> llama |= {"num_hidden_layers": 32, "num_attention_heads": 32}
    >>> lora_bytes(describe(Config(llama, "llama")), 8, ["q_proj", "v_proj"]).value // 2
    4194304
    """
    modules: Counter[_Adapted] = Counter()
    found: set[str] = set()
    names: set[str] = set()
    for module, weight, copies in _modules(architecture):
        last = module.rpartition(".")[2]
        names.add(last)
        hit = _hits(module, weight, targets)
        found.update(hit)
        if hit:
            times = weight.pieces if weight.stacked else 1
            kind = _Adapted(module=last, outputs=_rows(weight), inputs=_columns(weight), times=times)
            modules[kind] += copies
    for target in targets:
        if target not in found:
            near = did_you_mean(target, sorted(names))
            raise UsageError("bad_option", f"no linear layer is called {shorten(target)!r}{near}")
    leaves = [_leaf(kind, number, rank, count, number_bytes) for kind, number in modules.items()]
    return total("adapters", leaves, "bytes")


def _modules(architecture: Architecture) -> Iterator[tuple[str, Weight, int]]:
    """Yield (module without its layer's number, matrix, how many): stacked experts count one by one."""
    for place in architecture.placed():
        for weight in place.weights():
            if weight.kind in {"matrix", "table"} and len(weight.shape) in {2, 3}:
                name = place.full_name(weight, "{}").removesuffix(".weight")
                yield name, weight, len(place.layers) * (weight.shape[0] if weight.stacked else 1)


def _hits(module: str, weight: Weight, targets: Sequence[str]) -> set[str]:
    """Return the targets that mean a module."""
    if weight.stacked:
        wanted = STACKS.get(module.rpartition(".")[2])
        named = {target for target in targets if MIXTRAL_NAMES.get(target, target) in (wanted or ())}
        if wanted is not None and len({MIXTRAL_NAMES.get(target, target) for target in named}) == len(wanted):
            return named
    linear = weight.kind == "matrix" and not weight.stacked and weight.role not in {"head", "router"}
    return {
        target
        for target in targets
        if module == target or module.endswith(f".{target}") or (linear and target == ALL_LINEAR)
    }


def _rows(weight: Weight) -> int:
    return weight.shape[0] if weight.kind == "table" else weight.rows


def _columns(weight: Weight) -> int:
    return weight.shape[1] if weight.kind == "table" else weight.columns


def _leaf(kind: _Adapted, modules: int, rank: int, count: int, number_bytes: int) -> Line:
    return leaf(
        f"{kind.module} [{kind.outputs:,}, {kind.inputs:,}]",
        count * modules * rank * kind.times * (kind.inputs + kind.outputs) * number_bytes,
        "bytes",
        formula="adapters * modules * rank * pieces * (inputs + outputs) * number_bytes",
        inputs={
            "adapters": count,
            "modules": modules,
            "rank": rank,
            "pieces": kind.times,
            "inputs": kind.inputs,
            "outputs": kind.outputs,
            "number_bytes": number_bytes,
        },
        source=SOURCE,
        status="derived",
    )
