"""What the blocks of a graph share: the step, the inputs, norms and projections."""

from sizewise.runtimes.llama_graph.graph import Graph, Tensor, computed, elementwise, leaf
from sizewise.runtimes.llama_graph.plan import GraphPlan, NormPlan
from sizewise.runtimes.llama_graph.step import Step

HALF, INDEX = 2, 8
"""Bytes of a number of an fp16 mask and of a cell index."""


class Cache:
    """Inputs that belong to one cache of keys and values: cell indices, the mask, rotations."""

    __slots__ = ("cells", "key_cells", "key_rotation", "mask", "value_cells", "value_rotation", "value_width")

    def __init__(
        self,
        step: Step,
        cells: int,
        value_width: int,
        rotations: tuple[int, int],
        *,
        half_mask: bool | None = None,
    ) -> None:
        """Describe a cache of ``cells`` whose widest layer has ``value_width`` values per token."""
        flash = step.settings.flash_attention
        half = flash if half_mask is None else half_mask
        self.cells = cells
        self.value_width = value_width
        self.key_cells = leaf((step.tokens,), INDEX)
        self.value_cells = leaf((step.tokens * (1 if flash else value_width),), INDEX)
        mask = (cells, step.tokens // step.streams, 1, step.streams)
        self.mask = leaf(mask, HALF if half else 4)
        keys, values = rotations
        self.key_rotation = leaf((keys, keys)) if keys else None
        self.value_rotation = leaf((values, values)) if values else None


class Emitter:
    """A graph under construction."""

    __slots__ = (
        "embedded",
        "ends",
        "full",
        "graph",
        "hidden",
        "index",
        "norm",
        "outputs",
        "positions",
        "selection",
        "sliding",
        "states",
        "step",
        "temperatures",
    )

    def __init__(self, step: Step, plan: GraphPlan) -> None:
        """Begin a graph for a step."""
        self.graph = Graph()
        self.ends: list[Tensor] = []
        self.step = step
        self.hidden = plan.hidden
        self.norm = plan.norm
        self.positions = leaf((step.tokens * plan.positions,))
        self.temperatures = leaf((1, 1, step.tokens))
        self.outputs = leaf((step.outputs,))
        self.states = leaf((step.sequences,))
        self.full: Cache | None = None
        self.sliding: Cache | None = None
        self.index: Cache | None = None
        self.embedded: Tensor | None = None
        self.selection: Tensor | None = None

    def normed(self, x: Tensor, norm: NormPlan | None = None) -> Tensor:
        """Return a normalised tensor, scaled and shifted where the norm has weights."""
        norm = norm or self.norm
        y = elementwise(x) if norm.kind == "rms" else computed(x.shape, x)
        if norm.scale:
            y = elementwise(y)
        return elementwise(y) if norm.bias else y

    def rotated(self, x: Tensor) -> Tensor:
        """Return queries or keys with rotary positions."""
        return elementwise(x, self.positions)

    def picked(self, x: Tensor) -> Tensor:
        """Return the rows of the tokens that have outputs."""
        return computed((x.shape[0], self.step.outputs), x, self.outputs)
