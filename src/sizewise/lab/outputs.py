"""Folders that are written whole or not at all: beside their place first, then moved into it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sizewise.errors import InputError, unwritable
from sizewise.escaping import shorten

FULL = "No space left on device"
"""How packages that are no Python say that the disk is full."""


def check_absent(path: str, *, force: bool = False) -> None:
    """Raise InputError (exists) where ``path`` is there already and may not be replaced."""
    if os.path.lexists(path) and not force:
        raise InputError(
            "exists", f"{shorten(path, 120)} exists; choose another name, or add --force to replace it"
        )


def check_elsewhere(path: str, *sources: str) -> None:
    """Raise InputError (replaces_source) where writing ``path`` would replace what is read, or what holds it.

    Empty sources are none.
    """
    parent, name = os.path.split(os.path.abspath(path))
    target = os.path.join(os.path.realpath(parent), name)
    read = [os.path.realpath(source) for source in sources if source]
    if any(one == target or one.startswith(os.path.join(target, "")) for one in read):
        raise InputError(
            "replaces_source",
            f"{shorten(path, 120)} is or holds what is read; choose another place for the result",
        )


@contextmanager
def whole_folder(path: str, *, force: bool = False) -> Iterator[str]:
    """Yield a new folder beside ``path`` that takes its place once all of it is on the disk.

    After any failure or interrupt the new folder is gone and ``path`` is as it was. Raises InputError:
    exists (without ``force``), disk_full, unwritable.
    """
    check_absent(path, force=force)
    target = os.path.abspath(path)
    temporary = f"{target}.{os.getpid()}.tmp"
    parents = _absent_parents(target)
    try:
        os.makedirs(temporary)
        yield temporary
        _synchronize(temporary)
        check_absent(path, force=force)
        _move(temporary, target)
    except OSError as error:
        raise unwritable(shorten(path, 120), error) from error
    except Exception as error:
        if FULL in str(error):
            raise InputError("disk_full", f"{shorten(path, 120)} cannot be written: {FULL}") from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        for parent in parents:
            with suppress(OSError):  # it holds the result, or another's
                os.rmdir(parent)


def remove_leftovers(path: str) -> None:
    """Remove what runs that were killed left beside ``path``; those of processes that still run stay."""
    target = os.path.abspath(path)
    folder, name = os.path.split(target)
    for found in os.listdir(folder) if os.path.isdir(folder) else ():
        pid = found.removeprefix(f"{name}.").removesuffix(".tmp")
        if found == f"{name}.{pid}.tmp" and pid.isdigit() and not _runs(int(pid)):
            place = os.path.join(folder, found)
            if os.path.isdir(place):
                shutil.rmtree(place, ignore_errors=True)
            else:
                os.unlink(place)


def _runs(pid: int) -> bool:
    """Tell whether a process runs; where that cannot be asked without harm, say that it does."""
    if os.name != "posix":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _absent_parents(target: str) -> list[str]:
    """Return the folders above a place that are not there yet, the deepest first."""
    found = []
    parent = os.path.dirname(target)
    while not os.path.lexists(parent):
        found.append(parent)
        parent = os.path.dirname(parent)
    return found


def _move(temporary: str, target: str) -> None:
    """Put a folder in the place of another one or of a file; what was there goes only afterwards."""
    if not os.path.lexists(target):
        os.rename(temporary, target)
        return
    aside = f"{temporary}.old"
    os.rename(target, aside)
    try:
        os.rename(temporary, target)
    except BaseException:
        os.rename(aside, target)
        raise
    if os.path.isdir(aside) and not os.path.islink(aside):
        shutil.rmtree(aside, ignore_errors=True)
    else:
        os.unlink(aside)


def _synchronize(folder: str) -> None:
    """Wait until every file of a folder is on the disk."""
    for parent, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                os.fsync(file.fileno())
