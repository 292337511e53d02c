"""Scaled rotary positions: what a configuration says of them, in any of its spellings."""

from collections.abc import Mapping
from typing import Any

from sizewise.architecture import RopeScaling

_TABLES = ("rope_parameters", "rope_scaling")
_KINDS = ("rope_type", "type")
_SECTIONS = ("text_config", "llm_config", "language_config")


def rope_scaling(raw: Mapping[str, Any]) -> RopeScaling | None:
    """Return the kind of scaling and the features it turns; None where positions are not scaled.

    >>> raw = {"hidden_size": 4096, "num_attention_heads": 32, "rope_scaling": {"rope_type": "llama3"}}
    >>> rope_scaling(raw)
    RopeScaling(kind='llama3', features=128)
    """
    text = next((raw[name] for name in _SECTIONS if isinstance(raw.get(name), Mapping)), raw)
    table: Mapping[str, Any] = next(
        (text[name] for name in _TABLES if isinstance(text.get(name), Mapping)), {}
    )
    kind = next((table[name] for name in _KINDS if isinstance(table.get(name), str)), "")
    features = _rotary_features(text, table)
    return RopeScaling(kind=kind, features=features) if kind and features else None


def _rotary_features(text: Mapping[str, Any], table: Mapping[str, Any]) -> int:
    """Return the features of a head that are turned; 0 where the sizes are not numbers."""
    hidden, heads = text.get("hidden_size"), text.get("num_attention_heads")
    size = text.get("head_dim")
    if not isinstance(size, int):
        size = hidden // heads if isinstance(hidden, int) and isinstance(heads, int) and heads > 0 else 0
    share = table.get("partial_rotary_factor", text.get("partial_rotary_factor", 1.0))
    return int(size * share) if isinstance(share, int | float) else size
