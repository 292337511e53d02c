"""Symbolic tensors: how many numbers of which width, and whose memory they look at."""

from dataclasses import dataclass, field

WIDE = 4
"""Bytes of an fp32 number."""


class NotRecordable(Exception):  # noqa: N818 - it is no error: the caller has another way
    """A model that does what no record is known for."""


@dataclass(eq=False, slots=True, kw_only=True)
class Storage:
    """A piece of memory. Two are the same only if they are one object.

    ``permanent`` memory (weights, buffers) is not counted as saved; ``shared`` names memory that pieces of
    the model have in common (rotary tables, masks), which is counted once.
    """

    bytes: int
    permanent: bool = False
    shared: str = ""


@dataclass(eq=False, slots=True, kw_only=True)
class Tensor:
    """``numbers`` numbers of ``width`` bytes; ``tracked``: a gradient flows to it; views share a storage."""

    numbers: int
    width: int
    tracked: bool
    storage: Storage
    heads_first: bool = False
    """Queries in the order of heads, then tokens: what torch's kernel returns is copied after it."""

    @property
    def bytes(self) -> int:
        """Bytes of its numbers; a view of a larger storage has fewer than that."""
        return self.numbers * self.width


@dataclass(eq=False, slots=True, kw_only=True)
class Step:
    """One operation: what it reads and makes, and what its backward pass needs, makes and keeps.

    ``saved`` is kept until the backward pass; ``weight_gradients`` are bytes born there that stay;
    ``scratch`` are bytes used meanwhile beside the inputs' gradients. ``aliases``: the gradient of the
    output is handed on as that of the inputs.
    """

    name: str
    inputs: tuple[Tensor, ...]
    output: Tensor
    saved: tuple[Storage, ...] = ()
    weight_gradients: tuple[int, ...] = ()
    scratch: int = 0
    forward_scratch: int = 0
    aliases: bool = False
    extra: tuple[Storage, ...] = field(default=())
    """Further results that are alive only as long as they are saved (log-sum-exps, masks)."""
    beside: tuple[Tensor, ...] = ()
    """Tensors that a name of the caller still holds while the operation runs."""
    macs: int = 0
    """Multiply-adds of its products, where the class does other ones than the model needs (scans)."""
    backward_macs: int = 0
    """Those of its gradients."""
    core: bool = False
    """A part of eager attention between its products: recomputed attention does it again."""
