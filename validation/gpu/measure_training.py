"""Measure training and inference steps on an NVIDIA GPU and score sizewise's predictions beside them.

Needs torch with CUDA, transformers and an installed sizewise; peft for the cases with adapters. Writes
``measurements/<device>-<date>.csv`` beside this script. Without a GPU it says so and exits with 3.

    python validation/gpu/measure_training.py [--dry-run] [--folder DIR] [--gguf FILE] [--checkpoint DIR]
"""

import argparse
import csv
import gc
import platform
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, fields
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import torch
import transformers
from cases import Case, cases
from engines import starts
from meters import STATISTICS, CudaMeter, FakeMeter
from predictions import Prediction, predicted
from steps import Meter, measured, parameters
from torch._subclasses.fake_tensor import FakeTensorMode

Row = dict[str, object]
NO_GPU = 3
FULLEST = 0.95
"""Share of the device that a case may need by its prediction to be tried."""
LIBRARIES = ("torch", "transformers", "peft", "sizewise")
COLUMNS = (
    *("date", "device", "device_bytes", "driver", "cuda", "python", *LIBRARIES),
    *(entry.name for entry in fields(Case) if entry.name != "config"),
    *("parameters", "allocated_peak", "reserved_peak", *STATISTICS, "device_used"),
    *("predicted_tensors", "predicted_total", "predicted_low", "predicted_high"),
    *("allocated_error", "reserved_error", "inside", "note"),
)


def main(arguments: list[str] | None = None) -> int:
    """Measure everything; 0 when it is written, 3 without a GPU."""
    told = _told(arguments)
    if not told.dry_run and not torch.cuda.is_available():
        print("no NVIDIA GPU that torch can use: nothing measured (--dry-run takes the same way without one)")
        return NO_GPU
    transformers.logging.set_verbosity_error()
    place = _place(dry=told.dry_run)
    rows = [place | row for row in _rows(dry=told.dry_run)]
    if not told.dry_run:
        rows += [place | row for row in starts(told.gguf, told.checkpoint, print)]
    name = re.sub(r"[^a-z0-9]+", "-", str(place["device"]).lower()).strip("-")
    path = Path(told.folder) / f"{name}-{place['date']}.csv"
    _write(path, rows)
    _score(rows)
    print(f"{len(rows)} rows in {path}")
    return 0


def _told(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--dry-run", action="store_true", help="take the whole way on fake tensors of the CPU"
    )
    parser.add_argument("--folder", type=Path, default=Path(__file__).with_name("measurements"))
    parser.add_argument("--gguf", type=Path, help="a file that llama.cpp starts")
    parser.add_argument("--checkpoint", type=Path, help="a folder that vLLM starts")
    return parser.parse_args(arguments)


def _place(*, dry: bool) -> Row:
    """Return what the measurements are of: date, device, driver, versions."""
    found: Row = {"date": datetime.now(UTC).date().isoformat(), "python": platform.python_version()}
    found |= {name: _version(name) for name in LIBRARIES}
    if dry:
        return found | {"device": "dry run", "device_bytes": 0, "driver": "", "cuda": ""}
    import pynvml

    pynvml.nvmlInit()
    return found | {
        "device": torch.cuda.get_device_name(0),
        "device_bytes": torch.cuda.mem_get_info()[1],
        "driver": pynvml.nvmlSystemGetDriverVersion(),
        "cuda": torch.version.cuda or "",
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _rows(*, dry: bool) -> Iterator[Row]:
    """Yield a row per case: measured, or with a note why not."""
    for case in cases(small=dry):
        found = predicted(case, on_cpu=dry)
        described = {name: value for name, value in asdict(case).items() if name != "config"}
        row = described | {"parameters": parameters(case)} | _as_columns(found)
        if case.adapters and (dry or find_spec("peft") is None):
            yield row | {"note": f"skipped: peft {'builds no fake tensors' if dry else 'is not installed'}"}
        elif not dry and found.tensors > FULLEST * torch.cuda.mem_get_info()[0]:
            yield row | {"note": "skipped: predicted to need more than is free"}
        else:
            yield row | _measured(case, found, dry=dry)
        gc.collect()
        if not dry:
            torch.cuda.empty_cache()


def _measured(case: Case, found: Prediction, *, dry: bool) -> Row:
    meter: Meter = FakeMeter() if dry else CudaMeter()
    try:
        with FakeTensorMode() if dry else nullcontext():
            peaks = measured(case, meter)
    except torch.OutOfMemoryError:
        return {"note": "out of memory"}
    reserved = peaks.get("reserved_peak", 0)
    return {
        **peaks,
        "allocated_error": f"{found.tensors / peaks['allocated_peak'] - 1:.4f}",
        "reserved_error": f"{found.total / reserved - 1:.4f}" if reserved else "",
        "inside": int(found.low <= peaks["device_used"] <= found.high) if "device_used" in peaks else "",
    }


def _as_columns(found: Prediction) -> Row:
    return {
        "predicted_tensors": round(found.tensors),
        "predicted_total": round(found.total),
        "predicted_low": round(found.low),
        "predicted_high": round(found.high),
    }


def _write(path: Path, rows: Iterable[Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _score(rows: list[Row]) -> None:
    """Print the median and the largest error of each kind of work."""
    for work in dict.fromkeys(str(row["work"]) for row in rows):
        for column in ("allocated_error", "reserved_error"):
            errors = [abs(float(str(row[column]))) for row in rows if row["work"] == work and row.get(column)]
            if errors:
                print(
                    f"{work}, {column.removesuffix('_error')}: {len(errors)} measured, "
                    f"median {median(errors):.1%}, largest {max(errors):.1%}"
                )


if __name__ == "__main__":
    sys.exit(main())
