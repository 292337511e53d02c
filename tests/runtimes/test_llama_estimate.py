"""The estimate that stands in for a graph, against what llama.cpp logs for 45 models."""

import csv
import json
from pathlib import Path

import pytest

from sizewise.catalog.gguf_names import gguf_architecture_of
from sizewise.configuration import Config
from sizewise.families import describe
from sizewise.runtimes.llama_cache import keeps_windows
from sizewise.runtimes.llama_estimate import estimated_buffer
from sizewise.runtimes.llama_graph import GraphSettings

HERE = Path(__file__).parent / "llama_graph"
CONFIGS = [json.loads(line) for line in (HERE / "configs.jsonl").read_text().splitlines()]
ROWS = list(csv.DictReader((HERE / "compute_mib.csv").read_text().splitlines()))
MIB = 2**20


@pytest.mark.parametrize("entry", CONFIGS, ids=lambda entry: entry["model"])
def test_the_interval_holds_the_logged_buffer(entry: dict) -> None:
    architecture = describe(Config(entry["config"], entry["config"]["model_type"]))
    row = gguf_architecture_of(architecture.model_class)
    windows = row is not None and keeps_windows(row.name)
    for logged in (row for row in ROWS if row["model"] == entry["model"]):
        settings = GraphSettings(
            context=int(logged["context"]),
            micro_batch=int(logged["micro_batch"]),
            flash_attention=logged["flash_attention"] == "1",
            sequences=int(logged["sequences"]),
            full_window=logged["full_window"] == "1",
        )
        interval = estimated_buffer(architecture, settings, windows=windows).interval
        assert interval is not None
        assert interval[0] <= float(logged["compute_mib"]) * MIB <= interval[1], logged
