"""Requests a second, waiting and memory of `sizewise web` at 16 connections: repeated and distinct questions.

Needs the extra `web` and wrk (https://github.com/wg/wrk). Asked: 500 a second, 99 of 100 within 50 ms, under
150 MB of memory in all its processes. The load runs on the same cores as the service.

2026-11-22, two virtual cores with nothing else to do, Python 3.11.7: 3,322 repeated questions a second (p99
6 ms, 0.30 ms of processor each); 637 of a context slider (p99 36 ms, 1.6 ms each), 564 over four engines (p99
35 ms), 514 of memory, speed and laws in turn (p99 48 ms); 96 to 107 MB.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

CONNECTIONS = 16
SECONDS = 5
WARM_SECONDS = 2
LUA = """
local number = tonumber(os.getenv("FIRST"))
local queries = {%s}
request = function()
  number = number + 1
  local query = queries[number %% #queries + 1]
  query = query:gsub("CONTEXT", 1000 + number %% 33000)
  query = query:gsub("NUMBER", number)
  return wrk.format("GET", query)
end
"""
MEMORY = "/api/memory?model=llama-3.1-8b&on=rtx-4090"
LOADS = {
    "repeated: 20 contexts": [f"{MEMORY}&context={1024 * number}" for number in range(1, 21)],
    "distinct: a context slider": [f"{MEMORY}&context=CONTEXT"],
    "distinct: memory, four engines": [
        f"{MEMORY}&context=CONTEXT",
        f"{MEMORY}&quant=q4_k_m&context=CONTEXT",
        "/api/memory?model=qwen3-8b&on=h100-sxm&runtime=vllm&context=CONTEXT",
        "/api/memory?model=llama-3.1-8b&on=m4-max-64gb&runtime=mlx&context=CONTEXT",
    ],
    "distinct: memory, speed, laws": [
        f"{MEMORY}&context=CONTEXT",
        "/api/speed?model=llama-3.1-8b&on=rtx-4090&quant=q4_k_m&input=NUMBER",
        "/api/laws/loss?params=8e9&tokens=NUMBERe7",
        "/api/laws/overtrain?params=8e9&tokens=NUMBERe8",
    ],
}
_ADDRESS = re.compile(r"http://[0-9.]+:[0-9]+")
_LATENCY = re.compile(r"(50|99)%\s+([0-9.]+)(us|ms|s)")
_MS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@contextmanager
def service() -> Iterator[tuple[str, int]]:
    """Start the service on a free port; yield its address and process."""
    command = [sys.executable, "-m", "sizewise", "web", "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        found = _ADDRESS.search(process.stderr.readline())
        assert found is not None
        yield found[0], process.pid
    finally:
        process.terminate()
        process.wait()


def load(address: str, queries: list[str], *, first: int, seconds: int) -> str:
    """Return what wrk prints of a load; numbers of distinct questions begin behind ``first``."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "queries.lua"
        script.write_text(LUA % ", ".join(f'"{query}"' for query in queries))
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", str(script), address]
        environment = os.environ | {"FIRST": str(first)}
        return subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout


def measured(told: str) -> tuple[float, float, float, int]:
    """Return requests a second, both percentiles (ms) and the answers that were errors."""
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    errors = re.search(r"Non-2xx or 3xx responses: ([0-9]+)", told)
    at = {percent: float(number) * _MS[unit] for percent, number, unit in _LATENCY.findall(told)}
    assert rate is not None
    return float(rate[1]), at["50"], at["99"], int(errors[1]) if errors else 0


def peak_memory(process: int) -> float:
    """Return the peak of resident memory of a process and its children (10^6 bytes)."""
    threads = Path(f"/proc/{process}/task").iterdir()
    children = [child for thread in threads for child in (thread / "children").read_text().split()]
    texts = [Path(f"/proc/{one}/status").read_text() for one in (process, *children)]
    return sum(int(re.findall(r"VmHWM:\s+([0-9]+)", text)[0]) for text in texts) * 1024 / 1e6


def processor_seconds(process: int) -> float:
    """Return the seconds of processor that a process has taken."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Load a fresh service with each kind of question, and print what it did."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed")
    busy = os.getloadavg()[0]
    print(
        f"{date.today()}, {os.cpu_count()} cores, Python {platform.python_version()}, load before: {busy:.1f}"
    )
    print(
        f"{'':34}{'requests/s':>11}{'p50 ms':>9}{'p99 ms':>9}{'CPU ms each':>13}{'peak MB':>9}{'errors':>8}"
    )
    for name, queries in LOADS.items():
        with service() as (address, process):
            load(address, queries, first=1_000, seconds=WARM_SECONDS)
            before, start = processor_seconds(process), time.monotonic()
            rate, half, most, errors = measured(load(address, queries, first=100_000, seconds=SECONDS))
            answers = rate * (time.monotonic() - start)
            each = (processor_seconds(process) - before) / answers * 1e3
            memory = peak_memory(process)
        print(f"{name:34}{rate:11,.0f}{half:9.1f}{most:9.1f}{each:13.2f}{memory:9.0f}{errors:8}")


if __name__ == "__main__":
    main()
