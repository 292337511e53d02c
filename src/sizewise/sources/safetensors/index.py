"""Read a shard index (``*.safetensors.index.json``) and the headers of the shards that it names.

The index says in which file each tensor is; the headers decide. Every tensor must be in the shard named
for it and in no other. Source: huggingface_hub, ``serialization``; transformers, ``modeling_utils``
(``weight_map``, ``metadata.total_size``).
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.listing import Listing, joined
from sizewise.notices import Notice
from sizewise.sources.ranges import RangeReader
from sizewise.sources.safetensors.json_scan import PLAIN_STRING, SPACE, STRING_LIMIT, Scanner, check_utf8

INDEX_BYTES = 32_000_000
ENTRY_LIMIT = 1_000_000
SHARD_LIMIT = 10_000
TENSOR_LIMIT = 1_000_000
_DEPTH = 64
_TOKENS = 1_000_000
_FIELD_BYTES = 1_000_000
_NAME_BYTES = 255

_ENTRY = re.compile(SPACE.join((b"", PLAIN_STRING, b":", PLAIN_STRING, b",")) + rb"|[\s\S]")
_PLAIN_NAME = re.compile(r"[^/\\:\x00-\x1f\x7f]{1,255}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShardIndex:
    """Which shard holds each tensor, and the bytes of all tensors as the index says, None if it does not."""

    weight_map: Mapping[str, str]
    total_size: int | None = None

    @property
    def shards(self) -> tuple[str, ...]:
        """The file names, sorted."""
        return tuple(sorted(set(self.weight_map.values())))


@dataclass(slots=True, kw_only=True)
class _Found:
    """What has been read of an index."""

    weight_map: dict[str, str] = field(default_factory=dict)
    total_size: int | None = None
    fields: set[str] = field(default_factory=set)


def read_index(source: RangeReader, limit: int = INDEX_BYTES) -> ShardIndex:
    """Return what an index says; no shard is opened.

    Raises InputError: header_too_large, bad_utf8, bad_json, bad_field, duplicate, path_escape, too_deep,
    too_many_entries, string_too_long, truncated, unknown_format.
    """
    assert source.size is not None
    if source.size > limit:
        raise InputError(
            "header_too_large", f"{source.name} has {source.size:,} bytes; {limit:,} at most are read"
        )
    data = source.read(0, source.size)
    check_utf8(data, source.name)
    scanner = Scanner(data=data, where=source.name, depth=_DEPTH, tokens=_TOKENS)
    found = _Found()
    scanner.expect(b"{", "a JSON object")
    more = not _closes(scanner)
    while more:
        _read_field(scanner, found)
        more = scanner.separator()
    scanner.finish()
    if "weight_map" not in found.fields:
        raise InputError("unknown_format", f"{source.name} has no weight_map; it is no shard index")
    if not found.weight_map:
        raise InputError("bad_field", f"{source.name} has an empty weight_map")
    return ShardIndex(weight_map=found.weight_map, total_size=found.total_size)


def read_shards(index: ShardIndex, read_shard: Callable[[str], Listing], where: str) -> Listing:
    """Return the tensors of all shards; ``read_shard`` gives those of one file name and is asked once each.

    Raises InputError: missing_tensor, duplicate, too_many_tensors, and what ``read_shard`` raises.
    """
    homes: dict[str, str] = {}
    listings: list[Listing] = []
    notices: list[Notice] = []
    extra = 0
    for shard in index.shards:
        listing = read_shard(shard)
        if len(homes) + len(listing.tensors) > TENSOR_LIMIT:
            raise InputError(
                "too_many_tensors", f"the shards of {where} hold more than {TENSOR_LIMIT:,} tensors"
            )
        extra += _settle(index, shard, listing, homes)
        listings.append(listing)
        notices.extend(listing.notices)
    _check_all_there(index, homes, where)
    table = joined([listing.tensors for listing in listings])
    files = tuple(file for listing in listings for file in listing.files)
    summed = Listing(tensors=table, metadata=listings[0].metadata, files=(where, *files))
    notices.extend(_doubts(index, summed.bytes, extra, where))
    return Listing(tensors=table, metadata=summed.metadata, files=summed.files, notices=tuple(notices))


def shard_path(folder: str, shard: str) -> str:
    """Return the path of a shard beside its index.

    A link may lead elsewhere only from a hub cache's snapshot to its blobs. Raises InputError:
    path_escape, missing_shard.
    """
    check_shard_name(shard, folder)
    path = os.path.join(folder, shard)
    if not os.path.exists(path):
        raise InputError(
            "missing_shard", f"{shorten(shard)!r} is not in {shorten(folder, 120)}; download it too"
        )
    home, target = os.path.realpath(folder), os.path.dirname(os.path.realpath(path))
    if target != home and not _is_blob_of(home, target):
        raise InputError(
            "path_escape", f"{shorten(shard)!r} links to a file outside of {shorten(folder, 120)}"
        )
    return path


def check_shard_name(shard: str, where: str) -> None:
    """Raise InputError (path_escape) unless a shard's name is a plain file name on every system."""
    plain = _PLAIN_NAME.fullmatch(shard) and len(shard.encode("utf-8", "surrogatepass")) <= _NAME_BYTES
    if not plain or shard.strip(". ") == "" or shard[-1] in ". ":
        raise InputError(
            "path_escape",
            f"{where} names the shard {shorten(shard)!r}; shards are plain names in the same folder",
        )


def _is_blob_of(home: str, target: str) -> bool:
    """Tell whether ``target`` is the ``blobs`` beside the ``snapshots`` that ``home`` lies in."""
    repository, name = os.path.split(target)
    return name == "blobs" and home.startswith(os.path.join(repository, "snapshots") + os.sep)


def _closes(scanner: Scanner) -> bool:
    """Step over a closing brace if one stands here."""
    closing = scanner.peek() == b"}"
    scanner.position += closing
    return closing


def _read_field(scanner: Scanner, found: _Found) -> None:
    name = scanner.key()
    if name in found.fields:
        raise InputError("duplicate", f"{scanner.where} holds {shorten(name)!r} twice")
    found.fields.add(name)
    if name == "weight_map":
        _read_weight_map(scanner, found.weight_map)
    elif name == "metadata":
        size = scanner.piece(dict, name, limit=_FIELD_BYTES).get("total_size")
        found.total_size = _whole(size, scanner.where)
    else:
        scanner.skip(limit=_FIELD_BYTES)


def _whole(size: object, where: str) -> int | None:
    """Return total_size as an integer; some writers make it a float."""
    if size is None or (type(size) is int and size >= 0):
        return size
    if isinstance(size, float) and size.is_integer() and size >= 0:
        return int(size)
    raise InputError("bad_field", f"{where}: total_size is no whole number of bytes")


def _read_weight_map(scanner: Scanner, weight_map: dict[str, str]) -> None:
    if scanner.peek() != b"{":
        raise scanner.unexpected("an object for 'weight_map'", code="bad_field")
    scanner.position += 1
    shards: dict[bytes, str] = {}
    count, more = 0, not _closes(scanner)
    while more:
        count += _read_usual(scanner, weight_map, shards)
        name = scanner.key()
        shard = scanner.piece(str, name, limit=_FIELD_BYTES)
        check_shard_name(shard, scanner.where)
        weight_map[name] = shard
        count += 1
        _check_counts(scanner, count, len(weight_map), len(shards))
        more = scanner.separator()


def _read_usual(scanner: Scanner, weight_map: dict[str, str], shards: dict[bytes, str]) -> int:
    """Read entries without escapes up to the last one or another kind; return how many."""
    position, count = scanner.position, 0
    for match in _ENTRY.finditer(scanner.data, position):
        key, file = match.group(1, 2)
        if key is None or len(key) > STRING_LIMIT:
            break
        shard = shards.get(file)
        if shard is None:
            shard = shards[file] = file.decode()
            check_shard_name(shard, scanner.where)
            _check_counts(scanner, count, count, len(shards))
        weight_map[key.decode()] = shard
        position, count = match.end(), count + 1
    scanner.position = position
    return count


def _check_counts(scanner: Scanner, entries: int, names: int, shards: int) -> None:
    if entries > ENTRY_LIMIT or shards > SHARD_LIMIT:
        raise InputError(
            "too_many_entries",
            f"{scanner.where} names more than {ENTRY_LIMIT:,} tensors or {SHARD_LIMIT:,} shards",
        )
    if names != entries:
        raise InputError("duplicate", f"{scanner.where} names a tensor twice")


def _settle(index: ShardIndex, shard: str, listing: Listing, homes: dict[str, str]) -> int:
    """Note where the tensors of a shard are; return how many the index does not name."""
    extra = 0
    for name in listing.tensors.names:
        if name in homes:
            raise InputError(
                "duplicate",
                f"tensor {shorten(name)!r} is in {shorten(homes[name])!r} and in {shorten(shard)!r}",
            )
        homes[name] = shard
        extra += name not in index.weight_map
    return extra


def _check_all_there(index: ShardIndex, homes: Mapping[str, str], where: str) -> None:
    for name, shard in index.weight_map.items():
        if homes.get(name) != shard:
            place = f"; it is in {shorten(homes[name])!r}" if name in homes else ""
            raise InputError(
                "missing_tensor", f"{where}: tensor {shorten(name)!r} is not in {shorten(shard)!r}{place}"
            )


def _doubts(index: ShardIndex, size: int, extra: int, where: str) -> Iterator[Notice]:
    if index.total_size is not None and index.total_size != size:
        said = f"{index.total_size:,}" if index.total_size < 10**20 else "more than 10^20"
        yield Notice(
            code="inconsistent",
            message=f"{where} says total_size {said}, the shards hold {size:,} bytes; the shards count",
        )
    if extra:
        yield Notice(
            code="inconsistent",
            message=f"the shards of {where} hold {extra:,} tensors that the index does not name; they count",
        )
