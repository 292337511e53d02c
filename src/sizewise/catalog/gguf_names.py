"""How llama.cpp's converter names tensors, per architecture: rows of facts as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from sizewise.catalog.rows import tables

FOLDER = "gguf"

KvHeads = Literal["own", "model", "one", "all"]
"""What a file says of the KV heads of layer 0: its own (none without attention), those of any attention
layer, one (latent attention), or one for each query head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of one architecture, or of all.

    ``layer``: module in a layer -> name; ``outside``: module outside of the layers -> name; ``whole``:
    parameter in a layer -> whole name; ``pieces``: parameter -> whole names of its equal pieces along the
    outputs. An empty name drops the tensor.
    """

    layer: Mapping[str, str] = field(default_factory=dict)
    outside: Mapping[str, str] = field(default_factory=dict)
    whole: Mapping[str, str] = field(default_factory=dict)
    pieces: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufArchitecture:
    """An architecture of llama.cpp and the transformers classes that become it.

    ``variants`` are the names it has instead: "experts" for a model with experts, a class's for a model of
    that class without a layer that keeps a state. ``per_layer`` are vectors that every layer gets
    beside the parameters of the class: name -> numbers. ``rope`` names the kinds of scaled rotary
    positions that are written as a table of factors, ``rope_default`` the kind where a file names none.
    ``vocabulary`` is the most rows that the embedding keeps (the tokenizer's). ``correction`` is the name
    of the correction biases of routers that are buffers in the class. ``split_latent`` says that the
    expansion of a latent is written as keys and values. ``reshaped``: name -> word for what becomes of its
    dimensions. ``fp32`` and ``half`` are matrices that the file holds in fp32 or in 16 bits against the
    general rule. ``without_experts``: name -> name in a model without experts. ``refused`` are parameters
    that the converter does not take.
    """

    name: str
    classes: tuple[str, ...]
    names: Names
    variants: Mapping[str, str] = field(default_factory=dict)
    kv_heads: KvHeads = "model"
    per_layer: Mapping[str, int] = field(default_factory=dict)
    rope: tuple[str, ...] = ()
    rope_default: str = ""
    vocabulary: int | None = None
    correction: str = "exp_probs_b.bias"
    split_latent: bool = True
    reshaped: Mapping[str, str] = field(default_factory=dict)
    fp32: tuple[str, ...] = ()
    half: tuple[str, ...] = ()
    without_experts: Mapping[str, str] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    padded_vocabulary: bool = False
    """Tables with fewer rows than the vocabulary are filled up to it."""


@cache
def general_names() -> Names:
    """Return the names that hold for all architectures."""
    return _names(tables(FOLDER)["tensor_names"])


@cache
def fp32_names() -> frozenset[str]:
    """Return the names of matrices that a file holds in fp32 whatever its type."""
    return frozenset(tables(FOLDER)["tensor_names"]["f32"]["names"])


@cache
def gguf_architectures() -> Mapping[str, GgufArchitecture]:
    """Return {llama.cpp's name: architecture}."""
    return {row["name"]: _architecture(row) for row in tables(FOLDER)["architectures"]["architecture"]}


@cache
def gguf_architecture_of(model_class: str) -> GgufArchitecture | None:
    """Return the architecture that a transformers class becomes, None where none is known.

    >>> gguf_architecture_of("MistralForCausalLM").name
    'llama'
    """
    found = (row for row in gguf_architectures().values() if model_class in row.classes)
    return next(found, None)


def _architecture(row: Mapping[str, Any]) -> GgufArchitecture:
    own = {"layer": row.get("names", {}), **{key: row.get(key, {}) for key in ("outside", "whole", "pieces")}}
    plain: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in row.items()
    }
    fields: dict[str, Any] = {
        key: value for key, value in plain.items() if key not in ("outside", "whole", "pieces")
    }
    return GgufArchitecture(**{**fields, "names": _names(own)})


def _names(document: Mapping[str, Any]) -> Names:
    pieces = {key: tuple(value) for key, value in document.get("pieces", {}).items()}
    return Names(
        layer=document.get("layer", {}),
        outside=document.get("outside", {}),
        whole=document.get("whole", {}),
        pieces=pieces,
    )
