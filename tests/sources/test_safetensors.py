"""The safetensors reader: what it reads of a file, and that order and form of a header do not matter."""

import json
import random
from pathlib import Path

import pytest

from sizewise.errors import InputError
from sizewise.listing import DtypeTotal
from sizewise.sources.checkpoint import listing_of
from sizewise.sources.ranges import BytesReader, LocalFile
from sizewise.sources.safetensors.header import HeaderLimits, read_header

from ..corpus.writers import entries, sound_st, st

TENSORS = {
    "model.embed_tokens.weight": ("BF16", [1000, 64]),
    "model.norm.weight": ("F32", [64]),
    "model.step": ("I64", []),
    "model.empty": ("F32", [0, 8]),
}


class Recorder:
    """A source that remembers what was asked of it."""

    name = "x.safetensors"

    def __init__(self, start: bytes, size: int | None) -> None:
        self.size = size
        self.asked: list[tuple[int, int]] = []
        self._inner = BytesReader(start, name=self.name, size=size)

    def read(self, start: int, length: int) -> bytes:
        self.asked.append((start, length))
        return self._inner.read(start, length)


def test_a_listing_by_hand() -> None:
    data = sound_st(TENSORS, {"format": "pt"})
    listing = read_header(BytesReader(data, name="x", size=len(data)))
    assert listing.elements == 64_000 + 64 + 1
    assert listing.bytes == 128_000 + 256 + 8
    assert listing.metadata == {"format": "pt"}
    assert listing.files == ("x",)
    assert listing.by_dtype() == (
        DtypeTotal(dtype="BF16", tensors=1, elements=64_000, bytes=128_000),
        DtypeTotal(dtype="F32", tensors=2, elements=64, bytes=256),
        DtypeTotal(dtype="I64", tensors=1, elements=1, bytes=8),
    )
    first = listing.tensors[0]
    assert (first.name, first.dtype, first.shape) == ("model.embed_tokens.weight", "BF16", (1000, 64))
    assert (first.elements, first.counted, first.bytes, first.counted_bytes) == (
        64_000,
        64_000,
        128_000,
        128_000,
    )
    assert first.storage is None
    assert [tensor.name for tensor in listing.tensors[-2:]] == ["model.step", "model.empty"]


@pytest.mark.parametrize("size", [2**40, None])
def test_only_the_header_is_read(size: int | None) -> None:
    elements = (size or 2**40) - 100
    header = st({"w": {"dtype": "U8", "shape": [elements], "data_offsets": [0, elements]}})
    source = Recorder(header, None if size is None else len(header) + elements)
    assert read_header(source).elements == elements
    assert source.asked == [(0, 8), (8, len(header) - 8)]


def test_nothing_is_read_when_the_length_is_over_the_limit() -> None:
    source = Recorder(st(b"{}", n=2**40), None)
    with pytest.raises(InputError, match=r"header_too_large.*25,000,000"):
        read_header(source)
    assert source.asked == [(0, 8)]


def test_other_limits_hold() -> None:
    data = sound_st(TENSORS)
    source = BytesReader(data, name="x", size=len(data))
    with pytest.raises(InputError, match="header_too_large"):
        read_header(source, HeaderLimits(header_bytes=100, tensors=9, depth=32))
    with pytest.raises(InputError, match="too_many_tensors"):
        read_header(source, HeaderLimits(header_bytes=9999, tensors=3, depth=32))


def test_order_and_form_do_not_matter() -> None:
    rows = entries(TENSORS)
    end = max(row["data_offsets"][1] for row in rows.values())
    found = set()
    for seed in range(50):
        source = random.Random(seed)
        names = source.sample(list(rows), len(rows))
        mixed = {name: dict(source.sample(list(rows[name].items()), 3)) for name in names}
        text = json.dumps(mixed, indent=source.choice((None, 1, 4))).encode()
        header = st(source.choice((text, text.replace(b"model", rb"\u006dodel"), b"\n" + text + b"  ")))
        listing = read_header(BytesReader(header, name="x", size=len(header) + end))
        tensors = {(tensor.name, tensor.dtype, tensor.shape, tensor.bytes) for tensor in listing.tensors}
        found.add((listing.elements, listing.bytes, frozenset(tensors)))
    assert len(found) == 1


def test_bytes_that_are_not_here_are_truncated() -> None:
    with pytest.raises(InputError, match="truncated"):
        BytesReader(b"abc", name="x").read(2, 5)


def test_a_file_that_shrinks_is_truncated(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(sound_st(TENSORS))
    with LocalFile(str(path)) as file:
        path.write_bytes(b"\x08")
        with pytest.raises(InputError, match="truncated"):
            read_header(file)
        with pytest.raises(InputError, match=r"truncated.*changed"):
            file.check_unchanged()


def test_a_folder_means_its_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.safetensors").write_bytes(sound_st({"a": ("F32", [7])}))
    assert listing_of(str(tmp_path)).elements == 7
    (tmp_path / "other.safetensors").write_bytes(sound_st({"a": ("F32", [8])}))
    with pytest.raises(InputError, match=r"inconsistent.*other\.safetensors, tokenizer"):
        listing_of(str(tmp_path))
    (tmp_path / "model.safetensors").write_bytes(sound_st({"a": ("F32", [9])}))
    assert listing_of(str(tmp_path)).elements == 9


def test_each_shard_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    for name in "ab":
        (tmp_path / f"{name}.safetensors").write_bytes(
            sound_st({f"{name}{place}": ("F32", [3]) for place in range(9)})
        )
    index = {f"{name}{place}": f"{name}.safetensors" for name in "ab" for place in range(9)}
    path = tmp_path / "model.safetensors.index.json"
    path.write_text(json.dumps({"metadata": {"total_size": 216.0}, "weight_map": index}))

    class Counting(LocalFile):
        def __init__(self, path: str) -> None:
            opened.append(Path(path).name)
            super().__init__(path)

    monkeypatch.setattr("sizewise.sources.checkpoint.LocalFile", Counting)
    listing = listing_of(str(path))
    assert (listing.elements, listing.notices) == (54, ())
    assert opened == ["model.safetensors.index.json", "a.safetensors", "b.safetensors"]
    assert [Path(file).name for file in listing.files] == opened
