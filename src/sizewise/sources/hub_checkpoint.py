"""The checkpoint of a model on the hub: the headers of its files, not its weights.

Requests of a model without redirects: config.json and model.safetensors make 2; config.json, a missing
model.safetensors, the index and N shards make 3 + N. More than 6 shards are not opened unless asked
for: the index tells the bytes, the config the rest, so that no answer takes 10 requests.
"""

import os
import re
from dataclasses import dataclass

from sizewise.errors import InputError, did_you_mean
from sizewise.escaping import shorten
from sizewise.listing import Listing
from sizewise.sources.http_status import FileMissingError
from sizewise.sources.hub import JSON_BYTES, HubRepository
from sizewise.sources.ranges import BytesReader
from sizewise.sources.safetensors import read_header
from sizewise.sources.shard_index import ShardIndex, read_index, read_shards
from sizewise.sources.sniff import sniff

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
OPENED_SHARDS = 6
_PICKLES = ("pytorch_model.bin.index.json", "pytorch_model.bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubWeights:
    """A checkpoint on the hub. ``listing`` is None where its many shards were not opened.

    ``declared_bytes`` is the index's total_size, None for one file; it is what somebody wrote there.
    """

    shards: int
    declared_bytes: int | None
    listing: Listing | None


def hub_weights(repository: HubRepository, *, every_header: bool = False) -> HubWeights:
    """Return what the checkpoint holds; the headers of more than 6 shards only with ``every_header``.

    Shards in the cache are opened in any case. Raises HubError, and InputError as the readers do.
    """
    if repository.reference.file is not None:
        return _single(repository, chosen_file(repository, repository.reference.file))
    try:
        if repository.is_cached(SINGLE) or not repository.is_cached(INDEX):
            return _single(repository, SINGLE)
    except FileMissingError:
        pass
    try:
        return _sharded(repository, INDEX, every_header)
    except FileMissingError as missing:
        return _pickled(repository, missing, every_header)


def hub_listing(repository: HubRepository) -> Listing:
    """Return the tensors of the checkpoint, every header read, however many shards there are."""
    listing = hub_weights(repository, every_header=True).listing
    assert listing is not None
    return listing


def chosen_file(repository: HubRepository, wanted: str) -> str:
    """Return the file that a reference names after its colon: a name, or the format in a GGUF's name.

    Raises InputError (not_found) with the nearest names.
    """
    if wanted.lower().endswith((".safetensors", ".json", ".bin", ".pt", ".pth", ".gguf")):
        return wanted
    names = [name for name in repository.files() if name.lower().endswith(".gguf")]
    mark = re.compile(rf"(?<![a-z0-9]){re.escape(wanted)}(?![a-z0-9_])", re.I)
    fitting = [name for name in names if mark.search(os.path.basename(name))]
    if not fitting:
        near = did_you_mean(wanted, names) or ("; it has no GGUF files" if not names else "")
        raise InputError(
            "not_found", f"{repository.reference.repo} has no file for {shorten(wanted)!r}{near}"
        )
    return fitting[0]


def _single(repository: HubRepository, file: str) -> HubWeights:
    if file.endswith(".index.json"):
        return _sharded(repository, file, every_header=True)
    return HubWeights(shards=1, declared_bytes=None, listing=_header(repository, file))


def _sharded(repository: HubRepository, file: str, every_header: bool) -> HubWeights:
    data = repository.content(file, JSON_BYTES)
    where = f"{repository.reference.repo} {shorten(file, 80)}"
    index = read_index(BytesReader(data, name=where, size=len(data)), JSON_BYTES)
    listing = None
    if every_header or len(index.shards) <= OPENED_SHARDS or _all_cached(repository, index):
        repository.allow_shards(len(index.shards))
        folder = file.rpartition("/")[0]
        prefix = f"{folder}/" if folder else ""
        listing = read_shards(index, lambda shard: _header(repository, prefix + shard), where)
    return HubWeights(shards=len(index.shards), declared_bytes=index.total_size, listing=listing)


def _pickled(repository: HubRepository, missing: FileMissingError, every_header: bool) -> HubWeights:
    """Return the checkpoint of a repository that has no safetensors under the usual names."""
    names = repository.files()
    found = next((name for name in _PICKLES if name in names), None)
    if found is None:
        weights = [name for name in names if name.endswith((".safetensors", ".gguf", ".bin", ".pt", ".pth"))]
        shown = ", ".join(shorten(name, 60) for name in weights[:3]) or "none"
        raise InputError(
            "not_found",
            f"{repository.reference.repo} has no {SINGLE}; weights there: {shown}; name one after a colon",
        ) from missing
    return _sharded(repository, found, every_header) if found.endswith("json") else _single(repository, found)


def _all_cached(repository: HubRepository, index: ShardIndex) -> bool:
    return all(repository.is_cached(shard) for shard in index.shards)


def _header(repository: HubRepository, file: str) -> Listing:
    """Return the tensors of one file of weights, by its content."""
    with repository.opened(file) as reader:
        kind = sniff(reader)
        if kind == "safetensors":
            return read_header(reader)
        if kind == "torch_zip":
            from sizewise.sources.torch_zip import read_torch_zip

            return read_torch_zip(reader)
        raise InputError(
            "unknown_format", f"{reader.name} is a shard index where a file of weights is needed"
        )
