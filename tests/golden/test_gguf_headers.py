"""Headers that llama.cpp's converter wrote, against the configurations that it wrote them from.

Each row of ``gguf_headers.jsonl`` is a configuration with the metadata and the tensors of its file. Written
by llama.cpp 0.5.0, ``conversion/``, from tensors of transformers 5.23 without data, 2026-11-22.
"""

import json
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

import pytest

from sizewise.architecture import Architecture, Model
from sizewise.catalog.gguf_metadata import gguf_configurations
from sizewise.families import known_types
from sizewise.listing import Listing, TensorTable
from sizewise.reconciliation import reconciled
from sizewise.sources.config_json import from_config
from sizewise.sources.gguf.metadata import Metadata
from sizewise.sources.gguf.model import model_of_gguf
from sizewise.sources.gguf.reader import GgufFile

ROWS = [json.loads(line) for line in (Path(__file__).parent / "gguf_headers.jsonl").read_text().splitlines()]


def header(row: dict[str, Any]) -> GgufFile:
    names, dtypes, shapes = [], [], []
    for base, shape, dtype, runs in row["tensors"]:
        places = [None] if runs is None else [n for first, last in runs for n in range(first, last + 1)]
        for layer in places:
            names.append(base if layer is None else f"blk.{layer}.{base}")
            dtypes.append(dtype)
            shapes.append(tuple(shape))
    elements = [prod(shape) for shape in shapes]
    sizes = [count * {"F32": 4, "F16": 2}[dtype] for count, dtype in zip(elements, dtypes, strict=True)]
    table = TensorTable(names=names, dtypes=dtypes, shapes=shapes, elements=elements, bytes=sizes)
    listed = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row["metadata"].items()
    }
    values = {**listed, "general.architecture": row["architecture"]}
    metadata = Metadata(values=values, lengths={}, alignment=32)
    return GgufFile(metadata=metadata, listing=Listing(tensors=table))


def kept(architecture: Architecture) -> Counter[str]:
    found: Counter[str] = Counter()
    for entry, times in architecture.kept():
        found[repr(entry)] += times
    return found


def language(architecture: Architecture) -> int:
    return sum(
        weight.elements * len(place.layers) for place in architecture.language() for weight in place.weights()
    )


def model_of(row: dict[str, Any]) -> Model:
    return model_of_gguf(header(row), name="x.gguf", origin="golden")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['architecture']}-{row['config']['model_type']}")
def test_a_file_says_what_its_configuration_says(row: dict[str, Any]) -> None:
    wanted = from_config(row["config"], name="config", origin="golden").architecture
    found = model_of(row)
    assert language(found.architecture) == language(wanted)
    assert kept(found.architecture) == kept(wanted)
    explained = reconciled(found)
    assert explained is not None
    assert explained.residual == 0
    assert found.counted is None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['architecture']}-{row['config']['model_type']}")
def test_another_file_type_keeps_the_tables_of_listed_factors(row: dict[str, Any]) -> None:
    held = {base: shape[0] for base, shape, _, _ in row["tensors"] if base.startswith("rope_factors")}
    rope = model_of(row).rope
    assert not held or (rope is not None and set(held.values()) == {rope.listed})


def test_most_architectures_are_here() -> None:
    assert len({row["architecture"] for row in ROWS}) >= 60


def test_the_types_are_known() -> None:
    types = {choice.model_type for row in gguf_configurations().values() for choice in row.types}
    assert types <= set(known_types())
