"""Read the header of a safetensors file, and only that.

A file is ``n`` (unsigned, 64 bits, little-endian), ``n`` bytes of JSON, and the tensors without holes up
to the end of the file. Source: safetensors 0.8.0, README ("Format") and ``safetensors/src/tensor.rs``.
Stricter than that library: a name may stand once (it keeps the last), and the limits are smaller.
"""

from array import array
from dataclasses import dataclass
from itertools import pairwise

from sizewise.errors import InputError
from sizewise.listing import Listing, TensorTable
from sizewise.sources.ranges import RangeReader
from sizewise.sources.safetensors.entries import Entries, read_entries
from sizewise.sources.safetensors.json_scan import check_utf8
from sizewise.sources.sniff import refuse_known

PREFIX_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderLimits:
    """The largest header that is read: bytes, tensors and levels of JSON."""

    header_bytes: int
    tensors: int
    depth: int


LOCAL = HeaderLimits(header_bytes=25_000_000, tensors=1_000_000, depth=64)
"""As huggingface_hub's ``SAFETENSORS_MAX_HEADER_LENGTH``."""


def read_header(source: RangeReader, limits: HeaderLimits = LOCAL) -> Listing:
    """Return the tensors of a safetensors file; reads 8 + n bytes of it.

    Raises InputError: truncated, header_too_large, bad_utf8, bad_json, bad_field, unknown_dtype,
    overflow, misaligned, size_mismatch, bad_offsets, trailing_data, duplicate, too_deep,
    too_many_tensors, too_many_entries, string_too_long; and what `refuse_known` raises.
    """
    length = _header_length(source, limits)
    header = source.read(PREFIX_BYTES, length)
    check_utf8(header, source.name)
    entries = read_entries(header, source.name, tensors=limits.tensors, depth=limits.depth)
    _check_end(source, PREFIX_BYTES + length, _checked_end(entries, source.name))
    table = TensorTable(
        names=entries.names,
        dtypes=entries.dtypes,
        shapes=entries.shapes,
        elements=entries.elements,
        bytes=array("q", (end - begin for begin, end in zip(entries.begins, entries.ends, strict=True))),
    )
    return Listing(tensors=table, metadata=entries.metadata or {}, files=(source.name,))


def _header_length(source: RangeReader, limits: HeaderLimits) -> int:
    """Return n, checked against the limit and the file before anything of that size is read."""
    if source.size is not None and source.size < PREFIX_BYTES:
        raise InputError("truncated", f"{source.name} has {source.size} bytes; a header starts with 8")
    start = source.read(0, PREFIX_BYTES)
    length = int.from_bytes(start, "little")
    if length > limits.header_bytes:
        refuse_known(start, source.name)
        raise InputError(
            "header_too_large",
            f"{source.name} announces a header of {length:,} bytes; {limits.header_bytes:,} at most are read;"
            " it is damaged or no safetensors file",
        )
    if source.size is not None and PREFIX_BYTES + length > source.size:
        raise InputError(
            "truncated",
            f"{source.name} announces a header of {length:,} bytes, has {source.size:,}; download it again",
        )
    return length


def _checked_end(entries: Entries, name: str) -> int:
    """Return where the last tensor ends (bytes of data), having found neither holes nor overlaps."""
    begins, ends = entries.begins, entries.ends
    if not begins:
        return 0
    if begins[0] == 0 and begins[1:] == ends[:-1]:
        return ends[-1]
    spans = sorted(zip(begins, ends, strict=True))
    if spans[0][0] != 0:
        raise InputError("bad_offsets", f"{name}: the first tensor begins at byte {spans[0][0]:,}, not at 0")
    for (_, end), (begin, _) in pairwise(spans):
        if begin != end:
            fault = "overlap" if begin < end else "leave a hole"
            raise InputError("bad_offsets", f"{name}: tensors {fault} at byte {begin:,} of the data")
    return spans[-1][1]


def _check_end(source: RangeReader, start: int, end: int) -> None:
    if source.size is None or source.size == start + end:
        return
    if source.size < start + end:
        missing = start + end - source.size
        raise InputError("truncated", f"{source.name} lacks its last {missing:,} bytes; download it again")
    more = source.size - start - end
    raise InputError(
        "trailing_data", f"{source.name} has {more:,} bytes after the last tensor; it is damaged"
    )
