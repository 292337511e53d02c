"""What runs out of memory says so in one line: torch tells it in other words on each device."""

from collections.abc import Iterator
from contextlib import contextmanager

from sizewise.errors import InputError
from sizewise.escaping import shorten

_SAID = ("out of memory", "not enough memory", "can't allocate memory")


def is_memory_error(error: BaseException) -> bool:
    """Tell whether an error says that there is too little memory."""
    said = isinstance(error, RuntimeError) and any(words in str(error) for words in _SAID)
    return said or isinstance(error, MemoryError)


@contextmanager
def enough_memory(hint: str) -> Iterator[None]:
    """Raise InputError (out_of_memory) with a hint where what runs inside needs more memory than there is."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_memory_error(error):
            raise
        reason = shorten(" ".join(str(error).split()) or type(error).__name__, 160)
        raise InputError("out_of_memory", f"too little memory: {hint} ({reason})") from error
