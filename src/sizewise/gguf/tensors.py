"""The tensors of a GGUF file before a file type is chosen for them.

``dims`` are row-major, so the last is the length of a row; the file itself stores them reversed.
"""

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from sizewise.tensors import Role


class GgufTensor(NamedTuple):
    """A tensor, its layer (None outside of the layers) and its block type in a 16-bit file.

    ``base`` is its name without the layer. A tuple, because a file has a thousand of them.
    """

    base: str
    dims: tuple[int, ...]
    layer: int | None = None
    block: str = "f16"
    role: Role = "other"

    @property
    def name(self) -> str:
        """Return the full name.

        >>> GgufTensor(base="attn_q.weight", dims=(4096, 4096), layer=3).name
        'blk.3.attn_q.weight'
        """
        return self.base if self.layer is None else f"blk.{self.layer}.{self.base}"

    @property
    def elements(self) -> int:
        """Count the numbers.

        >>> GgufTensor(base="token_embd.weight", dims=(32000, 4096)).elements
        131072000
        """
        return prod(self.dims)

    @property
    def row(self) -> int:
        """Count the numbers of a row."""
        return self.dims[-1] if self.dims else 1

    @property
    def matrices(self) -> int:
        """Count the matrices stacked in the tensor."""
        return prod(self.dims[:-2]) if len(self.dims) > 2 else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufShape:
    """What the rules of file types ask of a model: llama.cpp's architecture and its counts.

    ``gqa`` is the number of query heads per KV head of layer 0: 0 where that layer has no attention.
    """

    architecture: str
    layers: int
    experts: int
    gqa: int
    tensors: tuple[GgufTensor, ...]
