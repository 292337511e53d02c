"""Bytes of a whole GGUF file: tensors, the padding between them, their table, and the metadata.

The tokenizer makes most of the metadata and is not known from a configuration: that line is assumed.
"""

from sizewise.catalog.ggml import FileType
from sizewise.catalog.gguf_layout import GgufLayout, gguf_layout
from sizewise.footprint.file_types import UNIT, shape_bytes
from sizewise.gguf.file_types import blocks, tensor_bytes
from sizewise.gguf.tensors import GgufShape
from sizewise.ledger import Line, leaf, total


def file_bytes(shape: GgufShape, file_type: FileType, *, importance_matrix: bool = False) -> Line:
    """Return the bytes of a file of one part; an interval because of the tokenizer.

    Raises UsageError (bad_option) where the file type cannot hold a tensor.
    """
    layout = gguf_layout()
    placed = blocks(shape, file_type, importance_matrix=importance_matrix)
    padding = sum(-tensor_bytes(tensor, block) % layout.alignment for tensor, block in placed)
    parts = [
        shape_bytes(shape, file_type, importance_matrix=importance_matrix),
        leaf("padding", padding, UNIT, source=layout.source, status="derived"),
        _table_line(shape, layout),
        _metadata_line(shape, layout),
    ]
    return total("file", parts, UNIT)


def _table_line(shape: GgufShape, layout: GgufLayout) -> Line:
    """Return the bytes of the header and of an entry per tensor: name, dimensions, block type, place."""
    entries = sum(
        layout.tensor + len(tensor.name) + layout.dimension * max(len(tensor.dims), 1)
        for tensor in shape.tensors
    )
    return leaf("tensor_table", layout.header + entries, UNIT, source=layout.source, status="derived")


def _metadata_line(shape: GgufShape, layout: GgufLayout) -> Line:
    """Return the bytes of the metadata: keys, and the tokenizer by the rows of the embedding."""
    vocabulary = next((tensor.dims[0] for tensor in shape.tensors if tensor.base == "token_embd.weight"), 0)
    low, likely, high = (
        keys + vocabulary * token for keys, token in zip(layout.keys, layout.token, strict=True)
    )
    return leaf(
        "metadata",
        likely,
        UNIT,
        formula="keys + vocabulary * bytes_per_token",
        inputs={"keys": layout.keys[1], "vocabulary": vocabulary, "bytes_per_token": layout.token[1]},
        source=layout.source,
        status="assumed",
        interval=(low, high),
    )
