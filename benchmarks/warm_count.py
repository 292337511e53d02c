"""Time of one exact count in a warm process, as a ratio to hashing a megabyte (a fixed amount of work)."""

import hashlib
import statistics
import time
from collections.abc import Callable

import sizewise as sw
from sizewise.catalog.models import find_preset
from sizewise.sources.config_json import from_config

MODELS = ("llama-3.1-8b", "deepseek-v3", "gpt-oss-120b", "qwen3-next-80b-a3b-instruct")
REPEATS = 200


def seconds(work: Callable[[], object]) -> float:
    """Return the median time of one call."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Describe and count each model from its raw configuration."""
    block = bytes(10**6)
    floor = seconds(lambda: hashlib.sha256(block).digest())
    for name in MODELS:
        preset = find_preset(name)
        assert preset is not None
        config = dict(preset.config)
        taken = seconds(lambda config=config: sw.parameter_count(from_config(config, name="", origin="")))  # type: ignore[misc]
        print(f"{name:30} {taken * 1000:6.3f} ms  {taken / floor:5.2f} × sha256 of 1 MB")


if __name__ == "__main__":
    main()
