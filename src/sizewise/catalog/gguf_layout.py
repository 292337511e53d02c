"""What a GGUF file holds beside the numbers of its tensors: facts as a frozen value."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from sizewise.catalog.rows import tables

FOLDER = "gguf"


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufLayout:
    """Bytes of the parts of a file; ``keys`` and ``token`` (per token) are lowest, likely and highest."""

    header: int
    tensor: int
    dimension: int
    alignment: int
    keys: tuple[int, int, int]
    token: tuple[int, int, int]
    source: str


@cache
def gguf_layout() -> GgufLayout:
    """Return the layout of a file.

    >>> gguf_layout().alignment
    32
    """
    document = tables(FOLDER)["layout"]
    row: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in document["layout"].items()
    }
    return GgufLayout(**row, source=document["source"])
