"""A GGUF file on the hub: which one a reference means, and its header by range requests.

Of the file that a reference names by its type (``Q4_K_M``) the name has to carry it, or its folder; later
parts of a split file, projectors of pictures and importance matrices are no candidates.
"""

import re
from collections.abc import Iterable

from sizewise.errors import InputError, did_you_mean
from sizewise.escaping import shorten
from sizewise.sources.gguf.parts import is_later_part, part_names, read_parts
from sizewise.sources.gguf.reader import GgufFile, read_gguf
from sizewise.sources.http.status import FileMissingError
from sizewise.sources.hub.repository import HubRepository

SUFFIX = ".gguf"
_BESIDE = ("mmproj", "imatrix")
SHOWN_FILES = 4


def is_gguf_name(wanted: str) -> bool:
    """Tell whether what stands after the colon of a reference names a GGUF file or a type of one.

    >>> is_gguf_name("Q4_K_M"), is_gguf_name("model.safetensors")
    (True, False)
    """
    lowered = wanted.lower()
    return lowered.endswith(SUFFIX) or not lowered.endswith(
        (".safetensors", ".json", ".bin", ".pt", ".pth", ".ckpt")
    )


def chosen_gguf(repository: HubRepository, wanted: str) -> str:
    """Return the file that is meant by its name or by the file type in it.

    Raises InputError: not_found with the nearest names, inconsistent where several files have the type.
    """
    if wanted.lower().endswith(SUFFIX):
        return wanted
    names = [name for name in repository.files() if _is_model(name)]
    fitting = _of_type(names, wanted)
    shown = shorten(wanted)
    repo = repository.reference.repo
    if not fitting:
        near = did_you_mean(wanted, names) or _listed("; it has", names or ["no GGUF files"])
        raise InputError("not_found", f"{repo} has no file for {shown!r}{near}")
    if len(fitting) > 1:
        raise InputError(
            "inconsistent", f"{repo} has {len(fitting)} files for {shown!r}{_listed(': ', fitting)}; name one"
        )
    return fitting[0]


def hub_gguf(repository: HubRepository, file: str) -> GgufFile:
    """Return the header of a file, with those of its other parts.

    Raises HubError, and InputError: missing_shard and what the readers raise.
    """
    parts = part_names(file)
    repository.allow_shards(len(parts))
    return read_parts(parts, lambda part: _header(repository, part, several=len(parts) > 1))


def _header(repository: HubRepository, file: str, *, several: bool) -> GgufFile:
    try:
        with repository.opened(file) as reader:
            return read_gguf(reader)
    except FileMissingError as error:
        if not several:
            raise
        raise InputError("missing_shard", f"{error.message}; the repository lacks a part") from None


def _is_model(name: str) -> bool:
    lowered = name.lower()
    beside = any(word in lowered for word in _BESIDE)
    return lowered.endswith(SUFFIX) and not is_later_part(name) and not beside


def _of_type(names: Iterable[str], wanted: str) -> list[str]:
    """Return the files with a type in their own name; where none has it, those in a folder of that name."""
    mark = re.compile(rf"(?<![a-z0-9_]){re.escape(wanted)}(?![a-z0-9_])", re.I)
    split = [(name, *name.rpartition("/")[::2]) for name in names]
    named = [name for name, _, base in split if mark.search(base)]
    return named or [name for name, folder, _ in split if mark.search(folder)]


def _listed(start: str, names: list[str]) -> str:
    more = f" and {len(names) - SHOWN_FILES} more" if len(names) > SHOWN_FILES else ""
    return f"{start} {', '.join(shorten(name, 60) for name in names[:SHOWN_FILES])}{more}"
