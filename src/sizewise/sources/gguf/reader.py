"""Read the header of a GGUF file, and only that: metadata and the tensors that follow it.

A file is ``GGUF``, a version, two counts, pairs of metadata, entries of tensors, and from the next multiple
of the alignment on the data. Versions 2 and 3 are read, of either byte order.
Source: ggml ``docs/gguf.md``; llama.cpp 0.5.0, ``ggml/src/gguf.cpp``.
"""

from dataclasses import dataclass

from sizewise.errors import InputError
from sizewise.listing import Listing
from sizewise.sources.gguf.infos import INFO_BYTES, read_infos
from sizewise.sources.gguf.metadata import PAIR_BYTES, PAIRS, Metadata, read_metadata
from sizewise.sources.gguf.window import Window
from sizewise.sources.ranges import RangeReader
from sizewise.sources.sniff import refuse_known

MAGIC = b"GGUF"
VERSIONS = (2, 3)
TENSORS = 1_000_000
PREFIX_BYTES = 8
COUNTS_BYTES = 16
HALF = 2**16


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counted:
    """Something that a file counts: the bytes that one takes at least, and how many are read."""

    name: str
    least_bytes: int
    most: int
    code: str


PAIR = _Counted(name="pairs of metadata", least_bytes=PAIR_BYTES, most=PAIRS, code="too_many_entries")
TENSOR = _Counted(name="tensors", least_bytes=INFO_BYTES, most=TENSORS, code="too_many_tensors")


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufFile:
    """What the header of a file, or of all parts of a split one, says."""

    metadata: Metadata
    listing: Listing


def read_gguf(source: RangeReader, *, left_out: int = 0) -> GgufFile:
    """Return metadata and tensors of one file; reads the header and some bytes ahead of it.

    ``left_out`` are the bytes of the file's header that the source lacks.

    Raises InputError: truncated, bad_magic, unsupported_version, too_many_tensors, too_many_entries,
    header_too_large, and the codes of `read_metadata` and `read_infos`.
    """
    big_endian = _is_big_endian(source)
    window = Window(source, PREFIX_BYTES, big_endian=big_endian)
    if window.remaining < COUNTS_BYTES:
        raise window.short(COUNTS_BYTES)
    tensors, pairs = window.uint64(), window.uint64()
    _check_count(window, pairs, PAIR)
    _check_count(window, tensors, TENSOR)
    metadata = read_metadata(window, pairs)
    _check_count(window, tensors, TENSOR)
    infos = read_infos(window, tensors, metadata.alignment)
    _check_end(window, window.place + left_out, metadata.alignment, infos.end)
    return GgufFile(
        metadata=metadata, listing=Listing(tensors=infos.table, files=(source.name,), blocks=True)
    )


def _is_big_endian(source: RangeReader) -> bool:
    """Check magic and version; tell the byte order, in which the version is small."""
    assert source.size is not None
    start = source.read(0, min(PREFIX_BYTES, source.size))
    if not start.startswith(MAGIC[: len(start)]):
        refuse_known(start, source.name)
        raise InputError("bad_magic", f"{source.name} does not start with GGUF; download it again")
    if len(start) < PREFIX_BYTES:
        raise InputError("truncated", f"{source.name} has {source.size} bytes; a GGUF file starts with 24")
    version = int.from_bytes(start[4:], "little")
    big_endian = version != 0 and version % HALF == 0
    if big_endian:
        version = int.from_bytes(start[4:], "big")
    if version not in VERSIONS:
        raise InputError(
            "unsupported_version",
            f"{source.name} is GGUF version {version:,}; {VERSIONS[0]} and {VERSIONS[1]} are read; convert "
            "it again with a current llama.cpp",
        )
    return big_endian


def _check_count(window: Window, count: int, kind: _Counted) -> None:
    """Check a count against the bytes that are left, then against the limit."""
    said = f"{window.name} announces {count:,} {kind.name}"
    if count > window.remaining // kind.least_bytes:
        raise InputError("truncated", f"{said} in {window.size:,} bytes; it is damaged")
    if count > kind.most:
        raise InputError(kind.code, f"{said}; {kind.most:,} at most are read")


def _check_end(window: Window, place: int, alignment: int, end: int) -> None:
    """Check that all data is there behind a header up to a place; after the last tensor stands padding."""
    start = -(-place // alignment) * alignment
    if end and start + end > window.size:
        missing = start + end - window.size
        raise InputError("truncated", f"{window.name} lacks its last {missing:,} bytes; download it again")
