"""Where a training stands: a file that is the last one or the one before, never a part."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from sizewise.errors import InputError, unwritable
from sizewise.escaping import shorten
from sizewise.whole_files import whole_file


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Steps done, their losses, seconds that they took, and the states of student and optimizer.

    ``run`` says what was trained how, on what: only the same run goes on from here.
    """

    steps: int
    losses: tuple[float, ...]
    seconds: float
    run: str
    student: Mapping[str, Any]
    optimizer: Mapping[str, Any]


def write_standing(path: str, standing: Standing) -> None:
    """Replace a checkpoint.

    Raises InputError: disk_full, unwritable.
    """
    fields = {name: getattr(standing, name) for name in Standing.__dataclass_fields__}
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        with whole_file(path) as temporary, open(temporary, "wb") as file:
            torch.save(fields | {"losses": list(standing.losses)}, file)
    except OSError as error:
        raise unwritable(shorten(path, 120), error) from error


def read_standing(path: str, *, run: str) -> Standing:
    """Return where a run stands; only tensors and plain values are read.

    Raises InputError: unreadable, inconsistent for a checkpoint of another run.
    """
    shown = shorten(path, 120)
    try:
        fields = torch.load(path, map_location="cpu", weights_only=True)
        standing = Standing(**fields | {"losses": tuple(fields["losses"])})
    except Exception as error:
        reason = shorten(f"{type(error).__name__}: {error}", 160)
        raise InputError("unreadable", f"{shown} is no checkpoint of this: {reason}") from error
    if standing.run != run:
        raise InputError(
            "inconsistent",
            f"{shown} is of another run (models, text or options differ); --force starts again",
        )
    return standing
