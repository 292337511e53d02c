"""How engines share a model over devices, as rows: padding of vocabularies, names that have a place."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from sizewise.catalog.rows import tables
from sizewise.units import MIB


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlaces:
    """Names of GGUF tensors, without the last word, by where llama.cpp puts them."""

    inputs: frozenset[str]
    outputs: frozenset[str]
    every_layer: frozenset[str]
    misnamed_outputs: Mapping[str, frozenset[str]]
    one_table: frozenset[str]
    experts: frozenset[str]
    dense: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FitDefaults:
    """Bytes left free on each device, the shortest context, and what a context is a multiple of."""

    margin: int
    minimum_context: int
    context_multiple: int


@cache
def vocabulary_multiple() -> int:
    """Return what the rows of a divided vocabulary are padded to a multiple of."""
    multiple: int = tables("runtimes")["sharing"]["vocabulary"]["multiple"]
    return multiple


@cache
def tensor_places() -> TensorPlaces:
    """Return where llama.cpp puts the tensors of a GGUF file."""
    row = tables("runtimes")["sharing"]["llama_cpp"]
    return TensorPlaces(
        inputs=frozenset(row["inputs"]),
        outputs=frozenset(row["outputs"]),
        every_layer=frozenset(row["every_layer"]),
        misnamed_outputs={name: frozenset(words) for name, words in row["misnamed_outputs"].items()},
        one_table=frozenset(row["one_table"]),
        experts=frozenset(row["experts"]),
        dense=frozenset(row["dense"]),
    )


@cache
def fit_defaults() -> FitDefaults:
    """Return the defaults of llama.cpp's own fitting."""
    row = tables("runtimes")["sharing"]["llama_cpp_fit"]
    return FitDefaults(
        margin=row["margin_mib"] * MIB,
        minimum_context=row["minimum_context"],
        context_multiple=row["context_multiple"],
    )
