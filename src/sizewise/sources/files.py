"""Read local files without trusting them: regular files only, up to a bound."""

import os
import stat

from sizewise.errors import InputError
from sizewise.escaping import shorten


def open_regular(path: str) -> int:
    """Return the descriptor of a regular file that is opened for reading; the caller closes it.

    Raises InputError: not_found, not_a_file, unreadable. Pipes and devices are refused before they
    are opened, so that none can block.
    """
    shown = shorten(path, 120)
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise InputError("not_a_file", f"{shown} is not a regular file")
        return os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise InputError("not_found", f"{shown} does not exist") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise InputError("unreadable", f"{shown} cannot be read: {reason}") from None


def read_bounded(path: str, limit: int) -> bytes:
    """Return the bytes of a regular file, at most ``limit`` + 1 of them.

    Raises InputError: not_found, not_a_file, unreadable.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        try:
            return file.read(limit + 1)
        except OSError as error:
            shown = shorten(path, 120)
            raise InputError("unreadable", f"{shown} cannot be read: {error.strerror}") from None
