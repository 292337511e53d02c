"""The directory of a zip archive, walked by our own bounded reader; nothing is extracted.

Only what ``torch.save`` writes is accepted: one disk, no encryption, entries stored or deflated, that lie
one after the other before the directory. Source: PKWARE APPNOTE 6.3.10, sections 4.3 and 4.5.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.sources.ranges import RangeReader

DIRECTORY_BYTES = 32_000_000
RATIO_LIMIT = 200
"""Unpacked bytes per packed byte."""

_END = struct.Struct("<4s4H2LH")
_END64_PLACE = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_COMMENT_LIMIT = 65_535
_REFUSED_FLAGS = 0x2061
"""Encrypted, patched, strongly encrypted, hidden directory."""
_STORED, _DEFLATED = 0, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipEntry:
    """One entry: sizes in bytes, ``offset`` of its local header."""

    packed: int
    size: int
    offset: int
    deflated: bool
    crc: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directory:
    offset: int
    size: int
    entries: int


def read_directory(source: RangeReader) -> Mapping[str, ZipEntry]:
    """Return the entries by name.

    Raises InputError: truncated, zip_invalid, zip_bomb, too_many_entries, path_escape, duplicate.
    """
    place = _find_directory(source)
    if place.size > DIRECTORY_BYTES:
        raise InputError("too_many_entries", f"{source.name} has a directory of {place.size:,} bytes")
    if place.entries * _ENTRY.size > place.size:
        raise _invalid(source, f"its directory announces {place.entries:,} entries in {place.size:,} bytes")
    data = source.read(place.offset, place.size)
    entries = dict(_entries(data, place.entries, source))
    if len(entries) != place.entries:
        raise InputError("duplicate", f"{source.name} holds an entry twice")
    _check_places(entries, place.offset, source)
    return entries


def unpack(source: RangeReader, name: str, entry: ZipEntry, limit: int) -> bytes:
    """Return the content of an entry of at most ``limit`` bytes, packed or not.

    Raises InputError: zip_bomb, zip_invalid, truncated.
    """
    if entry.size > limit or entry.packed > limit:
        raise InputError(
            "zip_bomb", f"{source.name}: {shorten(name)} has {entry.size:,} bytes; {limit:,} at most"
        )
    header = _LOCAL.unpack(source.read(entry.offset, _LOCAL.size))
    title = source.read(entry.offset + _LOCAL.size, header[9])
    if header[0] != b"PK\x03\x04" or title != name.encode() or (header[3] == _DEFLATED) != entry.deflated:
        raise _invalid(source, f"{shorten(name)} differs from its entry in the directory")
    packed = source.read(entry.offset + _LOCAL.size + header[9] + header[10], entry.packed)
    content = _inflated(packed, entry.size) if entry.deflated else packed
    if content is None or len(content) != entry.size or zlib.crc32(content) != entry.crc:
        raise _invalid(source, f"{shorten(name)} is damaged (size or checksum)")
    return content


def _inflated(packed: bytes, size: int) -> bytes | None:
    """Return at most ``size`` + 1 unpacked bytes, None when the stream is damaged or goes on."""
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = stream.decompress(packed, size + 1)
    except zlib.error:
        return None
    return content if stream.eof and not stream.unused_data else None


def _find_directory(source: RangeReader) -> _Directory:
    assert source.size is not None
    length = min(source.size, _END.size + _COMMENT_LIMIT)
    start = source.size - length
    tail = source.read(start, length)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > length:
        raise InputError("truncated", f"{source.name} has no directory at its end; download it again")
    _, disk, first_disk, here, entries, size, offset, comment = _END.unpack_from(tail, at)
    if at + _END.size + comment != length:
        raise _invalid(source, "its end is not where its directory says")
    end = start + at
    if entries == 0xFFFF or size == 0xFFFFFFFF or offset == 0xFFFFFFFF or _is_large(source, end):
        found, end = _large_directory(source, end)
    else:
        found = _Directory(offset=offset, size=size, entries=entries)
    if disk or first_disk or here != entries or found.offset + found.size != end:
        raise _invalid(source, "its directory is not where its end says")
    return found


def _is_large(source: RangeReader, end: int) -> bool:
    """Tell whether the pointer to a directory of the 64-bit kind stands before the end record."""
    return end >= _END64_PLACE.size and source.read(end - _END64_PLACE.size, 4) == b"PK\x06\x07"


def _large_directory(source: RangeReader, end: int) -> tuple[_Directory, int]:
    """Return the directory of the 64-bit kind and where its own end record stands."""
    if not _is_large(source, end):
        raise _invalid(source, "its 64-bit directory is missing")
    _, disk, place, disks = _END64_PLACE.unpack(source.read(end - _END64_PLACE.size, _END64_PLACE.size))
    if disk or disks > 1 or place + _END64.size > end - _END64_PLACE.size:
        raise _invalid(source, "its 64-bit directory is not where its end says")
    record = _END64.unpack(source.read(place, _END64.size))
    mark, _, _, _, disk, first_disk, here, entries, size, offset = record
    if mark != b"PK\x06\x06" or disk or first_disk or here != entries:
        raise _invalid(source, "its 64-bit directory is damaged")
    return _Directory(offset=offset, size=size, entries=entries), place


def _entries(data: bytes, count: int, source: RangeReader) -> Iterator[tuple[str, ZipEntry]]:
    place = 0
    for _ in range(count):
        if place + _ENTRY.size > len(data):
            raise _invalid(source, "its directory ends early")
        row = _ENTRY.unpack_from(data, place)
        mark, _, _, flags, method, _, _, crc, packed, size, title, extra, comment = row[:13]
        start = place + _ENTRY.size
        place = start + title + extra + comment
        if mark != b"PK\x01\x02" or place > len(data):
            raise _invalid(source, "its directory is damaged")
        name = _name(data[start : start + title], source)
        if flags & _REFUSED_FLAGS or method not in (_STORED, _DEFLATED):
            raise _invalid(source, f"{shorten(name)} is encrypted or packed in an unknown way")
        sizes = [size, packed, row[16]]
        if 0xFFFFFFFF in sizes:
            sizes = _large_sizes(data[start + title : start + title + extra], sizes, source)
        entry = ZipEntry(
            size=sizes[0], packed=sizes[1], offset=sizes[2], deflated=method == _DEFLATED, crc=crc
        )
        _check_ratio(entry, name, source)
        yield name, entry
    if place != len(data):
        raise _invalid(source, "its directory holds more than it announces")


def _name(raw: bytes, source: RangeReader) -> str:
    """Return an entry's name, which is a plain relative path."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise InputError("bad_utf8", f"{source.name} holds an entry whose name is not UTF-8") from None
    if not name or name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise InputError("path_escape", f"{source.name} holds an entry named {shorten(name)!r}")
    return name


def _large_sizes(extra: bytes, sizes: list[int], source: RangeReader) -> list[int]:
    """Return size, packed size and offset with 64-bit values from the extra field where they are needed."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, place)
        if kind == 1 and place + 4 + length <= len(extra):
            values = iter(struct.unpack_from(f"<{length // 8}Q", extra, place + 4))
            found = [next(values, -1) if size == 0xFFFFFFFF else size for size in sizes]
            if -1 not in found:
                return found
        place += 4 + length
    raise _invalid(source, "an entry lacks its 64-bit sizes")


def _check_ratio(entry: ZipEntry, name: str, source: RangeReader) -> None:
    if not entry.deflated and entry.packed != entry.size:
        raise _invalid(source, f"{shorten(name)} is stored in another size than its own")
    if entry.size > RATIO_LIMIT * (entry.packed + 1):
        raise InputError(
            "zip_bomb",
            f"{source.name}: {shorten(name)} unpacks to {entry.size:,} bytes from {entry.packed:,}",
        )


def _check_places(entries: Mapping[str, ZipEntry], end: int, source: RangeReader) -> None:
    """Demand that no two entries share bytes and that all lie before the directory."""
    spans = sorted((entry.offset, entry.packed) for entry in entries.values())
    ends = [offset for offset, _ in spans[1:]] + [end]
    for (offset, packed), limit in zip(spans, ends, strict=False):
        if offset + _LOCAL.size + packed > limit:
            raise _invalid(source, f"an entry at byte {offset:,} reaches into another one")


def _invalid(source: RangeReader, reason: str) -> InputError:
    return InputError("zip_invalid", f"{source.name} is no sound zip archive: {reason}")
