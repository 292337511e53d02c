"""Low-rank matrices beside frozen weights: their names and shapes.

A is [r, in] and B [out, r] beside a linear layer, Conv1D or table of embeddings; a stack of E experts has
A [r*E, in] and B [out, r*E], a convolution of k numbers per channel A [r, in, k] and B [out, r, 1].
DoRA adds a magnitude per output. Names and shapes are those of peft 0.21.2, without the adapter's own name.
Source: Hu et al. 2021, arXiv:2106.09685; Liu et al. 2024, arXiv:2402.09353.
"""

from collections.abc import Iterator

from sizewise.architecture import Architecture
from sizewise.errors import UsageError
from sizewise.notices import Notice
from sizewise.recipe import Adapter
from sizewise.states.targets import Module, modules, targeted
from sizewise.states.tensors import TrainedTensor, makes_logits, trained_layers


def adapters(
    architecture: Architecture, adapter: Adapter, frozen: tuple[str, ...] = ()
) -> tuple[TrainedTensor, ...]:
    """Return the matrices of adapters, none for rank 0; ``frozen`` parts get none.

    Raises UsageError (bad_option) where a target names no module, or one that is not adapted here.
    """
    found: list[TrainedTensor] = []
    for module, times in targeted(architecture, adapter.targets):
        layers = trained_layers(module.place, module.name, frozen)
        if layers and adapter.rank:
            shapes = _shapes(module, adapter.rank * times, magnitude=adapter.magnitude)
            found += (_tensor(module, kind, shape, layers) for kind, shape in shapes)
    return tuple(found)


def left_out(architecture: Architecture, adapter: Adapter) -> Notice | None:
    """Return a notice of the routers and experts that adapters without targets leave out."""
    if adapter.targets:
        return None
    missed = (module for module in modules(architecture) if module.bare or module.weight.role == "router")
    names = sorted({".".join(module.name.split(".")[-2:]) for module in missed})
    if not names:
        return None
    text = f"no adapters beside {', '.join(names)}; name them as targets if they are to be adapted"
    return Notice(code="not_adapted", message=text)


def _shapes(module: Module, rank: int, *, magnitude: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield what stands beside a module: A, B and the magnitude."""
    weight = module.weight
    if magnitude and module.bare:
        raise UsageError("bad_option", f"{module.name} is a bare parameter, which DoRA does not adapt")
    if weight.kind == "kernel":
        yield from _convolution(module, rank, magnitude=magnitude)
        return
    if weight.kind == "table":
        inputs, outputs = weight.shape
        names = ("lora_embedding_A", "lora_embedding_B")
    else:
        inputs, outputs = weight.columns, weight.rows
        names = ("lora_A.weight", "lora_B.weight")
    experts = weight.shape[0] if weight.stacked else 1
    yield names[0], (rank * experts, inputs)
    yield names[1], (outputs, rank * experts)
    if magnitude:
        yield "lora_magnitude_vector.weight", (outputs,)


def _convolution(module: Module, rank: int, *, magnitude: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Yield A, a convolution of the same kernel, and B, one of kernel 1; channels in groups are refused."""
    outputs, inputs, *kernel = module.weight.shape
    if inputs == 1 < outputs:
        raise UsageError("bad_option", f"{module.name} convolves each channel alone and is not adapted")
    ones = (1,) * len(kernel)
    yield "lora_A.weight", (rank, inputs, *kernel)
    yield "lora_B.weight", (outputs, rank, *ones)
    if magnitude:
        yield "lora_magnitude_vector.weight", (1, outputs, *ones)


def _tensor(module: Module, kind: str, shape: tuple[int, ...], layers: tuple[int, ...]) -> TrainedTensor:
    return TrainedTensor(
        name=f"{module.name}.{kind}",
        shape=shape,
        layers=layers,
        kind=module.weight.kind if len(shape) > 1 else "vector",
        role=module.weight.role,
        adapter=True,
        output=makes_logits(module.place, module.weight),
    )
