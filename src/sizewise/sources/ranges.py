"""Bytes by range: what a header reader asks of a file, a hub or an upload."""

import os
import stat
from types import TracebackType
from typing import Protocol, Self

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.sources.files import open_regular


class RangeReader(Protocol):
    """A source of bytes that is never read as a whole. ``size`` is in bytes, None when it is unknown."""

    @property
    def name(self) -> str:
        """What messages call the source."""

    @property
    def size(self) -> int | None:
        """Bytes of the whole file."""

    def read(self, start: int, length: int) -> bytes:
        """Return exactly ``length`` bytes from ``start``, or raise InputError (truncated)."""


class BytesReader:
    """Bytes that are already here: the start of a file, and the size of all of it if that is known."""

    def __init__(self, data: bytes, *, name: str, size: int | None = None) -> None:
        self.name = name
        self.size = size
        self._data = data

    def read(self, start: int, length: int) -> bytes:
        """Return exactly ``length`` bytes from ``start``."""
        found = self._data[start : start + length]
        if len(found) != length:
            raise _short(self.name, start, length)
        return found


class LocalFile:
    """A regular local file, opened once; a context manager.

    Raises InputError: not_found, not_a_file, unreadable on opening, truncated when the file changes
    while it is read.
    """

    def __init__(self, path: str) -> None:
        self.name = shorten(path, 120)
        self._descriptor = open_regular(path)
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            os.close(self._descriptor)
            raise InputError("not_a_file", f"{self.name} is not a regular file")
        self.size = status.st_size
        self._changed = status.st_mtime_ns

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)

    def read(self, start: int, length: int) -> bytes:
        """Return exactly ``length`` bytes from ``start``; a short read means that the file changed."""
        try:
            os.lseek(self._descriptor, start, os.SEEK_SET)
            found = b"".join(self._pieces(length))
        except (OSError, ValueError, OverflowError) as error:
            reason = getattr(error, "strerror", None) or "not a usable range"
            raise InputError("unreadable", f"{self.name} cannot be read: {reason}") from None
        if len(found) != length:
            raise _short(self.name, start, length)
        return found

    def check_unchanged(self) -> None:
        """Raise InputError (truncated) when the file changed since it was opened."""
        status = os.fstat(self._descriptor)
        if (status.st_size, status.st_mtime_ns) != (self.size, self._changed):
            raise InputError("truncated", f"{self.name} changed while it was read; try again")

    def _pieces(self, length: int) -> list[bytes]:
        pieces = []
        while length:
            piece = os.read(self._descriptor, length)
            if not piece:
                break
            pieces.append(piece)
            length -= len(piece)
        return pieces


def _short(name: str, start: int, length: int) -> InputError:
    return InputError(
        "truncated",
        f"{name} ends before byte {start + length:,}; download it again or wait until it is written",
    )
