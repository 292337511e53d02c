"""Tensors and verbs of a compute graph, as far as the memory of a step depends on them.

A tensor's shape is in ggml's order: the row first. Weights and caches have buffers of their own, so
they are no sources here; what is written into a cache is a node without memory. Which operations may
overwrite an operand: ggml 0.25.3, ``ggml_op_can_inplace``.
"""

from math import prod

Shape = tuple[int, ...]


class Tensor:
    """One tensor: what it is computed from, and the memory it needs.

    ``base`` is the tensor that it is a view of. A tensor that is not ``stored`` lies in a buffer
    outside (a cache). The last fields belong to the replay.
    """

    __slots__ = (
        "address",
        "base",
        "bytes",
        "contiguous",
        "in_place",
        "kept",
        "readers",
        "shape",
        "sources",
        "stored",
        "views",
        "visited",
        "width",
    )

    def __init__(
        self,
        shape: Shape,
        sources: "tuple[Tensor, ...]" = (),
        *,
        width: int = 4,
        in_place: bool = False,
        base: "Tensor | None" = None,
        stored: bool = True,
        contiguous: bool = True,
    ) -> None:
        """Describe a tensor of ``shape`` with numbers of ``width`` bytes."""
        self.shape = shape
        self.sources = sources
        self.width = width
        self.in_place = in_place
        self.base = base
        self.stored = stored
        self.contiguous = contiguous
        self.kept = False
        self.bytes = prod(shape) * width
        self.visited = False
        self.readers = 0
        self.views = 0
        self.address = -1


class Graph:
    """The nodes of a step in the order in which they are computed, and its inputs."""

    def __init__(self) -> None:
        """Begin an empty graph."""
        self.leaves: list[Tensor] = []
        self.nodes: list[Tensor] = []

    def expand(self, tensor: Tensor) -> None:
        """Add a tensor after everything that it is computed from, sources from left to right."""
        if tensor.visited:
            return
        tensor.visited = True
        for source in tensor.sources:
            if not source.visited:
                self.expand(source)
        (self.nodes if tensor.sources or tensor.base or not tensor.stored else self.leaves).append(tensor)


def leaf(shape: Shape, width: int = 4) -> Tensor:
    """Return an input of the graph."""
    return Tensor(shape, width=width)


def computed(shape: Shape, *sources: Tensor, width: int = 4) -> Tensor:
    """Return the result of an operation that needs memory of its own."""
    return Tensor(shape, sources, width=width)


def elementwise(first: Tensor, *others: Tensor) -> Tensor:
    """Return the result of an operation that may overwrite an operand of its shape."""
    return Tensor(first.shape, (first, *others), width=first.width, in_place=True)


def product(outputs: int, x: Tensor) -> Tensor:
    """Return the product of a matrix that lies outside with [I, …]: [outputs, …]."""
    return Tensor((outputs, *x.shape[1:]), (x,))


def linear(outputs: int, x: Tensor, *, bias: bool = False) -> Tensor:
    """Return a product with a bias added where there is one."""
    y = product(outputs, x)
    return elementwise(y) if bias else y


def reshaped(x: Tensor, *shape: int) -> Tensor:
    """Return all of a tensor in another shape, without memory."""
    return Tensor(shape, (x,), width=x.width, base=x.base or x, contiguous=x.contiguous)


def part(x: Tensor, *shape: int) -> Tensor:
    """Return a part of a tensor or another order of its dimensions, without memory."""
    return Tensor(shape, (x,), width=x.width, base=x.base or x, contiguous=False)


def copied(x: Tensor, *shape: int) -> Tensor:
    """Return a contiguous copy, in another shape where one is given."""
    return Tensor(shape or x.shape, (x,), width=x.width)


def stored(*sources: Tensor) -> Tensor:
    """Return a node that writes into a buffer outside, or reads from one: it has no memory here."""
    return Tensor((0,), sources, stored=False)
