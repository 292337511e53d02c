"""Listing: the tensors that a checkpoint says it holds, and their sums.

Tensors are kept in columns, not as objects: 190,000 of them take some 30 MB. Storage that several
tensors share is counted once, at the first of them.
"""

from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from math import prod
from typing import overload

from sizewise.notices import Notice

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTensor:
    """One tensor of a checkpoint. ``bytes`` is its data; ``storage`` is equal for tensors that share it.

    ``counted`` are the elements and ``counted_bytes`` the bytes that no tensor before it holds too.
    """

    name: str
    dtype: str
    shape: Shape
    bytes: int
    storage: str | None = None
    counted: int
    counted_bytes: int

    @property
    def elements(self) -> int:
        """Count the elements of the shape, shared or not."""
        return prod(self.shape)


@dataclass(frozen=True, slots=True, kw_only=True)
class DtypeTotal:
    """Sums over the tensors of one dtype; shared storage counts once."""

    dtype: str
    tensors: int
    elements: int
    bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """Columns that only sources with shared storage need: its key, and what is new in each tensor."""

    storages: Sequence[str | None]
    elements: Sequence[int]
    bytes: Sequence[int]


class TensorTable(Sequence[StoredTensor]):
    """Tensors as columns: a sequence that makes a `StoredTensor` only when one is asked for."""

    __slots__ = ("_bytes", "_dtypes", "_elements", "_names", "_shapes", "_sharing")

    def __init__(
        self,
        *,
        names: Sequence[str],
        dtypes: Sequence[str],
        shapes: Sequence[Shape],
        elements: Sequence[int],
        bytes: Sequence[int],
        sharing: Sharing | None = None,
    ) -> None:
        """Take columns of equal length; ``elements`` are the products of ``shapes``."""
        self._names = names
        self._dtypes = dtypes
        self._shapes = shapes
        self._elements = elements
        self._bytes = bytes
        self._sharing = sharing

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, index: int) -> StoredTensor: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[StoredTensor, ...]: ...
    def __getitem__(self, index: int | slice) -> StoredTensor | tuple[StoredTensor, ...]:
        if isinstance(index, slice):
            return tuple(self._tensor(place) for place in range(*index.indices(len(self))))
        return self._tensor(index)

    @property
    def names(self) -> Sequence[str]:
        """The names in the order of the source."""
        return self._names

    @property
    def dtypes(self) -> Sequence[str]:
        """The dtype of each tensor."""
        return self._dtypes

    @property
    def shapes(self) -> Sequence[Shape]:
        """The shape of each tensor."""
        return self._shapes

    @property
    def stored_bytes(self) -> Sequence[int]:
        """The bytes of each tensor's data, shared or not."""
        return self._bytes

    @property
    def shares(self) -> bool:
        """Tell whether tensors may share storage here."""
        return self._sharing is not None

    @property
    def counted(self) -> Sequence[int]:
        """The elements of each tensor that no tensor before it holds."""
        return self._sharing.elements if self._sharing else self._elements

    @property
    def counted_bytes(self) -> Sequence[int]:
        """The bytes of each tensor that no tensor before it holds."""
        return self._sharing.bytes if self._sharing else self._bytes

    def storage(self, index: int) -> str | None:
        """Return the key of the storage that a tensor lies in, None where tensors share none."""
        return self._sharing.storages[index] if self._sharing else None

    def _tensor(self, index: int) -> StoredTensor:
        return StoredTensor(
            name=self._names[index],
            dtype=self._dtypes[index],
            shape=self._shapes[index],
            bytes=self._bytes[index],
            storage=self.storage(index),
            counted=self.counted[index],
            counted_bytes=self.counted_bytes[index],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the files of a model are: a ``path`` here, or a ``repository`` of the hub.

    ``file`` is one file of the repository, or the format of one; ``tag`` is how Ollama calls the model.
    """

    path: str = ""
    repository: str = ""
    revision: str = ""
    file: str = ""
    tag: str = ""


NOWHERE = Place()
"""The place of a model that has no files: a bare size, shapes, a changed configuration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a checkpoint holds: tensors, text metadata, warnings, and the files it was read from."""

    tensors: TensorTable
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)
    notices: tuple[Notice, ...] = ()
    files: tuple[str, ...] = ()
    blocks: bool = False
    """The dtypes are block types of ggml: this is a GGUF file."""

    @property
    def elements(self) -> int:
        """Count the stored elements; shared storage once."""
        return sum(self.tensors.counted)

    @property
    def bytes(self) -> int:
        """Bytes of tensor data; shared storage once."""
        return sum(self.tensors.counted_bytes)

    def by_dtype(self) -> tuple[DtypeTotal, ...]:
        """Return the sums per dtype, largest bytes first."""
        dtypes = self.tensors.dtypes
        totals = []
        for dtype in sorted(set(dtypes)):
            chosen = [found == dtype for found in dtypes]
            totals.append(
                DtypeTotal(
                    dtype=dtype,
                    tensors=sum(chosen),
                    elements=sum(compress(self.tensors.counted, chosen)),
                    bytes=sum(compress(self.tensors.counted_bytes, chosen)),
                )
            )
        return tuple(sorted(totals, key=lambda total: -total.bytes))


def joined(tables: Sequence[TensorTable]) -> TensorTable:
    """Return one table of the tensors of several files, which share no storage with each other."""
    sharing = None
    if any(table.shares for table in tables):
        sharing = Sharing(
            storages=[key for place, table in enumerate(tables) for key in _keys(place, table)],
            elements=array("q", (count for table in tables for count in table.counted)),
            bytes=array("q", (count for table in tables for count in table.counted_bytes)),
        )
    return TensorTable(
        names=[name for table in tables for name in table.names],
        dtypes=[dtype for table in tables for dtype in table.dtypes],
        shapes=[shape for table in tables for shape in table.shapes],
        elements=array("q", (prod(shape) for table in tables for shape in table.shapes)),
        bytes=array("q", (size for table in tables for size in table.stored_bytes)),
        sharing=sharing,
    )


def _keys(place: int, table: TensorTable) -> Iterator[str | None]:
    """Yield the storage keys of one file, made different from those of the others."""
    for index in range(len(table)):
        key = table.storage(index)
        yield None if key is None else f"{place}:{key}"
