"""The checkpoint of a model on the hub: the headers of its files, not its weights.

Requests of a model, with r = 2 where the hub redirects every file and 1 where it does not: 2r of one file;
1 + 2r of any number of shards whose index agrees with the configuration, one more where the hub's own count
has to be asked. Otherwise the headers decide, another r per shard, up to 6 shards; more are not opened
unless asked for, and the answer says so.
"""

from dataclasses import dataclass

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Listing
from sizewise.sources.http.status import FileMissingError
from sizewise.sources.hub.agreement import Predicted, agrees_in_bytes, agrees_in_count, agrees_in_names
from sizewise.sources.hub.gguf import SUFFIX, chosen_gguf, hub_gguf, is_gguf_name
from sizewise.sources.hub.repository import JSON_BYTES, HubRepository
from sizewise.sources.ranges import BytesReader
from sizewise.sources.safetensors.header import read_header
from sizewise.sources.safetensors.index import ShardIndex, read_index, read_shards
from sizewise.sources.sniff import sniff

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
OPENED_SHARDS = 6
ENTRY_BYTES = 96
"""What a tensor takes in a header beside its name."""
_PICKLES = ("pytorch_model.bin.index.json", "pytorch_model.bin")


@dataclass(frozen=True, slots=True, kw_only=True)
class HubWeights:
    """A checkpoint on the hub. ``listing`` is None where its shards were not opened.

    ``declared_bytes`` is the index's total_size, None for one file; it is what somebody wrote there.
    ``agreement`` says what agrees with the configuration in place of headers, empty where nothing does;
    ``counted`` are the hub's own elements, None where it was not asked or does not say. ``file`` is the
    index, or the only file.
    """

    file: str
    shards: int
    declared_bytes: int | None
    listing: Listing | None
    agreement: str = ""
    counted: int | None = None


def hub_weights(
    repository: HubRepository, *, every_header: bool = False, prediction: Predicted | None = None
) -> HubWeights:
    """Return what the checkpoint holds; the headers of more than 6 shards only with ``every_header``.

    Where the index agrees with a prediction no header is read. Shards in the cache are opened in any case.
    Raises HubError, and InputError as the readers do.
    """
    if repository.reference.file is not None:
        wanted = repository.reference.file
        return _single(repository, chosen_gguf(repository, wanted) if is_gguf_name(wanted) else wanted)
    try:
        if repository.is_cached(SINGLE) or not repository.is_cached(INDEX):
            return _single(repository, SINGLE)
    except FileMissingError:
        pass
    file = INDEX
    try:
        index = _index(repository, file)
    except FileMissingError as missing:
        found = _pickled(repository, missing)
        if not found.endswith("json"):
            return _single(repository, found)
        index, file = _index(repository, found), found
    if every_header or _all_cached(repository, index):
        return _opened(repository, file, index)
    return _compared(repository, file, index, prediction)


def hub_listing(repository: HubRepository) -> Listing:
    """Return the tensors of the checkpoint, every header read, however many shards there are."""
    listing = hub_weights(repository, every_header=True).listing
    assert listing is not None
    return listing


def _single(repository: HubRepository, file: str) -> HubWeights:
    if file.endswith(".index.json"):
        return _opened(repository, file, _index(repository, file))
    listing = (
        hub_gguf(repository, file).listing if file.lower().endswith(SUFFIX) else _header(repository, file)
    )
    return HubWeights(file=file, shards=len(listing.files), declared_bytes=None, listing=listing)


def _index(repository: HubRepository, file: str) -> ShardIndex:
    data = repository.content(file, JSON_BYTES)
    return read_index(BytesReader(data, name=_where(repository, file), size=len(data)), JSON_BYTES)


def _compared(
    repository: HubRepository, file: str, index: ShardIndex, prediction: Predicted | None
) -> HubWeights:
    """Return the checkpoint whose index agrees with the configuration; where it does not, headers decide."""
    few = len(index.shards) <= OPENED_SHARDS
    if prediction is None:
        return _opened(repository, file, index) if few else _unopened(file, index)
    same_bytes = agrees_in_bytes(prediction, index)
    if same_bytes and agrees_in_names(prediction, index):
        return _unopened(file, index, agreement="its shard index agrees on every name and on the bytes")
    if few and not same_bytes:
        return _opened(repository, file, index)
    stored = repository.stored_elements()
    if same_bytes and agrees_in_count(prediction, stored):
        agreement = "its shard index agrees on the bytes, the hub's count on the elements"
        return _unopened(file, index, agreement, sum(stored.values()))
    if few:
        return _opened(repository, file, index)
    return _unopened(file, index, counted=sum(stored.values()) or None)


def _opened(repository: HubRepository, file: str, index: ShardIndex) -> HubWeights:
    """Return the checkpoint with the headers of all its shards."""
    repository.allow_shards(len(index.shards))
    folder = file.rpartition("/")[0]
    prefix = f"{folder}/" if folder else ""
    sizes = _header_bytes(index)
    listing = read_shards(
        index, lambda shard: _header(repository, prefix + shard, sizes[shard]), _where(repository, file)
    )
    return HubWeights(file=file, shards=len(index.shards), declared_bytes=index.total_size, listing=listing)


def _unopened(file: str, index: ShardIndex, agreement: str = "", counted: int | None = None) -> HubWeights:
    return HubWeights(
        file=file,
        shards=len(index.shards),
        declared_bytes=index.total_size,
        listing=None,
        agreement=agreement,
        counted=counted,
    )


def _header_bytes(index: ShardIndex) -> dict[str, int]:
    """Return about how long the header of each shard is, so that one request brings it."""
    sizes = dict.fromkeys(index.shards, 4096)
    for name, shard in index.weight_map.items():
        sizes[shard] += len(name) + ENTRY_BYTES
    return sizes


def _where(repository: HubRepository, file: str) -> str:
    return f"{repository.reference.repo} {shorten(file, 80)}"


def _pickled(repository: HubRepository, missing: FileMissingError) -> str:
    """Return the file to read in a repository that has no safetensors under the usual names."""
    names = repository.files()
    found = next((name for name in _PICKLES if name in names), None)
    if found is not None:
        return found
    weights = [name for name in names if name.endswith((".safetensors", ".gguf", ".bin", ".pt", ".pth"))]
    shown = ", ".join(shorten(name, 60) for name in weights[:3]) or "none"
    raise InputError(
        "not_found",
        f"{repository.reference.repo} has no {SINGLE}; weights there: {shown}; name one after a colon",
    ) from missing


def _all_cached(repository: HubRepository, index: ShardIndex) -> bool:
    return all(repository.is_cached(shard) for shard in index.shards)


def _header(repository: HubRepository, file: str, header_bytes: int = 0) -> Listing:
    """Return the tensors of one file of weights, by its content."""
    with repository.opened(file, header_bytes) as reader:
        kind = sniff(reader)
        if kind == "safetensors":
            return read_header(reader)
        if kind == "torch_zip":
            from sizewise.sources.torch_files.archive import read_torch_zip

            return read_torch_zip(reader)
        what = "a shard index" if kind == "shard_index" else "a GGUF file"
        raise InputError("unknown_format", f"{reader.name} is {what} where a file of weights is needed")
