"""Which configuration the metadata of a GGUF file means: rows of facts as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sizewise.catalog.rows import tables

FOLDER = "gguf"

Constant = str | int | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeChoice:
    """A model type, taken where the expression ``when`` holds (empty: always)."""

    model_type: str
    when: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufConfiguration:
    """How files of one llama.cpp architecture are read.

    ``types`` are tried in order. ``fields`` are expressions over metadata and tensors by the name of a
    field of the configuration. ``constants`` are fields as they are; ``nulls`` are null where the file does
    not say them, where other fields take the default of the class.
    """

    name: str
    types: tuple[TypeChoice, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, Constant] = field(default_factory=dict)
    nulls: tuple[str, ...] = ()


@cache
def gguf_configurations() -> Mapping[str, GgufConfiguration]:
    """Return {llama.cpp's name: how its files are read}; general rules are merged in.

    >>> gguf_configurations()["qwen3"].types[0].model_type
    'qwen3'
    """
    document = tables(FOLDER)["metadata"]
    return {row["name"]: _configuration(row, document) for row in document["architecture"]}


def _configuration(row: Mapping[str, Any], document: Mapping[str, Any]) -> GgufConfiguration:
    fields: dict[str, str] = dict(document["fields"])
    for name in row.get("like", ()):
        fields |= document["like"][name]
    fields |= row.get("fields", {})
    return GgufConfiguration(
        name=row["name"],
        types=tuple(_choice(entry) for entry in row["types"]),
        fields={name: text for name, text in fields.items() if text},
        constants=row.get("constants", {}),
        nulls=(*document["nulls"], *row.get("nulls", ())),
    )


def _choice(entry: str) -> TypeChoice:
    """Read ``type`` or ``type if expression``."""
    model_type, _, when = entry.partition(" if ")
    return TypeChoice(model_type=model_type, when=when)
