"""Read what a torch checkpoint (``*.pt``, ``*.pth``, ``*.bin``) holds, without torch and without its data.

The archive holds ``<name>/data.pkl``, a program that describes the tensors, and ``<name>/data/<key>``, the
storages, of which only the directory's sizes are read. Source: torch 2.13, ``torch/serialization.py``.
"""

from array import array
from collections.abc import Iterator, Mapping
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Listing, Sharing, TensorTable
from sizewise.notices import Notice
from sizewise.sources.ranges import RangeReader
from sizewise.sources.torch_files.values import Storage, View
from sizewise.sources.torch_files.views import count_views, expanded
from sizewise.sources.torch_files.walk import run_pickle
from sizewise.sources.torch_files.zip_directory import ZipEntry, read_directory, unpack

PICKLE_BYTES = 64_000_000
FREE_TENSORS = 50_000
TENSORS_PER_ENTRY = 4
DEPTH_LIMIT = 1_000
_PROGRAM = "data.pkl"

Named = tuple[str, View]


def read_torch_zip(source: RangeReader) -> Listing:
    """Return the tensors of a checkpoint that ``torch.save`` wrote; shared storage counts once.

    Raises InputError: zip_invalid, zip_bomb, blocked_global, blocked_opcode, unsupported_format,
    missing_tensor, too_many_tensors, too_deep, string_too_long, and those of `read_directory` and
    `run_pickle`.
    """
    entries = read_directory(source)
    program = _program(entries, source.name)
    data = unpack(source, program, entries[program], PICKLE_BYTES)
    limit = FREE_TENSORS + TENSORS_PER_ENTRY * len(entries)
    machine = run_pickle(data, f"{source.name}: {_PROGRAM}", tensor_limit=limit)
    _check_storages(machine.storages, entries, program.removesuffix(_PROGRAM), source.name)
    found = list(tensors_in(machine.result, source.name, 2 * len(data) + 1_000_000))
    if not found:
        raise InputError("unsupported_format", f"{source.name} holds no tensor")
    return listed(found, source.name)


def listed(found: list[Named], name: str) -> Listing:
    """Return a listing of named views."""
    views = [view for _, view in found]
    counted = count_views(views)
    sharing = Sharing(
        storages=[view.storage.key if view.storage else None for view in views],
        elements=array("q", counted.elements),
        bytes=array("q", counted.bytes),
    )
    table = TensorTable(
        names=[name for name, _ in found],
        dtypes=[view.element.dtype for view in views],
        shapes=[view.shape for view in views],
        elements=array("q", (view.elements for view in views)),
        bytes=array(
            "q", (-(-view.elements * view.element.bits // 8) if view.storage else 0 for view in views)
        ),
        sharing=sharing,
    )
    return Listing(tensors=table, notices=tuple(_notices(views, counted.uncertain, name)), files=(name,))


def tensors_in(answer: Any, where: str, name_characters: int) -> Iterator[Named]:
    """Yield the tensors in nested dictionaries, lists and tuples, breadth first, each object once.

    Raises InputError: too_deep, string_too_long (names together over ``name_characters``).
    """
    level: list[tuple[str, Any]] = [("", answer)]
    visited: set[int] = set()
    for _ in range(DEPTH_LIMIT):
        below: list[tuple[str, Any]] = []
        for name, value in level:
            if type(value) is View:
                yield name or "tensor", value
                continue
            if id(value) in visited:
                continue
            visited.add(id(value))
            for key, child in _children(value):
                full = f"{name}.{key}" if name else str(key)
                name_characters -= len(full)
                if name_characters < 0:
                    raise InputError(
                        "string_too_long", f"{where} holds names that nest into millions of letters"
                    )
                below.append((full, child))
        if not below:
            return
        level = below
    raise InputError("too_deep", f"{where} nests deeper than {DEPTH_LIMIT:,} levels")


def _children(value: Any) -> list[tuple[Any, Any]]:
    """Return the parts of a container that can hold tensors."""
    if type(value) not in (dict, list, tuple):
        return []
    pairs = value.items() if type(value) is dict else enumerate(value)
    return [
        (f"item{place}" if type(key) is tuple else key, child)
        for place, (key, child) in enumerate(pairs)
        if type(child) in (dict, list, tuple, View)
    ]


def _program(entries: Mapping[str, ZipEntry], where: str) -> str:
    """Return the name of the one ``data.pkl`` in the archive."""
    found = [name for name in entries if name == _PROGRAM or name.endswith("/" + _PROGRAM)]
    if not found:
        raise InputError(
            "zip_invalid", f"{where} is a zip archive without data.pkl; it is no torch checkpoint"
        )
    if len(found) > 1:
        raise InputError("zip_invalid", f"{where} holds {len(found)} files named data.pkl")
    folder = found[0].removesuffix(_PROGRAM)
    if folder + "constants.pkl" in entries:
        raise InputError(
            "unsupported_format", f"{where} is a TorchScript program; save its state_dict() as safetensors"
        )
    return found[0]


def _check_storages(
    storages: Mapping[str, Storage], entries: Mapping[str, ZipEntry], folder: str, where: str
) -> None:
    for key, storage in storages.items():
        entry = entries.get(f"{folder}data/{key}")
        if entry is None:
            raise InputError("missing_tensor", f"{where} lacks the data of storage {shorten(key)!r}")
        if entry.size < storage.bytes:
            raise InputError(
                "size_mismatch",
                f"{where}: storage {shorten(key)!r} has {entry.size:,} bytes, not {storage.bytes:,}",
            )


def _notices(views: list[View], uncertain: int, where: str) -> Iterator[Notice]:
    if uncertain:
        yield Notice(
            code="inconsistent",
            message=f"{where}: tensors of {uncertain:,} storages may overlap; the count is an upper bound",
        )
    if repeated := expanded(views):
        yield Notice(
            code="inconsistent",
            message=f"{where}: {repeated:,} tensors repeat elements of a smaller storage, which count once",
        )
    if any(view.storage is None for view in views):
        yield Notice(
            code="inconsistent", message=f"{where} holds tensors without data; their shapes are counted"
        )
