"""CPU time of whole processes, as ratios to ``python -c pass`` and to installed peers of the field.

Prints medians of interleaved runs; a ratio is meant to be compared with the same ratio elsewhere, the
seconds are not.
"""

import resource
import shutil
import statistics
import subprocess
import sys

RUNS = 11
ANSWER = ("-m", "sizewise", "memory", "llama-3.1-8b", "--json")
PEERS = {"hf-mem --help": ("hf-mem", "--help"), "llmfit list": ("llmfit", "list")}


def cpu_seconds(command: list[str]) -> float:
    """Return user and system seconds of one run, children included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def commands() -> dict[str, list[str]]:
    """Return the interpreter alone, our answers, and the peers that are installed."""
    found = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "import click": [sys.executable, "-c", "import click"],
        "sizewise memory --json": [sys.executable, *ANSWER],
        "sizewise memory --on rtx-4090 (table)": [sys.executable, *ANSWER[:-1], "--on", "rtx-4090"],
    }
    return found | {name: list(command) for name, command in PEERS.items() if shutil.which(command[0])}


def main() -> None:
    """Measure in turn and print medians with their ratio to the bare interpreter."""
    times: dict[str, list[float]] = {name: [] for name in commands()}
    for _ in range(RUNS):
        for name, command in commands().items():
            times[name].append(cpu_seconds(command))
    floor = statistics.median(times["python -c pass"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:40} {median * 1000:7.0f} ms CPU  {median / floor:6.1f} × python -c pass")


if __name__ == "__main__":
    main()
