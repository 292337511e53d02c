"""From the header of a GGUF file to the configuration of the class that it was converted from.

Which key means which field is a row of ``facts/gguf/metadata.toml``. Where the tensors say it too (layers,
vocabulary, biases, a tied head) they are asked, not the metadata.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sizewise.catalog.gguf_metadata import GgufConfiguration, gguf_configurations
from sizewise.errors import did_you_mean
from sizewise.escaping import shorten
from sizewise.listing import Shape
from sizewise.notices import Notice
from sizewise.sources.gguf.expressions import Facts, evaluate, place_of
from sizewise.sources.gguf.reader import GgufFile

ARCHITECTURE = "general.architecture"
PREDICTS = "nextn."
"""How the tensors of a layer begin that predicts a further token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundConfiguration:
    """A configuration, None where the architecture is not known, and what has to be said about it."""

    raw: Mapping[str, Any] | None
    notices: tuple[Notice, ...] = ()


def configuration_of(file: GgufFile) -> FoundConfiguration:
    """Return the configuration that metadata and tensors mean."""
    architecture = file.metadata.text(ARCHITECTURE) or ""
    row = gguf_configurations().get(architecture)
    if row is None:
        return FoundConfiguration(raw=None, notices=(_unknown(architecture),))
    facts = facts_of(file, architecture)
    model_type = next((c.model_type for c in row.types if not c.when or evaluate(c.when, facts)), None)
    if model_type is None:
        return FoundConfiguration(raw=None, notices=(_unknown(architecture),))
    return FoundConfiguration(raw=_raw(model_type, row, facts), notices=tuple(_contradictions(facts)))


def facts_of(file: GgufFile, architecture: str) -> Facts:
    """Return what the rows of facts ask of a file; the work is that of its tensors, whatever it says."""
    shapes: dict[str, Shape] = {}
    places: dict[str, set[int]] = {}
    predicting: set[int] = set()
    for name, shape in zip(file.listing.tensors.names, file.listing.tensors.shapes, strict=True):
        layer, base = place_of(name)
        shapes.setdefault(base, shape)
        if layer is not None:
            places.setdefault(base, set()).add(layer)
            if base.startswith(PREDICTS):
                predicting.add(layer)
    found = {layer for layers in places.values() for layer in layers} - predicting
    return Facts(
        metadata=file.metadata,
        architecture=architecture,
        shapes=shapes,
        layers_of={base: frozenset(layers) for base, layers in places.items()},
        layers=len(found),
    )


def _raw(model_type: str, row: GgufConfiguration, facts: Facts) -> dict[str, Any]:
    raw: dict[str, Any] = {"model_type": model_type, **row.constants}
    for name, text in row.fields.items():
        value = evaluate(text, facts)
        if value is not None or name in row.nulls:
            _put(raw, name, facts.per_layer(value) if isinstance(value, list) else value)
    return raw


def _put(raw: dict[str, Any], name: str, value: object) -> None:
    """Set a field; ``a/b`` is field b of section a."""
    section, slash, inner = name.partition("/")
    if slash:
        raw.setdefault(section, {})[inner] = value
    else:
        raw[name] = value


def _contradictions(facts: Facts) -> list[Notice]:
    """Say where metadata and tensors differ; the tensors count."""
    said = facts.key("block_count")
    predicting = facts.key("nextn_predict_layers") or 0
    if not isinstance(said, int) or not isinstance(predicting, int) or said in _depths(facts, predicting):
        return []
    text = f"the metadata says {said:,} layers, the tensors have {facts.layers:,}; the tensors count"
    return [Notice(code="inconsistent", message=text)]


def _depths(facts: Facts, predicting: int) -> tuple[int, int]:
    """Return what the block count may be: with and without the layers that predict further tokens."""
    return facts.layers, facts.layers + predicting


def _unknown(architecture: str) -> Notice:
    near = did_you_mean(architecture, gguf_configurations()) if architecture else ""
    text = (
        f"llama.cpp's architecture {shorten(architecture)!r} is not known here{near}; parameters and bytes "
        "are those of the header, and the cache is not known without a config.json"
    )
    return Notice(code="unsupported_architecture", message=text)
