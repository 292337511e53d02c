"""A place in a long header that moves forward: pieces are read when they are needed and dropped behind it.

What is skipped is not read, so that neither an array of 2^36 numbers nor a text of a gigabyte costs more
than its length. A text array has to be walked, as each length stands before its text.
"""

import struct

from sizewise.errors import InputError
from sizewise.sources.ranges import RangeReader

FIRST_PIECE = 64 * 1024
LARGEST_PIECE = 4 * 2**20
READ_LIMIT = 256 * 2**20
"""Most bytes that are read of one header; local files of 1,000,000 tensors have some 80 MB."""


class Window:
    """Reads numbers and texts one after the other; ``place`` is in bytes from the start of the file.

    Raises InputError: truncated where the file ends before what is asked for, header_too_large.
    """

    def __init__(self, source: RangeReader, place: int, *, big_endian: bool) -> None:
        """Start at a place; ``source.size`` is known."""
        assert source.size is not None
        order = ">" if big_endian else "<"
        self.name = source.name
        self.size = source.size
        self._source = source
        self._structs = {code: struct.Struct(order + code) for code in "bBhHiIqQfd"}
        self._uint64 = self._structs["Q"]
        self._data = b""
        self._begin = place
        self._at = 0
        self._piece = FIRST_PIECE
        self._read = 0

    @property
    def place(self) -> int:
        """Where the next value begins."""
        return self._begin + self._at

    @property
    def remaining(self) -> int:
        """Bytes of the file that are left."""
        return self.size - self.place

    def number(self, code: str) -> int | float:
        """Return one number; ``code`` is that of `struct`."""
        packed = self._structs[code]
        if self._at + packed.size > len(self._data):
            self._refill(packed.size)
        found: int | float = packed.unpack_from(self._data, self._at)[0]
        self._at += packed.size
        return found

    def uint32(self) -> int:
        """Return an unsigned number of 32 bits."""
        return int(self.number("I"))

    def uint64(self) -> int:
        """Return an unsigned number of 64 bits."""
        if self._at + 8 > len(self._data):
            self._refill(8)
        found: int = self._uint64.unpack_from(self._data, self._at)[0]
        self._at += 8
        return found

    def raw(self, length: int) -> bytes:
        """Return that many bytes."""
        end = self._at + length
        if end > len(self._data):
            self._refill(length)
            end = length
        found = self._data[self._at : end]
        self._at = end
        return found

    def skip(self, length: int) -> None:
        """Move on by that many bytes without reading them."""
        if length > self.remaining:
            raise self.short(length)
        if self._at + length <= len(self._data):
            self._at += length
        else:
            self._begin, self._at, self._data = self.place + length, 0, b""

    def skip_texts(self, count: int) -> None:
        """Move on by that many texts, each after its length in 64 bits."""
        done = 0
        while done < count:
            if self._at + 8 > len(self._data):
                self._refill(8)
            walked, place = self._walk(count - done)
            done += walked
            self.skip(place - self._at)

    def _walk(self, count: int) -> tuple[int, int]:
        """Walk texts whose lengths stand in this piece; return how many, and where the next begins."""
        unpack, data, place = self._uint64.unpack_from, self._data, self._at
        for walked in range(count):
            try:
                (length,) = unpack(data, place)
            except (struct.error, OverflowError):
                return walked, place
            place += 8 + length
        return count, place

    def short(self, length: int) -> InputError:
        """Return the error for something of that many bytes that the file does not hold."""
        return InputError(
            "truncated",
            f"{self.name} announces {length:,} bytes at byte {self.place:,} and has {self.size:,}; "
            "it is damaged, or still being written",
        )

    def _refill(self, needed: int) -> None:
        """Read the next piece from where the window stands, at least that many bytes."""
        if needed > self.remaining:
            raise self.short(needed)
        self._begin, self._at, self._data = self.place, 0, b""
        length = max(needed, min(self._piece, self.remaining))
        self._data = self._available(needed, length)
        self._piece = min(2 * self._piece, LARGEST_PIECE)
        self._read += len(self._data)
        if self._read > READ_LIMIT:
            raise InputError(
                "header_too_large", f"{self.name} has a header of over {READ_LIMIT:,} bytes; it is damaged"
            )

    def _available(self, needed: int, length: int) -> bytes:
        """Read ahead as far as the source goes: of an upload only the start may be here."""
        while True:
            try:
                return self._source.read(self._begin, length)
            except InputError as error:
                if error.code != "truncated" or length == needed:
                    raise
                length = max(needed, length // 2)
