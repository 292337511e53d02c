"""Time to list checkpoints without reading their data, as a ratio to hashing a megabyte (fixed work).

A 254 MB torch archive of 224 tensors, and a safetensors file of 100,000 tensors. Run it from the root:
``python -m benchmarks.checkpoint_headers``.
"""

import hashlib
import statistics
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from tests.corpus.writers import program, sound_st, tensor

from sizewise.sources.checkpoint import listing_of

REPEATS = 20
ROWS = 567
"""224 tensors of 567 × 500 numbers in four bytes are 254 MB."""


def seconds(work: Callable[[], object]) -> float:
    """Return the median time of one call."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def write_torch(path: Path) -> None:
    """Write an archive as torch.save does: stored, one entry per tensor."""
    tensors = {f"layers.{place}.weight": tensor(str(place), (ROWS, 500)) for place in range(224)}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", program(tensors))
        for place in range(224):
            archive.writestr(f"model/data/{place}", bytes(4 * ROWS * 500))


def write_safetensors(path: Path) -> None:
    """Write 100,000 small tensors."""
    path.write_bytes(sound_st({f"layers.{place}.weight": ("BF16", [2, 3]) for place in range(100_000)}))


def main() -> None:
    """List both files."""
    block = bytes(10**6)
    floor = seconds(lambda: hashlib.sha256(block).digest())
    with tempfile.TemporaryDirectory() as folder:
        for name, write in (("model.pt", write_torch), ("model.safetensors", write_safetensors)):
            path = Path(folder, name)
            write(path)
            taken = seconds(lambda path=path: listing_of(str(path)))  # type: ignore[misc]
            size = path.stat().st_size / 1e6
            print(f"{name:20} {size:6.0f} MB {taken * 1000:8.2f} ms  {taken / floor:7.2f} × sha256 of 1 MB")


if __name__ == "__main__":
    main()
