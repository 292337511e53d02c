"""Block types of ggml and file types of llama.cpp: rows of facts as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sizewise.catalog.rows import normalised, tables
from sizewise.errors import InputError

FOLDER = "gguf"


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockType:
    """``bytes`` hold ``weights`` numbers of a row; ``fallback`` serves rows that blocks do not divide."""

    id: int
    name: str
    weights: int
    bytes: int
    fallback: str = ""

    def row_bytes(self, numbers: int) -> int:
        """Return the bytes of a row of whole blocks.

        >>> block_types()["q4_k"].row_bytes(4096)
        2304
        """
        return numbers // self.weights * self.bytes

    def holds(self, numbers: int) -> bool:
        """Tell whether a row of so many numbers is made of whole blocks."""
        return numbers % self.weights == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileType:
    """A mix of block types: ``block`` where no rule says otherwise."""

    id: int
    name: str
    block: str
    aliases: tuple[str, ...] = ()
    importance_matrix: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """Tensors that the rules treat alike: with a name in ``exact``, or one of ``contains`` in it.

    ``architecture`` is the only one of llama.cpp where it holds; empty: all.
    """

    name: str
    architecture: str = ""
    exact: tuple[str, ...] = ()
    contains: tuple[str, ...] = ()

    def has(self, tensor: str) -> bool:
        """Tell whether a tensor's name belongs here."""
        return tensor in self.exact or any(part in tensor for part in self.contains)


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockRule:
    """Which block type a category's tensors get (empty: the file type's own) and when.

    ``importance_matrix`` says that it holds only with one, or only without; None: with and without.
    """

    category: str
    block: str
    file_types: tuple[str, ...] = ()
    not_file_types: tuple[str, ...] = ()
    when: tuple[str, ...] = ()
    architectures: tuple[str, ...] = ()
    not_architectures: tuple[str, ...] = ()
    replaces: tuple[str, ...] = ()
    importance_matrix: bool | None = None

    def concerns(self, file_type: str, architecture: str, *, importance_matrix: bool) -> bool:
        """Tell whether the rule is about a file type and an architecture at all."""
        return (
            self.importance_matrix in (None, importance_matrix)
            and (not self.file_types or file_type in self.file_types)
            and file_type not in self.not_file_types
            and (not self.architectures or architecture in self.architectures)
            and architecture not in self.not_architectures
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SeventyShape:
    """An architecture of so many layers that llama.cpp treats as its 70B model."""

    architecture: str
    layers: int
    fewer_kv_heads: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FileTypeRules:
    """Everything that decides the block type of a tensor."""

    kept: tuple[Category, ...]
    categories: tuple[Category, ...]
    rules: tuple[BlockRule, ...]
    overrides: tuple[BlockRule, ...]
    seventy: tuple[SeventyShape, ...]
    source: str
    checked: str


@cache
def block_types() -> Mapping[str, BlockType]:
    """Return {name: block type}."""
    return {row["name"]: BlockType(**row) for row in tables(FOLDER)["block_types"]["block_type"]}


@cache
def block_types_by_id() -> Mapping[int, BlockType]:
    """Return {number in a file: block type}."""
    return {row.id: row for row in block_types().values()}


@cache
def file_types() -> Mapping[str, FileType]:
    """Return {name: file type}, in the order of the rows."""
    return {row["name"]: FileType(**_tuples(row)) for row in tables(FOLDER)["file_types"]["file_type"]}


@cache
def _file_type_names() -> Mapping[str, FileType]:
    rows = file_types().values()
    return {normalised(name): row for row in rows for name in (row.name, *row.aliases)}


def find_file_type(name: str) -> FileType | None:
    """Return the file type of a name or alias; case and punctuation do not matter.

    >>> find_file_type("Q4_K").name
    'q4_k_m'
    """
    return _file_type_names().get(normalised(name))


def file_type(name: str) -> FileType:
    """Return the file type of a name that is known to be one."""
    return file_types()[name]


@cache
def file_type_rules() -> FileTypeRules:
    """Return the rules of all file types."""
    document = tables(FOLDER)["file_types"]
    return FileTypeRules(
        kept=tuple(Category(name="kept", **_tuples(row)) for row in document["kept"]),
        categories=tuple(Category(**_tuples(row)) for row in document["category"]),
        rules=tuple(_rule(row) for row in document["rule"]),
        overrides=tuple(_rule(row) for row in document["override"]),
        seventy=tuple(SeventyShape(**row) for row in document["seventy"]),
        source=document["source"],
        checked=document["checked"],
    )


def _rule(row: Mapping[str, Any]) -> BlockRule:
    fields = _tuples(row)
    rule = BlockRule(replaces=fields.pop("from", ()), **fields)
    if rule.block and rule.block not in block_types():
        raise InputError("bad_field", f"a rule of {rule.category} names the block type {rule.block!r}")
    return rule


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
