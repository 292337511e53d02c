"""``--set key=value``: change any field of a configuration before it is described."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sizewise.catalog.types import canonical_model_type, class_defaults
from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten

_VALUE_LIMIT = 100_000


def parse_settings(settings: Sequence[str]) -> dict[str, Any]:
    """Return {dotted key: value}; a value is JSON where it can be, else text.

    Raises UsageError (bad_option).

    >>> parse_settings(["num_hidden_layers=40", "head_dim=null", "model_type=llama"])
    {'num_hidden_layers': 40, 'head_dim': None, 'model_type': 'llama'}
    """
    parsed = {}
    for setting in settings:
        key, separator, value = setting.partition("=")
        if not key.strip() or not separator or len(value) > _VALUE_LIMIT:
            raise UsageError("bad_option", f"--set {shorten(setting)!r} is not key=value")
        try:
            parsed[key.strip()] = json.loads(value)
        except (ValueError, RecursionError):
            parsed[key.strip()] = value
    return parsed


def apply_settings(raw: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration with the settings laid over it; ``a.b`` reaches into sections.

    Raises UsageError (bad_option) for a field that neither the file nor the class knows.
    """
    changed = dict(raw)
    for key, value in settings.items():
        _check_known(changed, key, _type_of(changed))
        changed = _changed(changed, key, value)
    return changed


def _changed(raw: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return the configuration with one field changed."""
    section, dot, inner = key.partition(".")
    if dot and isinstance(raw.get(section), Mapping):
        return {**raw, section: _changed(raw[section], inner, value)}
    return {**raw, key: value}


def _type_of(raw: Mapping[str, Any]) -> str | None:
    model_type = raw.get("model_type")
    return model_type if isinstance(model_type, str) else None


def _check_known(raw: Mapping[str, Any], key: str, model_type: str | None) -> None:
    """Check a field by the type of the section that it is in: its own, else what the outer type has there."""
    section, dot, inner = key.partition(".")
    if dot and isinstance(raw.get(section), Mapping):
        sections = class_defaults(canonical_model_type(model_type or "")).get("sub_configs", {})
        _check_known(raw[section], inner, _type_of(raw[section]) or sections.get(section))
        return
    if model_type is None:
        return
    declared = class_defaults(canonical_model_type(model_type))
    known = {*raw, *declared.get("defaults", {}), *declared.get("attribute_map", {}), "dtype", "torch_dtype"}
    known |= {"tie_word_embeddings", "architectures", "quantization_config", "model_type", "layer_types"}
    if key not in known:
        near = did_you_mean(key, sorted(known))
        raise UsageError("bad_option", f"--set {shorten(key)}: {model_type} has no such field{near}")
