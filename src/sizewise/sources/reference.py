"""What a user may write for a model, and which source answers it.

Order: ``-`` · a path · a catalogue name, hub id or Ollama tag · a bare size.
"""

import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sizewise.architecture import Model
from sizewise.catalog.models import Preset, find_preset, find_tag, nearest_models
from sizewise.errors import HubError, InputError, SizewiseError, UsageError
from sizewise.escaping import shorten
from sizewise.sources.config_json import from_config, from_path, from_standard_input
from sizewise.sources.settings import parse_settings
from sizewise.sources.shapes import nominal
from sizewise.units import COUNT_LIMIT, parse_count

REFERENCE_LIMIT = 4096
_SIZE = re.compile(r"[0-9][0-9_.]*(e[0-9]+|[kmbt])", re.I)
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[\w.-]{1,96}(@[\w./-]{1,200})?")


def load_reference(reference: str, settings: Sequence[str] = (), *, offline: bool = False) -> Model:
    """Return the model that a reference means.

    Raises UsageError (bad_reference), InputError (not_found and the codes of the sources) and
    HubError (offline).
    """
    changes = parse_settings(settings)
    if not reference.strip() or len(reference) > REFERENCE_LIMIT or "\0" in reference:
        raise UsageError("bad_reference", "the model reference is empty or longer than 4,096 characters")
    if reference == "-":
        return from_standard_input(changes)
    if _is_path(reference):
        return from_path(os.path.expanduser(reference), changes)
    known = _from_catalogue(reference, changes)
    if known is not None:
        return known
    if _SIZE.fullmatch(reference):
        return _nominal(reference, changes)
    raise _unknown(reference, offline)


def _is_path(reference: str) -> bool:
    """Tell whether the reference can only be meant as a path, or is one that exists."""
    if reference.startswith((".", "/", "~", "\\")) or os.path.isabs(reference):
        return True
    if reference.lower().endswith((".json", ".safetensors", ".gguf", ".pt", ".pth", ".bin")):
        return True
    return os.path.isfile(reference) or os.path.exists(os.path.join(reference, "config.json"))


def _from_catalogue(reference: str, changes: Mapping[str, Any]) -> Model | None:
    tag = find_tag(reference)
    if tag is not None:
        preset = find_preset(tag.preset)
        assert preset is not None
        return _preset_model(preset, reference, changes, default_format=tag.default_format)
    if "@" in reference:
        return None
    preset = find_preset(reference)
    return _preset_model(preset, preset.id, changes) if preset else None


def _preset_model(
    preset: Preset, name: str, changes: Mapping[str, Any], default_format: str | None = None
) -> Model:
    return from_config(
        preset.config,
        name=name,
        origin=f"catalogue ({preset.source}, {preset.checked})",
        settings=changes,
        context=preset.context,
        published=None if changes else preset.published,
        default_format=default_format,
    )


def _nominal(reference: str, changes: Mapping[str, Any]) -> Model:
    try:
        return nominal(parse_count(reference), dict(changes))
    except UsageError as error:
        if error.code == "bad_option" and not changes:
            raise UsageError(
                "bad_reference",
                f"{shorten(reference)!r} is no size between 10K and {COUNT_LIMIT:.0e} parameters",
            ) from None
        raise


def _unknown(reference: str, offline: bool) -> SizewiseError:
    shown, near = shorten(reference, 80), nearest_models(reference)
    if _HUB_ID.fullmatch(reference) and offline:
        return HubError("offline", f"{shown!r} is not in the catalogue and --offline is set{near}")
    if _HUB_ID.fullmatch(reference):
        return InputError(
            "not_found",
            f"{shown!r} is not in the catalogue{near}; download its config.json and give that file",
        )
    return UsageError(
        "bad_reference", f"{shown!r} is no known model, file or size{near}; see: sizewise catalog models"
    )
