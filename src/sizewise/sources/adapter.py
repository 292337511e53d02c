"""Adapters: small tensors that are trained beside a base model, which is named and not there.

Source: peft 0.18, ``peft/utils/constants.py`` (names of the files) and ``peft/config.py``, read 2026-10.
"""

import os
from collections.abc import Iterable, Mapping
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.notices import Notice
from sizewise.sources.files import read_bounded
from sizewise.sources.json_text import CONFIG_BYTES, parse_object

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_FILES = ("adapter_model.safetensors", "adapter_model.bin")
_BASE = "base_model_name_or_path"


def adapter_in(folder: str) -> str | None:
    """Return the path of the adapter's tensors in a folder, of its configuration where they are missing."""
    paths = (os.path.join(folder, name) for name in (*ADAPTER_FILES, ADAPTER_CONFIG))
    return next((path for path in paths if os.path.isfile(path)), None)


def is_adapter_config(raw: Mapping[str, Any]) -> bool:
    """Tell whether a configuration is that of an adapter, not of a model."""
    return "model_type" not in raw and ("peft_type" in raw or _BASE in raw)


def adapter_refusal(folder: str, raw: Mapping[str, Any] | None = None) -> InputError:
    """Return the error (unsupported_format) that says what to ask instead of an adapter alone."""
    kind, base = _named(_configuration(folder) if raw is None else raw)
    tensors = adapter_in(folder)
    shown = shorten(folder, 120)
    own = ""
    if tensors is not None and not tensors.endswith(ADAPTER_CONFIG):
        own = f"; its own parameters: sizewise params {shorten(tensors, 120)}"
    return InputError("unsupported_format", f"{shown} holds {kind} of {base}, no model; ask for {base}{own}")


def adapter_notice(path: str) -> Notice:
    """Return the warning that a header counts an adapter and not its base model."""
    kind, base = _named(_configuration(os.path.dirname(path) or "."))
    return Notice(code="adapter", message=f"counted is {kind}, without the parameters of {base}")


def left_out_notice(path: str) -> Notice:
    """Return the warning that an adapter beside a model is not counted."""
    text = f"the adapter {shorten(path, 120)} is not counted; counted is the model of the config.json"
    return Notice(code="adapter", message=text)


def holds_adapter(path: str, names: Iterable[str]) -> bool:
    """Tell whether a checkpoint is an adapter, by its name or by those of its tensors."""
    return os.path.basename(path) in ADAPTER_FILES or any(
        ".lora_A." in name or ".lora_B." in name for name in names
    )


def _named(raw: Mapping[str, Any]) -> tuple[str, str]:
    """Return the kind of an adapter and the name of its base model, in words."""
    kind, base = raw.get("peft_type"), raw.get(_BASE)
    named = isinstance(kind, str) and kind
    return (
        f"a {shorten(str(kind), 20)} adapter" if named else "an adapter",
        shorten(base, 120) if isinstance(base, str) and base else "its base model",
    )


def _configuration(folder: str) -> Mapping[str, Any]:
    """Return the adapter's configuration, empty where there is none that can be read."""
    path = os.path.join(folder, ADAPTER_CONFIG)
    try:
        return parse_object(read_bounded(path, CONFIG_BYTES), shorten(path, 120))[0]
    except InputError:
        return {}
