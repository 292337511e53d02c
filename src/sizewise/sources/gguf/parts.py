"""A GGUF file in parts: ``name-00001-of-00003.gguf`` and on, the first of which has the metadata.

Source: llama.cpp 0.5.0, ``tools/gguf-split`` and ``llama_split_path`` in ``src/llama.cpp``.
"""

import re
from collections.abc import Callable, Sequence

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Listing, joined
from sizewise.sources.gguf.reader import TENSORS, GgufFile

_PART = re.compile(r"(?P<stem>.*)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.S | re.ASCII)
NUMBER, COUNT, TENSOR_COUNT = "split.no", "split.count", "split.tensors.count"


def part_names(name: str) -> tuple[str, ...]:
    """Return the names of all parts of the file that one part belongs to; the name itself if it is whole.

    Raises InputError (inconsistent) for part 4 of 3.

    >>> part_names("a-00002-of-00002.gguf")
    ('a-00001-of-00002.gguf', 'a-00002-of-00002.gguf')
    """
    found = _PART.fullmatch(name)
    if found is None:
        return (name,)
    number, count = int(found["number"]), int(found["count"])
    if not 1 <= number <= count:
        raise InputError("inconsistent", f"{shorten(name)} says that it is part {number:,} of {count:,}")
    return tuple(f"{found['stem']}-{place:05}-of-{count:05}.gguf" for place in range(1, count + 1))


def is_later_part(name: str) -> bool:
    """Tell whether a file is a part other than the first."""
    found = _PART.fullmatch(name)
    return found is not None and int(found["number"]) > 1


def read_parts(names: Sequence[str], read: Callable[[str], GgufFile]) -> GgufFile:
    """Return all parts as one file, with the metadata of the first.

    Raises InputError: inconsistent where a part says that it is another one, or tensors are missing;
    duplicate for a tensor in two parts; too_many_tensors; and what ``read`` raises.
    """
    parts = []
    tensors = 0
    for place, name in enumerate(names):
        part = read(name)
        _check_part(part, name, place, len(names))
        tensors += len(part.listing.tensors)
        if tensors > TENSORS:
            raise InputError("too_many_tensors", f"{shorten(name)}: its parts hold over {TENSORS:,} tensors")
        parts.append(part)
    first = parts[0]
    if len(parts) == 1:
        return first
    table = joined([part.listing.tensors for part in parts])
    _check_tensors(table.names, first, names[0])
    files = tuple(file for part in parts for file in part.listing.files)
    return GgufFile(metadata=first.metadata, listing=Listing(tensors=table, files=files, blocks=True))


def _check_part(part: GgufFile, name: str, place: int, count: int) -> None:
    """Check what a part says of itself against its name."""
    said = part.metadata.whole(COUNT)
    if count == 1 and (said or 0) <= 1:
        return
    number = part.metadata.whole(NUMBER)
    if (number, said) != (place, count):
        own = "none of several" if said is None else f"part {(number or 0) + 1:,} of {said:,}"
        named = "the whole" if count == 1 else f"part {place + 1:,} of {count:,}"
        raise InputError(
            "inconsistent", f"{shorten(name)} is named as {named} and says that it is {own}; rename it"
        )


def _check_tensors(names: Sequence[str], first: GgufFile, name: str) -> None:
    if len(set(names)) != len(names):
        raise InputError("duplicate", f"{shorten(name)}: two of its parts hold a tensor of the same name")
    announced = first.metadata.whole(TENSOR_COUNT)
    if announced is not None and announced != len(names):
        raise InputError(
            "inconsistent",
            f"{shorten(name)}: its parts hold {len(names):,} tensors, {announced:,} are announced",
        )
