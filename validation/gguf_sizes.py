"""Make rows for the golden test of GGUF sizes: what llama-quantize makes of files that exist.

Each pair is a configuration and the 16-bit GGUF file that llama.cpp's converter made of its model; only
the header of the file is read, so that sparse files with no data serve as well. No tensor is quantized.

    python validation/gguf_sizes.py --quantize build/bin/llama-quantize CONFIG.json FILE.gguf [...]

Writes a JSON line per pair: the configuration, llama.cpp's name of the architecture, a SHA-256 over
the sorted lines "name dimensions block" of the 16-bit file, and the bytes of all tensors in each file
type, with and without an importance matrix (null where the tool refuses).
"""

import argparse
import hashlib
import json
import re
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from math import prod
from pathlib import Path

from sizewise.catalog.ggml import block_types, file_types

TENSOR = re.compile(
    r"^\[ *\d+/ *\d+\] +(\S+) +- \[([^\]]*)\], type = +(\w+),.*?(?:\((\w+)\))?$", re.MULTILINE
)
ARCHITECTURE = re.compile(r"general\.architecture str += (\S+)")


def importance_matrix(folder: Path) -> Path:
    """Write a matrix of one entry: its presence changes rules, its numbers are not read in a dry run."""
    name, path = b"blk.0.attn_q.weight", folder / "made_up.dat"
    entry = struct.pack("<i", len(name)) + name + struct.pack("<ii4f", 1, 4, 1, 1, 1, 1)
    path.write_bytes(struct.pack("<i", 1) + entry + struct.pack("<ii", 1, 1) + b"x")
    return path


def dry_run(tool: Path, file: Path, file_type: str, matrix: Path | None) -> str | None:
    """Return what the tool prints, None where it refuses."""
    given = ["--imatrix", str(matrix)] if matrix else []
    command = [str(tool), "--dry-run", *given, str(file), "unwritten.gguf", file_type.upper()]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    return None if done.returncode else done.stdout + done.stderr


def tensors(printed: str) -> Iterator[tuple[str, tuple[int, ...], str, str]]:
    """Yield name, dimensions (row-major), block before and block after of every tensor."""
    for name, dims, before, after in TENSOR.findall(printed):
        sizes = [int(size) for size in dims.split(",")]
        while len(sizes) > 1 and sizes[-1] == 1:
            sizes.pop()
        yield name, tuple(reversed(sizes)), before.lower(), (after or before).lower()


def total_bytes(printed: str | None) -> int | None:
    """Return the bytes of all tensors."""
    if printed is None:
        return None
    rows = ((dims, block_types()[after]) for _, dims, _, after in tensors(printed))
    return sum(prod(dims) // block.weights * block.bytes for dims, block in rows)


def row(tool: Path, config: Path, file: Path, matrix: Path) -> dict[str, object] | None:
    """Return the row of one pair, None where the tool does not read the file."""
    plain = {name: dry_run(tool, file, name, None) for name in file_types()}
    source = plain["f16"]
    if source is None:
        return None
    found = ARCHITECTURE.search(source)
    lines = sorted(f"{name} {'x'.join(map(str, dims))} {before}" for name, dims, before, _ in tensors(source))
    return {
        "name": config.stem,
        "config": json.loads(config.read_text()),
        "architecture": found[1] if found else "",
        "tensors": len(lines),
        "sha256": hashlib.sha256("\n".join(lines).encode()).hexdigest(),
        "bytes": [total_bytes(printed) for printed in plain.values()],
        "bytes_importance_matrix": [total_bytes(dry_run(tool, file, name, matrix)) for name in file_types()],
    }


def main() -> None:
    """Print a row per pair; the lists of bytes are in the order of sizewise's file types."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quantize", type=Path, required=True, help="llama.cpp's llama-quantize")
    parser.add_argument("pairs", type=Path, nargs="+", help="CONFIG.json FILE.gguf ...")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        matrix = importance_matrix(Path(folder))
        pairs = zip(arguments.pairs[::2], arguments.pairs[1::2], strict=True)
        for config, file in pairs:
            found = row(arguments.quantize, config, file, matrix)
            if found is not None:
                print(json.dumps(found, separators=(",", ":")), flush=True)


if __name__ == "__main__":
    main()
