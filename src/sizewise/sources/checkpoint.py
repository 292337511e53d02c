"""What a checkpoint on this machine holds: one file, a shard index or a folder, by its content."""

import os
from functools import partial

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Listing
from sizewise.sources.adapter import ADAPTER_FILES
from sizewise.sources.content.training_state import is_training_file
from sizewise.sources.gguf.parts import is_later_part, part_names, read_parts
from sizewise.sources.gguf.reader import MAGIC, GgufFile, read_gguf
from sizewise.sources.ranges import LocalFile
from sizewise.sources.safetensors.header import read_header
from sizewise.sources.safetensors.index import read_index, read_shards, shard_path
from sizewise.sources.sniff import sniff
from sizewise.sources.torch_files.archive import read_torch_zip

_USUAL_NAMES = (
    "model.safetensors.index.json",
    "model.safetensors",
    "diffusion_pytorch_model.safetensors.index.json",
    "diffusion_pytorch_model.safetensors",
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)
_SUFFIXES = (".safetensors.index.json", ".safetensors", ".bin.index.json", ".pt", ".pth", ".ckpt", ".gguf")


def listing_of(path: str) -> Listing:
    """Return the tensors of a checkpoint file, of a shard index with its shards, or of a folder.

    Raises InputError with the codes of `sniff` and of the readers.
    """
    if os.path.isdir(path):
        path = checkpoint_in(path)
    with LocalFile(path) as file:
        kind = sniff(file)
        if kind == "shard_index":
            index = read_index(file)
            return read_shards(index, partial(_shard, os.path.dirname(path) or "."), file.name)
    return gguf_of(path).listing if kind == "gguf" else _single(path)


def gguf_of(path: str) -> GgufFile:
    """Return the header of a GGUF file, with those of the other parts where it is one of several.

    Raises InputError: missing_shard for a part that is not there, and the codes of `read_gguf` and
    `read_parts`.
    """
    folder, name = os.path.split(path)
    return read_parts(part_names(name), lambda part: _gguf_part(os.path.join(folder, part)))


def is_gguf(path: str) -> bool:
    """Tell whether a regular file is a GGUF by its first bytes. Raises InputError as `LocalFile` does."""
    with LocalFile(path) as file:
        return file.read(0, min(len(MAGIC), file.size)) == MAGIC


def checkpoint_in(folder: str) -> str:
    """Return the path of the checkpoint in a folder: the usual names first, then the only one there is.

    Raises InputError: not_found for none, inconsistent for several, unreadable.
    """
    try:
        with os.scandir(folder) as entries:
            names = {entry.name for entry in entries}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a usable path"
        raise InputError("unreadable", f"{shorten(folder, 120)} cannot be read: {reason}") from None
    usual = next((name for name in _USUAL_NAMES if name in names), None)
    if usual is not None:
        return os.path.join(folder, usual)
    for suffix in _SUFFIXES:
        fitting = sorted(name for name in names if name.endswith(suffix) and not _is_beside(name))
        if len(fitting) == 1:
            return os.path.join(folder, fitting[0])
        if fitting:
            shown = ", ".join(shorten(name, 60) for name in fitting[:3])
            raise InputError(
                "inconsistent",
                f"{shorten(folder, 120)} holds {len(fitting)} files {suffix} ({shown}); name one of them",
            )
    raise InputError("not_found", f"the folder {shorten(folder, 120)} holds no checkpoint")


def _is_beside(name: str) -> bool:
    """Tell whether a file is beside a model: a later part, an encoder of pictures, an adapter, a training."""
    encoder = name.endswith(".gguf") and "mmproj" in name
    return encoder or is_later_part(name) or name in ADAPTER_FILES or is_training_file(name)


def _gguf_part(path: str) -> GgufFile:
    try:
        with LocalFile(path) as file:
            found = read_gguf(file)
            file.check_unchanged()
            return found
    except InputError as error:
        if error.code != "not_found":
            raise
        raise InputError("missing_shard", f"{error.message}; download all parts into one folder") from None


def _shard(folder: str, name: str) -> Listing:
    return _single(shard_path(folder, name))


def _single(path: str) -> Listing:
    with LocalFile(path) as file:
        kind = sniff(file)
        if kind in ("shard_index", "gguf"):
            what = "a shard index" if kind == "shard_index" else "a GGUF file"
            raise InputError("unknown_format", f"{file.name} is {what} where a shard is needed")
        listing = read_header(file) if kind == "safetensors" else read_torch_zip(file)
        file.check_unchanged()
        return listing
