"""The tensors of a GGUF file as its header lists them, with the layers that their names tell."""

import re

from sizewise.gguf.tensors import GgufShape, GgufTensor
from sizewise.listing import Listing

_LAYER = re.compile(r"blk\.(\d{1,6})\.(.+)", re.DOTALL)


def listed_shape(listing: Listing, architecture: str) -> GgufShape:
    """Return the tensors of a header, each in the block type that it has.

    ``architecture`` is llama.cpp's. What only the rules of file types ask (experts, heads) is left out.
    """
    table = listing.tensors
    rows = zip(table.names, table.dtypes, table.shapes, strict=True)
    tensors = tuple(_tensor(name, dtype, shape) for name, dtype, shape in rows)
    layers = 1 + max((tensor.layer for tensor in tensors if tensor.layer is not None), default=-1)
    return GgufShape(architecture=architecture, layers=layers, experts=1, gqa=0, tensors=tensors)


def _tensor(name: str, dtype: str, shape: tuple[int, ...]) -> GgufTensor:
    found = _LAYER.fullmatch(name)
    base, layer = (found[2], int(found[1])) if found else (name, None)
    return GgufTensor(base=base, dims=shape, layer=layer, block=dtype.lower())
