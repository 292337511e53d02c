"""What a configuration says and tensors do not show: scaled rotary positions, experts that no layer has."""

from collections.abc import Mapping
from typing import Any

from sizewise.architecture import RopeScaling

_TABLES = ("rope_parameters", "rope_scaling")
_EXPERTS = ("num_local_experts", "num_experts", "n_routed_experts")
_KINDS = ("rope_type", "type")
_FULL = "full_attention"
"""Under which name a table per kind of layer has that of the layers without a window."""

_SECTIONS = ("text_config", "llm_config", "language_config")


def rope_scaling(raw: Mapping[str, Any]) -> RopeScaling | None:
    """Return the kind of scaling and the features it turns; None where positions are not scaled.

    >>> raw = {"hidden_size": 4096, "num_attention_heads": 32, "rope_scaling": {"rope_type": "llama3"}}
    >>> rope_scaling(raw)
    RopeScaling(kind='llama3', features=128, listed=0)
    """
    text = language_section(raw)
    table: Mapping[str, Any] = next(
        (text[name] for name in _TABLES if isinstance(text.get(name), Mapping)), {}
    )
    nested = table.get(_FULL)
    table = nested if isinstance(nested, Mapping) else table
    kind = next((table[name] for name in _KINDS if isinstance(table.get(name), str)), "")
    features = _rotary_features(text, table)
    factors = table.get("long_factor")
    listed = len(factors) if isinstance(factors, list) else 0
    return RopeScaling(kind=kind, features=features, listed=listed) if kind and features else None


def declared_experts(raw: Mapping[str, Any]) -> int:
    """Return the experts that a configuration names, 0 where it names none.

    >>> declared_experts({"n_routed_experts": 8, "first_k_dense_replace": 61, "num_hidden_layers": 61})
    8
    """
    text = language_section(raw)
    return next((text[name] for name in _EXPERTS if isinstance(text.get(name), int)), 0)


def language_section(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the section of the language model."""
    return next((raw[name] for name in _SECTIONS if isinstance(raw.get(name), Mapping)), raw)


def _rotary_features(text: Mapping[str, Any], table: Mapping[str, Any]) -> int:
    """Return the features of a head that are turned; 0 where the sizes are not numbers."""
    hidden, heads = text.get("hidden_size"), text.get("num_attention_heads")
    size = text.get("head_dim")
    if not isinstance(size, int):
        size = hidden // heads if isinstance(hidden, int) and isinstance(heads, int) and heads > 0 else 0
    share = table.get("partial_rotary_factor", text.get("partial_rotary_factor", 1.0))
    return int(size * share) if isinstance(share, int | float) else size
