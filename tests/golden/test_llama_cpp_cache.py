"""Caches and states of llama.cpp against its own report: 1,521 cells of 45 models."""

import csv
import json
from functools import cache
from pathlib import Path

import pytest

from sizewise.architecture import Model
from sizewise.catalog.formats import cache_format
from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.errors import UsageError
from sizewise.runtimes.llama_cache import LlamaCache, keeps_windows, llama_cache
from sizewise.sources.config_json import from_config

HERE = Path(__file__).parent / "memory"
ROWS = list(csv.DictReader((HERE / "llama_cpp_memory.csv").read_text(encoding="utf-8").splitlines()))
MODELS = sorted({row["model"] for row in ROWS})


@cache
def model_of(name: str) -> Model:
    raw = json.loads((HERE / "configs" / f"{name}.json").read_text(encoding="utf-8"))
    return from_config(raw, name=name, origin="test")


def cache_of(row: dict[str, str], model: Model) -> LlamaCache:
    found = gguf_architecture_of(model.architecture.model_class)
    assert found is not None
    numbers = cache_format(row["kv_type"])
    return LlamaCache(
        context=int(row["ctx"]),
        sequences=int(row["n_parallel"]),
        keys=numbers,
        values=numbers,
        ubatch=int(row["ubatch"]),
        flash_attention=row["flash_attn"] == "1",
        windows=keeps_windows(found.name),
        full_windows=row["swa_full"] == "1",
    )


def test_the_rows_are_all_there() -> None:
    measured = [row for row in ROWS if row["context_bytes"]]
    assert (len(MODELS), len(ROWS), len(measured)) == (45, 1537, 1521)


@pytest.mark.parametrize("name", MODELS)
def test_cache_and_state_are_those_that_llama_cpp_reports(name: str) -> None:
    model = model_of(name)
    kept = tuple(model.architecture.kept())
    for row in ROWS:
        if row["model"] == name and row["context_bytes"]:
            assert llama_cache(kept, cache_of(row, model)).value == int(row["context_bytes"]), row


def test_the_cells_of_a_unified_cache_are_shared() -> None:
    f16 = cache_format("f16")
    request = LlamaCache(context=8192, sequences=4, keys=f16, values=f16, unified=True)
    assert (request.streams, request.cells, request.window_cells(1024)) == (1, 8192, 4608)


def test_quantized_values_need_flash_attention() -> None:
    kept = tuple(model_of("meta-llama__Llama-3.1-8B").architecture.kept())
    q8 = cache_format("q8_0")
    request = LlamaCache(context=8192, sequences=1, keys=q8, values=q8, flash_attention=False)
    with pytest.raises(UsageError, match="only with flash attention"):
        llama_cache(kept, request)
