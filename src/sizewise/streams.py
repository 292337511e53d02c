"""Write to standard output and standard error whatever they are: a terminal, a closed pipe, a full disk.

What the output's encoding cannot hold is written in ASCII: bars with other glyphs, letters as escapes.
"""

import errno
import os
import sys

from sizewise.errors import InputError
from sizewise.escaping import escape

_GLYPHS = str.maketrans({"█": "#", "▓": "=", "▒": "-", "░": ".", "×": "x", "·": "-", "…": "...", "–": "-"})


def on_terminal() -> bool:
    """Tell whether standard output is a terminal."""
    return sys.stdout is not None and sys.stdout.isatty()


def write_answer(text: str) -> None:
    """Write an answer to standard output; a reader that went away is no error.

    Raises InputError (disk_full, unwritable).
    """
    if sys.stdout is None:
        return
    try:
        try:
            sys.stdout.write(text)
        except UnicodeEncodeError:
            sys.stdout.write(_encodable(text, sys.stdout.encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        silence_output()
    except OSError as error:
        silence_output()
        code = "disk_full" if error.errno == errno.ENOSPC else "unwritable"
        raise InputError(code, f"standard output cannot be written: {error.strerror}") from None


def write_message(line: str) -> None:
    """Write one line to standard error; where that is closed or full there is nobody to tell."""
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(escape(line) + "\n")
        sys.stderr.flush()
    except (OSError, ValueError, UnicodeEncodeError):
        return


def silence_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not complain at its end."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError, AttributeError):
        return


def _encodable(text: str, encoding: str) -> str:
    """Return the text with what an encoding cannot hold replaced."""
    return text.translate(_GLYPHS).encode(encoding, "backslashreplace").decode(encoding)
