"""Write the measurements that the package ships for ``sizewise validate`` from the golden tables.

A third of llama.cpp's cells (drawn with a fixed seed, and all with several sequences or full windows), all
sizes of GGUF files of the same models, all caches of transformers, vLLM's own arithmetic where its options
are options here, the start-up logs that name a device, and published peaks of training. A model that the
catalogue holds alike needs no configuration.

    python validation/shipped_measurements.py [folder]
"""

import csv
import gzip
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

from sizewise.architecture import Model
from sizewise.catalog.ggml import file_types
from sizewise.catalog.models import find_preset
from sizewise.sources.config_json import from_config
from sizewise.sources.reference import load_reference

GOLDEN = Path(__file__).parents[1] / "tests" / "golden"
SHIPPED = Path(__file__).parents[1] / "src" / "sizewise" / "facts" / "measurements"
SEED = 20261122
SHARE = 1 / 3
POOL_OPTIONS = {
    "max_model_len": "context",
    "max_num_batched_tokens": "batched_tokens",
    "tensor": "tensor",
    "kv_cache_dtype": "kv_cache_dtype",
}

Row = dict[str, Any]


class Models:
    """The models of the rows by the name that the package finds them under."""

    def __init__(self) -> None:
        self.configs: dict[str, Row] = {}

    def name(self, name: str, config: Row) -> str:
        """Return the catalogue's name where it means the same model, else keep the configuration."""
        if find_preset(name) is not None and _same(
            load_reference(name), from_config(config, name="", origin="")
        ):
            return name
        assert self.configs.setdefault(name, config) == config, name
        return name


def _same(one: Model, other: Model) -> bool:
    """Tell whether two models have the same shapes, rotary tables and experts."""
    return (one.architecture, one.rope, one.declared_experts, one.model_type) == (
        other.architecture,
        other.rope,
        other.declared_experts,
        other.model_type,
    )


def hub_name(file: str) -> str:
    """Return the hub's id of a file name."""
    return file.replace("__", "/")


def memory_config(file: str) -> Row:
    """Return the configuration of a model of the memory tables."""
    found: Row = json.loads((GOLDEN / "memory" / "configs" / f"{file}.json").read_text(encoding="utf-8"))
    return found


def llama_cpp(models: Models) -> Iterator[Row]:
    """Yield cells of llama.cpp's memory report."""
    random = Random(SEED)
    with (GOLDEN / "memory" / "llama_cpp_memory.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            sequences, file = int(row["n_parallel"]), row["model"]
            drawn = random.random() < SHARE
            if not row["context_bytes"] or not (drawn or sequences > 1 or row["swa_full"] == "1"):
                continue
            yield {
                "model": models.name(hub_name(file), memory_config(file)),
                "context": int(row["ctx"]) // sequences,
                "sequences": sequences,
                "ubatch": row["ubatch"],
                "flash_attention": row["flash_attn"],
                "kv_cache_dtype": row["kv_type"],
                "full_windows": row["swa_full"],
                "cache": row["context_bytes"],
                "compute": row["compute_mib"],
                "output": row["output_mib"],
            }


def gguf(models: Models) -> Iterator[Row]:
    """Yield the bytes of all tensors of a file, a column per file type."""
    with gzip.open(GOLDEN / "gguf" / "models.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            sizes = {name: row["bytes"][name] for name in file_types()}
            yield {"model": models.name(hub_name(row["model"]), memory_config(row["model"])), **sizes}


def transformers(models: Models) -> Iterator[Row]:
    """Yield caches that transformers filled."""
    small = json.loads((GOLDEN / "architectures" / "kv_truth.json").read_text(encoding="utf-8"))
    real = json.loads((GOLDEN / "memory" / "kv_golden.json").read_text(encoding="utf-8"))
    for row in (*small, *real["transformers_cases"]):
        config = {"model_type": row.get("model_type"), **row["config"]}
        tokens = row.get("tokens_cached") or row["prefill"] + row["decode"]
        yield {
            "model": models.name(
                f"small: {row['case']}" if "case" in row else f"small II: {row['name']}", config
            ),
            "context": row.get("static_max_len", tokens),
            "sequences": row["batch"],
            "static_cache": int("static_max_len" in row),
            "cache": row["measured_bytes"],
        }


def vllm_requests(models: Models) -> Iterator[Row]:
    """Yield the bytes of the blocks that one request of full length needs, by vLLM's own modules."""
    for row in json.loads((GOLDEN / "serving" / "vllm_pools.json").read_text(encoding="utf-8"))["rows"]:
        options = row["options"]
        if not set(options) <= set(POOL_OPTIONS):
            continue
        devices = options.get("tensor", 1)
        yield {
            "model": models.name(row["model"], row["config"]) if "config" in row else row["model"],
            **{POOL_OPTIONS[name]: value for name, value in options.items()},
            "on": f"h100-sxm:{devices}",
            "cache": row["block_bytes"] * row["request_blocks"],
        }


def vllm_logs(models: Models) -> Iterator[Row]:
    """Yield the pools of start-up logs that name the device."""
    for row in json.loads((GOLDEN / "serving" / "vllm_logs.json").read_text(encoding="utf-8"))["rows"]:
        if "end_to_end" not in row:
            continue
        devices = row.get("tensor", 1)
        yield {
            "model": models.name(row["model"], row["config"]) if "config" in row else row["model"],
            "version": row["version"],
            "date": row["date"],
            "url": row["url"],
            "on": f"{row['device']}:{devices}",
            "tensor": devices,
            "quant": row["weights"],
            "kv_cache_dtype": row.get("kv_cache_dtype"),
            "context": row["max_model_len"],
            "batched_tokens": row["max_num_batched_tokens"],
            "running_sequences": row["max_num_seqs"],
            "utilization": row["gpu_memory_utilization"],
            "eager": int(row.get("enforce_eager", False)),
            "pool_gib": row.get("kv_gib"),
            "blocks": row.get("blocks"),
        }


def sglang_logs(models: Models) -> Iterator[Row]:
    """Yield the pools of SGLang's logs: as many tokens as the pool held are one long sequence."""
    for row in json.loads((GOLDEN / "serving" / "sglang_logs.json").read_text(encoding="utf-8"))["rows"]:
        devices = row["tp_size"]
        yield {
            "model": row["model"],
            "date": row["date"],
            "url": row["url"],
            "on": f"{row.get('device', 'mi300x')}:{devices}",
            "tensor": devices,
            "context": row["tokens"],
            "pool_gib": row["kv_gib"],
        }


def torchtitan(models: Models) -> Iterator[Row]:
    """Yield what the devices of torchtitan's published runs reserved."""
    with open(GOLDEN / "training" / "torchtitan.csv", encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            yield {
                "model": row["model"],
                "context": row["sequence"],
                "micro_batch": row["sequences"],
                "devices": row["devices"],
                "tensor": row["tensor_ranks"],
                "context_parallel": row["context_parts"],
                "compiled": int(row["compiled"] == "yes"),
                "float8": int(row["float8"] == "yes"),
                "recompute": row["recompute"],
                "peak_gib": row["peak_gib"],
            }


FILES = {
    "llama_cpp.csv": llama_cpp,
    "gguf.csv": gguf,
    "transformers.csv": transformers,
    "vllm_requests.csv": vllm_requests,
    "vllm_logs.csv": vllm_logs,
    "sglang_logs.csv": sglang_logs,
    "torchtitan.csv": torchtitan,
}


def table(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as a CSV with the columns that any of them has."""
    rows = list(rows)
    buffer = io.StringIO()
    columns = dict.fromkeys(column for row in rows for column in row)
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def files() -> dict[str, str]:
    """Return the text of every file by its name."""
    models = Models()
    found = {name: table(rows(models)) for name, rows in FILES.items()}
    lines = (
        json.dumps({"model": name, "config": config}, separators=(",", ":"))
        for name, config in sorted(models.configs.items())
    )
    return found | {"models.jsonl": "\n".join(lines) + "\n"}


def main() -> None:
    """Write the files."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
