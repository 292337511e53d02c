"""The text of a file of runs: bounded, inert, and refused where it is anything but text."""

import gzip
import hashlib
import io
import os
import zlib
from dataclasses import dataclass
from pathlib import Path

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.sources.files import read_bounded

FILE_BYTES = 2**28
UNPACKED_BYTES = 2**29

_ADVICE = "runs are read from CSV, JSON or JSONL alone (LAW21)"
_BINARY_STARTS: tuple[tuple[bytes, str], ...] = (
    (b"\x80", "a pickle, which runs code when it is loaded"),
    (b"PK\x03\x04", "a zip archive such as xlsx, npz or a torch file"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"FEA1", "a Feather file"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook"),
    (b"SQLite format 3", "a database"),
    (b"GGUF", "a GGUF checkpoint"),
    (b"(\xb5/\xfd", "compressed with zstd"),
    (b"BZh", "compressed with bzip2"),
    (b"\xfd7zXZ", "compressed with xz"),
    (b"\x1f\x8b", "compressed twice"),
    (b"%PDF", "a PDF"),
    (b"\x7fELF", "a program"),
)
_BINARY_NAMES = (
    ".pkl", ".pickle", ".pt", ".pth", ".npy", ".npz", ".parquet", ".xlsx", ".xls", ".feather", ".arrow",
    ".h5", ".hdf5", ".joblib", ".safetensors", ".gguf", ".ckpt", ".db", ".dill",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The UTF-8 ``data`` of a file, ``where`` messages place it, its bare ``stem`` and its digest."""

    data: bytes
    where: str
    stem: str
    digest: str

    @property
    def text(self) -> str:
        """All of it, without a byte order mark."""
        return self.data.decode("utf-8-sig")

    def lines(self) -> io.TextIOWrapper:
        """Line by line, with line ends as they are."""
        return io.TextIOWrapper(io.BytesIO(self.data), encoding="utf-8-sig", newline="")


def read_text(path: Path) -> Text:
    """Return the text of a regular file, unpacked where it is gzip.

    Raises InputError: not_found, not_a_file, unreadable, header_too_large, zip_bomb, truncated, bad_utf8,
    unknown_format, lfs_pointer; unsupported_format (LAW21) for pickles and everything else that is not text.
    """
    where = shorten(path.name, 80)
    _refuse_name(path.name, where)
    raw = read_bounded(os.fspath(path), FILE_BYTES)
    if len(raw) > FILE_BYTES:
        raise InputError("header_too_large", f"{where} is over {FILE_BYTES:,} bytes; give fewer rows")
    return text_of(raw, path.name)


def text_of(raw: bytes, name: str) -> Text:
    """Return the text of what a file of that name holds. Raises as `read_text` of content."""
    where = shorten(name, 80)
    data = _unpacked(raw, where) if raw.startswith(b"\x1f\x8b") else raw
    _refuse_content(data, where)
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(
            "bad_utf8", f"{where} is not UTF-8 at byte {error.start}; save it as UTF-8"
        ) from None
    digest = hashlib.sha256(raw).hexdigest()
    return Text(data=data, where=where, stem=stem_of(name), digest=digest)


def _unpacked(raw: bytes, where: str) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
            data = file.read(UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise InputError("truncated", f"{where} is no whole gzip file; download it again") from None
    if len(data) > UNPACKED_BYTES:
        raise InputError("zip_bomb", f"{where} unpacks to over {UNPACKED_BYTES:,} bytes; give fewer rows")
    return data


def _refuse_name(name: str, where: str) -> None:
    ending = next((end for end in _BINARY_NAMES if name.lower().removesuffix(".gz").endswith(end)), None)
    if ending is not None:
        raise InputError("unsupported_format", f"{where}: {ending} files are not opened; {_ADVICE}")
    if "tfevents" in name:
        raise InputError(
            "unsupported_format",
            f"{where} is an event file of TensorBoard; export its scalars as CSV or JSON",
        )


def _refuse_content(data: bytes, where: str) -> None:
    if not data.strip(b"\xef\xbb\xbf \t\r\n"):
        raise InputError("truncated", f"{where} is empty; give a file with runs")
    for start, what in _BINARY_STARTS:
        if data.startswith(start):
            raise InputError("unsupported_format", f"{where} is {what}; {_ADVICE}")
    if data.startswith(b"version https://git-lfs"):
        raise InputError("lfs_pointer", f"{where} is a Git LFS pointer, not the file; run: git lfs pull")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError("bad_utf8", f"{where} is UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise InputError("unsupported_format", f"{where} is a binary file; {_ADVICE}")
    if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        raise InputError("unknown_format", f"{where} is a web page, not runs; download the file itself")


def stem_of(name: str) -> str:
    """The name of a file without its endings.

    >>> stem_of("gpt-1.3b.csv.gz")
    'gpt-1.3b'
    """
    plain = name.removesuffix(".gz")
    return plain.rsplit(".", 1)[0] if "." in plain[1:] else plain
