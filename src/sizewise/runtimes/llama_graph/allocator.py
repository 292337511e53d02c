"""Replay of ggml's graph allocator: the bytes that the tensors of one graph need together.

Tensors are placed one after another, each in the smallest free gap that holds it, else at the end;
a gap returns when the last reader of a tensor has run, and an element-wise operation takes the place
of an operand that nothing else reads. Source: ggml 0.25.3, ``ggml-alloc.c``.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

from sizewise.runtimes.llama_graph.graph import Tensor

CPU_ALIGNMENT = 32
"""Bytes; ggml 0.25.3, ``TENSOR_ALIGNMENT``."""


@dataclass(slots=True, kw_only=True)
class Arena:
    """Memory without an end: the gaps below ``end`` are free, all above it is."""

    end: int = 0
    peak: int = 0
    starts: list[int] = field(default_factory=list)
    """Where the gaps begin, in order."""
    sizes: list[int] = field(default_factory=list)

    def place(self, size: int) -> int:
        """Return the address of ``size`` bytes: in the tightest gap (the last of equals), else at the end."""
        best, tightest = -1, 0
        for index, gap in enumerate(self.sizes):
            if gap >= size and (best < 0 or gap <= tightest):
                best, tightest = index, gap
        if best < 0:
            return self._extend(size)
        address = self.starts[best]
        if tightest == size:
            del self.starts[best], self.sizes[best]
        else:
            self.starts[best] += size
            self.sizes[best] -= size
        return address

    def _extend(self, size: int) -> int:
        address = self.end
        self.end += size
        self.peak = max(self.peak, self.end)
        return address

    def release(self, address: int, size: int) -> None:
        """Return bytes; gaps that touch become one, and one that touches the end moves the end down."""
        if not size:
            return
        starts, sizes = self.starts, self.sizes
        index = len(starts)
        while index and starts[index - 1] > address:
            index -= 1
        starts.insert(index, address)
        sizes.insert(index, size)
        self._join(index)
        if index:
            self._join(index - 1)
        if starts[-1] + sizes[-1] == self.end:
            self.end = starts.pop()
            sizes.pop()

    def _join(self, index: int) -> None:
        """Join a gap with the next one where they touch."""
        starts, sizes = self.starts, self.sizes
        if index + 1 < len(starts) and starts[index] + sizes[index] == starts[index + 1]:
            sizes[index] += sizes.pop(index + 1)
            del starts[index + 1]


State = tuple[object, ...]
"""Where the gaps and the end of the memory are, and where a watched tensor lies."""


def peak_bytes(
    leaves: Iterable[Tensor],
    nodes: Sequence[Tensor],
    *,
    alignment: int = CPU_ALIGNMENT,
    watched: Collection[Tensor] = (),
    states: list[State] | None = None,
) -> int:
    """Return the bytes that a graph needs at its peak; ``leaves`` are placed first, nodes in order.

    ``states`` receives the state after each of the ``watched`` nodes.
    """
    replay = _Replay(arena=Arena(), alignment=alignment)
    for leaf in leaves:
        replay.allocate(leaf)
    for node in nodes:
        if node.base is not None:
            node.base.views += 1
        for source in node.sources:
            source.readers += 1
    for node in nodes:
        replay.allocate(node)
        for source in node.sources:
            replay.read(source)
        if states is not None and node in watched:
            states.append(replay.state(node))
    return replay.arena.peak


@dataclass(slots=True, kw_only=True)
class _Replay:
    arena: Arena
    alignment: int

    def state(self, node: Tensor) -> State:
        """Return the state of the memory after a node."""
        arena = self.arena
        return (tuple(arena.starts), tuple(arena.sizes), arena.end, node.address)

    def _padded(self, tensor: Tensor) -> int:
        return -(-tensor.bytes // self.alignment) * self.alignment

    def allocate(self, tensor: Tensor) -> None:
        """Place a tensor that owns its memory, if possible where an operand of its size lies."""
        if tensor.base is not None or not tensor.stored:
            return
        size = self._padded(tensor)
        if tensor.in_place:
            for parent in tensor.sources:
                if (
                    parent.address >= 0
                    and parent.readers == 1
                    and parent.views == 0
                    and not parent.kept
                    and parent.shape == tensor.shape
                    and parent.width == tensor.width
                ):
                    tensor.address, parent.address = parent.address, -1
                    return
        tensor.address = self.arena.place(size)

    def read(self, tensor: Tensor) -> None:
        """Note that one reader has run; the last one frees the tensor, or what it is a view of."""
        tensor.readers -= 1
        if tensor.readers or tensor.views:
            return
        owner = tensor.base
        if owner is None:
            self._free(tensor)
            return
        owner.views -= 1
        if not owner.views and not owner.readers:
            self._free(owner)

    def _free(self, tensor: Tensor) -> None:
        if tensor.address >= 0 and not tensor.kept:
            self.arena.release(tensor.address, self._padded(tensor))
            tensor.address = -1
