"""The configuration of a model with fewer layers or narrower ones, as plain data."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

LAYERS = "num_hidden_layers"
_PER_LAYER = ("layer", "block", "indexer_types")
"""What the names of fields hold that list something for each layer (layer_types, no_rope_layers …)."""
_NUMBERS = (
    "mlp_only_layers",
    "moe_layers",
    "full_attention_layers",
    "cross_attention_layers",
    "rope_scaling_layers",
    "attn_layer_indices",
    "full_attn_idxs",
)
"""Fields that list the numbers of layers."""
_SOURCES = "kv_source_layers"
"""For each layer the number of the one whose keys and values it takes."""
_OVERRIDES = "per_layer_config"
"""What some layers have otherwise, by their numbers as text."""
_TRAILING = "num_kv_shared_layers"
"""Counts layers from the last one."""
_PATTERNS = "attention_types"
"""Kinds of layers with how often each row of them comes: those of GPT-Neo."""
_LEADING = ("first_k_dense_replace", "n_dense_layers", "num_dense_layers", "max_window_layers")
"""Fields that count layers from the first one."""
_NESTED = ("text_config", "decoder", "llm_config")
_ALIASES = (LAYERS, "n_layer", "num_layers", "n_layers")


def depth(raw: Mapping[str, Any]) -> int:
    """Return the layers that a configuration names, 0 where it names none."""
    fields = _language_fields(raw)
    return next((int(fields[name]) for name in _ALIASES if isinstance(fields.get(name), int)), 0)


def without_layers(raw: Mapping[str, Any], dropped: Collection[int]) -> dict[str, Any]:
    """Return the configuration without layers: lists per layer are shortened, numbers of layers moved up.

    >>> left = without_layers({"num_hidden_layers": 3, "layer_types": ["a", "b", "c"]}, {1})
    >>> left["num_hidden_layers"], left["layer_types"]
    (2, ['a', 'c'])
    """
    for name in _NESTED:
        if isinstance(raw.get(name), Mapping) and depth({**raw[name]}):
            return {**raw, name: without_layers(raw[name], dropped)}
    layers = depth(raw)
    kept = [layer for layer in range(layers) if layer not in dropped]
    return {key: _shortened(key, value, layers, kept) for key, value in raw.items()}


def narrower(
    raw: Mapping[str, Any],
    *,
    heads: int | None = None,
    kv_heads: int | None = None,
    head_size: int | None = None,
    ffn: int | None = None,
    hidden: int | None = None,
) -> dict[str, Any]:
    """Return the configuration with other widths; the size of a head is named, as it follows no more."""
    widths = {
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "head_dim": head_size,
        "intermediate_size": ffn,
        "hidden_size": hidden,
    }
    return {**raw, **{name: value for name, value in widths.items() if value is not None}}


def _language_fields(raw: Mapping[str, Any]) -> Mapping[str, Any]:
    for name in _NESTED:
        nested = raw.get(name)
        if isinstance(nested, Mapping) and any(alias in nested for alias in _ALIASES):
            return nested
    return raw


def _shortened(key: str, value: Any, layers: int, kept: Sequence[int]) -> Any:
    if key in _ALIASES and value == layers:
        return len(kept)
    if key == _OVERRIDES and isinstance(value, Mapping):
        return {str(kept.index(int(layer))): fields for layer, fields in value.items() if int(layer) in kept}
    if isinstance(value, int):
        return _counted(key, value, layers, kept)
    return _listed(key, value, layers, kept) if isinstance(value, list) else value


def _counted(key: str, value: int, layers: int, kept: Sequence[int]) -> int:
    if key in _LEADING:
        return sum(layer < value for layer in kept)
    if key == _TRAILING:
        return sum(layer >= layers - value for layer in kept)
    return value


def _listed(key: str, value: list[Any], layers: int, kept: Sequence[int]) -> list[Any]:
    if key in _NUMBERS:
        return [kept.index(layer) for layer in value if layer in kept]
    if key == _PATTERNS:
        every = [kind for kinds, times in value for kind in list(kinds) * times]
        return [[[every[layer] for layer in kept], 1]] if len(every) == layers else value
    if len(value) != layers:
        return value
    if key == _SOURCES:
        return [kept.index(value[layer]) if value[layer] in kept else kept.index(layer) for layer in kept]
    return [value[layer] for layer in kept] if any(part in key for part in _PER_LAYER) else value
