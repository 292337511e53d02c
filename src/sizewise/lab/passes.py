"""What a model's own code raises, said in one line: its classes, shapes and weights are no work of ours."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sizewise.errors import InputError, SizewiseError
from sizewise.escaping import shorten
from sizewise.lab.memory import is_memory_error


@contextmanager
def told(module: Any, what: str) -> Iterator[None]:
    """Turn what a module raises while ``what`` is done with it into InputError (bad_data).

    What lacks memory is left as it is, for `enough_memory`.
    """
    try:
        yield
    except SizewiseError:
        raise
    except Exception as error:
        if is_memory_error(error):
            raise
        reason = shorten(f"{type(error).__name__}: {error}", 240)
        raise InputError("bad_data", f"{what} of {type(module).__name__} failed: {reason}") from error


def logits_of(module: Any, ids: Any) -> Any:
    """Return the logits [B, S, V] of a model of language. Raises InputError (bad_data) where it fails."""
    with told(module, "a forward pass"):
        return module(input_ids=ids, use_cache=False).logits
