"""Every row of the format facts is complete, dated, in range and unique."""

import re
from typing import get_args

import pytest

from sizewise.catalog.formats import (
    FOLDER,
    CacheFormat,
    Format,
    cache_formats,
    formats,
    renamings,
)
from sizewise.catalog.ggml import file_types
from sizewise.catalog.rows import normalised, tables
from sizewise.formats.layouts import LAYOUTS
from sizewise.formats.stored import DTYPE_BITS
from sizewise.ledger import STATUSES
from sizewise.tensors import Role

ROLES = set(get_args(Role))
RUNTIMES = {"ideal", "transformers", "vllm", "sglang", "llama.cpp", "ollama", "mlx"}
DAY = re.compile(r"20[0-9]{2}-[01][0-9]-[0-3][0-9]")
NAMED_IN_THE_INTERFACE = {
    "fp32",
    "fp16",
    "bf16",
    "fp8",
    "fp8-block",
    "int8",
    "int4",
    "bnb-int8",
    "nf4",
    "nf4-dq",
    "fp4",
    "awq",
    "gptq",
    "w8a8",
    "w4a16",
    "mxfp4",
    "nvfp4",
    "hqq",
    "mlx-4bit",
    "mlx-8bit",
    "exl2-4.0",
}


def test_the_formats_of_the_interface_are_all_there() -> None:
    assert set(formats()) >= NAMED_IN_THE_INTERFACE


@pytest.mark.parametrize("row", formats().values(), ids=lambda row: row.name)
def test_a_row_is_complete_and_in_range(row: Format) -> None:
    assert row.about
    assert row.source
    assert DAY.fullmatch(row.checked)
    assert row.status in STATUSES
    assert 1 <= row.bits <= 32
    assert 1 <= row.quality <= 9
    assert (row.layout in LAYOUTS) != row.plain
    assert (row.dtype in DTYPE_BITS) == row.plain
    assert row.leaves <= ROLES
    assert row.only <= ROLES
    assert row.group is None or 8 <= row.group <= 256
    if row.plain:
        assert DTYPE_BITS[row.dtype] == row.bits


def test_rows_keep_to_the_columns() -> None:
    known = set(Format.__slots__)
    for document in tables(FOLDER).values():
        for row in document.get("format", ()):
            assert set(row) <= known


def test_names_and_aliases_are_unique() -> None:
    words = [normalised(word) for row in formats().values() for word in (row.name, *row.aliases)]
    assert len(words) == len(set(words))


def test_every_layout_is_used() -> None:
    assert {row.layout for row in formats().values()} == {*LAYOUTS, "plain"}


def test_there_are_thirty_five_file_types() -> None:
    document = tables("gguf")["file_types"]
    assert len(file_types()) == 35
    assert len({row.id for row in file_types().values()}) == 35
    assert document["source"]
    assert DAY.fullmatch(document["checked"])
    assert {alias for row in file_types().values() for alias in row.aliases} == {"q5_k", "q4_k", "q3_k"}


@pytest.mark.parametrize("row", cache_formats().values(), ids=lambda row: row.name)
def test_a_cache_row_is_complete_and_in_range(row: CacheFormat) -> None:
    assert row.source
    assert DAY.fullmatch(row.checked)
    assert set(row.runtimes) <= RUNTIMES
    assert row.runtimes
    assert 4 <= row.bits <= 32


def test_cache_names_are_unique() -> None:
    words = [word for row in cache_formats().values() for word in (row.name, *row.aliases)]
    assert len(words) == len(set(words))


def test_renamings_are_dated() -> None:
    for row in tables(FOLDER)["checkpoint_names"]["renaming"]:
        assert row["source"]
        assert DAY.fullmatch(row["checked"])
    assert renamings()
