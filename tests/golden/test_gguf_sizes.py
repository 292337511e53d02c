"""Tensors and bytes of GGUF files against llama.cpp's own converter and ``llama-quantize --dry-run``.

``gguf/models.jsonl.gz``: real models, every tensor and the bytes of 35 file types; their configurations
stand in ``memory/configs``. ``gguf/oracle.jsonl.gz``: other architectures and configurations.
"""

import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sizewise.catalog.ggml import FileType, file_types
from sizewise.errors import SizewiseError
from sizewise.gguf.conversion import gguf_shape
from sizewise.gguf.file_types import blocks, tensor_bytes
from sizewise.gguf.tensors import GgufShape, GgufTensor
from sizewise.sources.config_json import from_config

DATA = Path(__file__).parent


def rows(name: str) -> dict[str, dict[str, Any]]:
    with gzip.open(DATA / "gguf" / name, "rt") as lines:
        found = [json.loads(line) for line in lines]
    return {row.get("model") or row["name"]: row for row in found}


MODELS = rows("models.jsonl.gz")
ORACLE = rows("oracle.jsonl.gz")


def shape_of(config: Mapping[str, Any], name: str) -> GgufShape:
    return gguf_shape(from_config(config, name=name, origin="test"))


def total_bytes(shape: GgufShape, file_type: FileType, *, importance_matrix: bool = False) -> int | None:
    """Return the bytes of all tensors, None where the file type cannot hold one."""
    try:
        placed = list(blocks(shape, file_type, importance_matrix=importance_matrix))
    except SizewiseError:
        return None
    return sum(tensor_bytes(tensor, block) for tensor, block in placed)


def line(tensor: GgufTensor) -> str:
    """Return the tensor as the digests have it: without leading dimensions of 1."""
    dims = list(tensor.dims)
    while len(dims) > 1 and dims[0] == 1:
        dims.pop(0)
    return f"{tensor.name} {'x'.join(map(str, dims))} {tensor.block}"


@pytest.mark.parametrize("model", MODELS)
def test_real_model(model: str) -> None:
    config = json.loads((DATA / "memory" / "configs" / f"{model}.json").read_text())
    shape, row = shape_of(config, model), MODELS[model]
    ours = {tensor.name: (list(tensor.dims), tensor.block) for tensor in shape.tensors}
    assert ours == {name: (dims, block.lower()) for name, dims, block in row["tensors"]}
    assert shape.architecture == row["architecture"]
    assert {name: total_bytes(shape, row) for name, row in file_types().items()} == row["bytes"]


@pytest.mark.parametrize("name", ORACLE)
def test_architecture(name: str) -> None:
    row = ORACLE[name]
    shape = shape_of(row["config"], name)
    lines = sorted(map(line, shape.tensors))
    assert shape.architecture == row["architecture"]
    assert len(lines) == row["tensors"]
    assert hashlib.sha256("\n".join(lines).encode()).hexdigest() == row["sha256"]
    types = file_types().values()
    assert [total_bytes(shape, file_type) for file_type in types] == row["bytes"]
    with_matrix = [total_bytes(shape, file_type, importance_matrix=True) for file_type in types]
    assert with_matrix == row["bytes_importance_matrix"]
