"""Start-up of llama.cpp and vLLM where they are installed: memory of the device, sampled while they start."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from sizewise.planning.defaults import Asked, scenario_for
from sizewise.planning.running import run_memory
from sizewise.sources.reference import load_reference

Row = dict[str, object]
CONTEXT = 4096
EVERY = 0.05
"""Seconds between two samples."""


def starts(gguf: Path | None, checkpoint: Path | None, say: Callable[[str], None]) -> Iterator[Row]:
    """Yield a row for each engine that is here and has a model to start; say why for the others."""
    binary = shutil.which("llama-cli")
    if binary is None or gguf is None:
        say("llama.cpp: skipped, " + ("llama-cli is not on the path" if binary is None else "no --gguf FILE"))
    else:
        told = ["-ngl", "999", "-c", str(CONTEXT), "-n", "1", "-p", "a", "--no-warmup", "-no-cnv"]
        yield _started("llama.cpp", gguf, [binary, "-m", str(gguf), *told])
    if find_spec("vllm") is None or checkpoint is None:
        say(
            "vLLM: skipped, "
            + ("it is not installed" if find_spec("vllm") is None else "no --checkpoint DIR")
        )
    else:
        code = f"import vllm; vllm.LLM(model={str(checkpoint)!r}, max_model_len={CONTEXT})"
        yield _started("vllm", checkpoint, [sys.executable, "-c", code])


def _started(engine: str, path: Path, command: list[str]) -> Row:
    before = _used()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    highest = before
    while process.poll() is None:
        highest = max(highest, _used())
        time.sleep(EVERY)
    model = load_reference(str(path), offline=True)
    asked = Asked(context=CONTEXT, runtime=engine)
    line = run_memory(model, scenario_for(model, asked)[0]).held[0].line
    low, high = line.interval
    note = "" if process.returncode == 0 else f"{engine} ended with {process.returncode}"
    return {
        "model": path.name,
        "work": f"{engine} start",
        "batch": 1,
        "sequence": CONTEXT,
        "device_used": highest - before,
        "predicted_total": round(line.value),
        "predicted_low": round(low),
        "predicted_high": round(high),
        "note": note,
    }


def _used() -> int:
    import pynvml

    return int(pynvml.nvmlDeviceGetMemoryInfo(pynvml.nvmlDeviceGetHandleByIndex(0)).used)
