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
        section, dot, inner = key.partition(".")
        if dot and isinstance(changed.get(section), Mapping):
            changed[section] = apply_settings(changed[section], {inner: value})
            continue
        _check_known(changed, key)
        changed[key] = value
    return changed


def _check_known(raw: Mapping[str, Any], key: str) -> None:
    model_type = raw.get("model_type")
    if not isinstance(model_type, str):
        return
    declared = class_defaults(canonical_model_type(model_type))
    known = {*raw, *declared.get("defaults", {}), *declared.get("attribute_map", {}), "dtype", "torch_dtype"}
    known |= {"tie_word_embeddings", "architectures", "quantization_config", "model_type", "layer_types"}
    if key not in known:
        near = did_you_mean(key, sorted(known))
        raise UsageError("bad_option", f"--set {shorten(key)}: {model_type} has no such field{near}")
