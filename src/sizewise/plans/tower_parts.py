"""Small parts that towers and projectors are put together from, each under its full module name."""

from sizewise.architecture import Part
from sizewise.components.convolution import Convolution
from sizewise.components.embeddings import Embedding
from sizewise.components.learned_tensor import LearnedTensor
from sizewise.components.linear import Linear
from sizewise.components.norms import Norm, NormKind
from sizewise.tensors import Role


def convolution(name: str, inputs: int, outputs: int, *kernel: int, bias: bool = False) -> Part:
    """Return a convolution [outputs, inputs, …kernel]."""
    component = Convolution(inputs=inputs, outputs=outputs, kernel=kernel, bias=bias)
    return Part(name=name, component=component)


def learned(name: str, *shape: int, role: Role = "position") -> Part:
    """Return a trained tensor; the last piece of its name is the tensor's own."""
    parent, _, own = name.rpartition(".")
    return Part(name=parent, component=LearnedTensor(name=own, shape=shape, role=role))


def norm(name: str, width: int, kind: NormKind = "layer") -> Part:
    """Return a normalisation over ``width`` features."""
    return Part(name=name, component=Norm(width=width, kind=kind))


def dense(name: str, inputs: int, outputs: int, *, bias: bool = True) -> Part:
    """Return a linear layer [outputs, inputs]."""
    return Part(name=name, component=Linear(inputs=inputs, outputs=outputs, role="projector", bias=bias))


def table(name: str, rows: int, width: int, *, frozen: bool = False) -> Part:
    """Return a table of positions [rows, width], learned unless ``frozen``."""
    return Part(name=name, component=Embedding(rows=rows, width=width, role="position", frozen=frozen))
