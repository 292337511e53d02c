"""The known hostile checkpoints and the sound ones beside them, written at test time.

``python -m tests.corpus.build FOLDER`` writes them all and prints what is expected of each.
"""

import json
import os
import struct
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from .cases_gguf import gguf_cases, gguf_sets
from .cases_safetensors import safetensors_cases
from .cases_torch import torch_cases
from .writers import sound_st
from .writers_gguf import TEXT, gguf, kv, ti

Write = Callable[[Path], None]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file or folder, and what reading ``path`` has to end in.

    ``codes``: the errors that are right; ``total``: the elements that are right; ``flagged``: the total
    comes with a notice.
    """

    path: str
    codes: tuple[str, ...] = ()
    total: int | None = None
    flagged: bool = False


def build(folder: Path) -> list[Case]:
    """Write every case into a folder."""
    cases = []
    for name, content, expect in chain(safetensors_cases(), torch_cases(), gguf_cases()):
        (folder / name).write_bytes(content)
        cases.append(_case(name, expect))
    for group in (_sparse, _indexes, _paths):
        cases.extend(group(folder))
    for names, path, expect in gguf_sets():
        for name, content in names.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        cases.append(_case(path, expect))
    return cases


def _case(path: str, expect: str | int) -> Case:
    if isinstance(expect, int):
        return Case(path=path, total=expect)
    return Case(path=path, codes=tuple(expect.split()))


def _sparse(folder: Path) -> Iterator[Case]:
    """Files that say or have sizes that nobody can read as a whole."""
    header = json.dumps({"w": {"dtype": "U8", "shape": [2**40 - 90], "data_offsets": [0, 2**40 - 90]}})
    with (folder / "tebibyte.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header.encode())
        file.truncate(8 + len(header) + 2**40 - 90)
    yield Case(path="tebibyte.safetensors", total=2**40 - 90)
    start = gguf([ti("w", [2**40], 24)], [kv("long", TEXT, b"x", length=2**39)])
    with (folder / "tebibyte.gguf").open("wb") as file:
        file.write(gguf([ti("w", [2**40], 24)]))
        file.truncate(2**40 + 4096)
    yield Case(path="tebibyte.gguf", total=2**40)
    with (folder / "long_text.gguf").open("wb") as file:
        file.write(start)
        file.truncate(2**40)
    yield Case(path="long_text.gguf", codes=("bad_field",))
    with (folder / "52MB.safetensors").open("wb") as file:
        file.write(struct.pack("<Q", 52_000_000) + b"{")
        file.truncate(52_000_008)
    yield Case(path="52MB.safetensors", codes=("header_too_large",))
    with (folder / "zeros.pt").open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(2**40)
    yield Case(path="zeros.pt", codes=("truncated", "zip_invalid"))


def _indexes(folder: Path) -> Iterator[Case]:
    halves = {"a.safetensors": ("one", 83), "b.safetensors": ("two", 89)}

    def index(name: str, content: object, *, without: str = "") -> str:
        (folder / name).mkdir()
        for file, (tensor, size) in halves.items():
            if file != without:
                (folder / name / file).write_bytes(sound_st({tensor: ("F32", [size])}))
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / name / "model.safetensors.index.json").write_text(text)
        return f"{name}/model.safetensors.index.json"

    both = {"one": "a.safetensors", "two": "b.safetensors"}
    yield Case(path=index("sound", {"metadata": {"total_size": 688}, "weight_map": both}), total=172)
    yield Case(path=index("by_folder", {"weight_map": both}).rpartition("/")[0], total=172)
    yield Case(
        path=index("lying", {"metadata": {"total_size": 1}, "weight_map": both}), total=172, flagged=True
    )
    missing = index("missing_shard", {"weight_map": both}, without="b.safetensors")
    yield Case(path=missing, codes=("missing_shard",))
    for number, shard in enumerate(ESCAPES):
        path = index(f"escape{number}", {"weight_map": {**both, "three": shard}})
        yield Case(path=path, codes=("path_escape",))
    wrong: tuple[tuple[str, object, str], ...] = (
        ("swapped", {"weight_map": {"one": "b.safetensors", "two": "a.safetensors"}}, "missing_tensor"),
        ("absent", {"weight_map": {**both, "three": "b.safetensors"}}, "missing_tensor"),
        ("no_map", {"metadata": {}}, "unknown_format"),
        ("empty_map", {"weight_map": {}}, "bad_field"),
        ("list_map", {"weight_map": []}, "bad_field"),
        ("number", {"weight_map": {"one": 1}}, "bad_field"),
        ("negative_size", {"metadata": {"total_size": -1}, "weight_map": both}, "bad_field"),
        ("broken", '{"weight_map": {"one": "a.safetensors"', "bad_json truncated"),
        ("twice", '{"weight_map": {"one": "a.safetensors", "one": "b.safetensors"}}', "duplicate"),
        ("deep", '{"x": ' + "[" * 200_000, "too_deep"),
        ("nan", '{"x": NaN, "weight_map": {"one": "a.safetensors"}}', "bad_json"),
    )
    for name, content, codes in wrong:
        yield Case(path=index(name, content), codes=tuple(codes.split()))
    index("unnamed", {"weight_map": both})
    (folder / "unnamed" / "b.safetensors").write_bytes(sound_st({"two": ("F32", [89]), "x": ("F32", [3])}))
    yield Case(path="unnamed", total=175, flagged=True)
    index("in_two", {"weight_map": both})
    (folder / "in_two" / "b.safetensors").write_bytes(sound_st({"two": ("F32", [89]), "one": ("F32", [3])}))
    yield Case(path="in_two", codes=("duplicate",))


ESCAPES = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "..",
    "sub/a.safetensors",
    "..\\a.safetensors",
    "C:a.safetensors",
    "https://example.org/a.safetensors",
    "a\0.safetensors",
    "",
    "a.safetensors.",
)


def _paths(folder: Path) -> Iterator[Case]:
    (folder / "empty").mkdir()
    yield Case(path="empty", codes=("not_found",))
    yield Case(path="nowhere.safetensors", codes=("not_found",))
    (folder / "folder.safetensors").mkdir()
    yield Case(path="folder.safetensors", codes=("not_found",))
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "x.safetensors")
        yield Case(path="x.safetensors", codes=("not_a_file",))
    if Path("/dev/zero").exists():
        yield Case(path="/dev/zero", codes=("not_a_file",))
    yield from _links(folder)


def _links(folder: Path) -> Iterator[Case]:
    """Shards behind links: out of a hub cache's snapshot into its blobs, and anywhere else."""
    cache = folder / "hub" / "models--org--name"
    snapshot, blobs = cache / "snapshots" / "abc", cache / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "1234").write_bytes(sound_st({"one": ("F32", [83])}))
    try:
        (snapshot / "a.safetensors").symlink_to("../../blobs/1234")
    except OSError:
        return
    text = json.dumps({"weight_map": {"one": "a.safetensors"}})
    (snapshot / "model.safetensors.index.json").write_text(text)
    yield Case(path="hub/models--org--name/snapshots/abc", total=83)
    outside = folder / "linked"
    outside.mkdir()
    (outside / "a.safetensors").symlink_to(blobs / "1234")
    (outside / "model.safetensors.index.json").write_text(text)
    yield Case(path="linked", codes=("path_escape",))


if __name__ == "__main__":
    for case in build(Path(sys.argv[1])):
        sys.stdout.write(f"{case}\n")
