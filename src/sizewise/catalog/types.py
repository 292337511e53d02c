"""Declared class defaults, field aliases and synonyms of the transformers model types."""

from collections.abc import Mapping
from typing import Any

from sizewise.catalog.rows import machine_made


def class_defaults(model_type: str) -> Mapping[str, Any]:
    """Return ``{"defaults", "attribute_map", "sub_configs"}`` of a type; empty when it is unknown."""
    found: Mapping[str, Any] = machine_made("models/class_defaults.json")["types"].get(model_type, {})
    return found


def canonical_model_type(model_type: str) -> str:
    """Return the type that a synonym stands for.

    >>> canonical_model_type("kimi_k2")
    'deepseek_v3'
    """
    synonyms: Mapping[str, str] = machine_made("models/class_defaults.json")["synonyms"]
    return synonyms.get(model_type, model_type)
