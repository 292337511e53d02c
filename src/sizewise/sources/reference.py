"""What a user may write for a model, and which source answers it.

Order: ``-`` · a path · a catalogue name, hub id or Ollama tag · a bare size · the hub.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sizewise.architecture import Model
from sizewise.catalog.models import Preset, find_preset, find_tag, nearest_models, other_tags
from sizewise.errors import HubError, SizewiseError, UsageError
from sizewise.escaping import shorten
from sizewise.listing import Place
from sizewise.notices import Notice
from sizewise.sources.config_json import from_config, from_standard_input, standard_input
from sizewise.sources.hub.reference import HubReference, parse_hub_reference
from sizewise.sources.settings import parse_settings
from sizewise.units import COUNT_LIMIT, parse_count

REFERENCE_LIMIT = 4096
_SIZE = re.compile(r"[0-9][0-9_.]*(e[0-9]+|[kmbt])", re.I)


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
        from sizewise.sources.local import from_path

        path = os.path.expanduser(reference)
        return _placed(from_path(path, changes), Place(path=path), changes)
    known = _from_catalogue(reference, changes)
    if known is not None:
        return known
    if _SIZE.fullmatch(reference):
        return _nominal(reference, changes)
    hub = parse_hub_reference(reference)
    if hub is not None:
        return _from_hub(hub, changes, offline=offline)
    raise _unknown(reference)


def load_known(reference: str, settings: Sequence[str] = ()) -> Model:
    """Return the model of a catalogue name, an Ollama tag or a bare size: no file, no network.

    Raises UsageError (bad_reference) for everything else.
    """
    changes = parse_settings(settings)
    if not reference.strip() or len(reference) > REFERENCE_LIMIT or "\0" in reference:
        raise UsageError("bad_reference", "the model reference is empty or longer than 4,096 characters")
    known = _from_catalogue(reference, changes)
    if known is not None:
        return known
    if _SIZE.fullmatch(reference):
        return _nominal(reference, changes)
    raise _unknown(reference)


def raw_configuration(reference: str) -> Mapping[str, Any]:
    """Return the configuration that a reference means, as plain data.

    Raises UsageError (bad_reference) for a reference that has none, and what the sources raise.
    """
    if reference == "-":
        return standard_input()
    if _is_path(reference):
        from sizewise.sources.local import raw_file

        return raw_file(os.path.expanduser(reference))
    tag = find_tag(reference)
    preset = find_preset(tag.preset if tag else reference)
    if preset is None:
        raise UsageError(
            "bad_reference", f"{shorten(reference, 80)!r} has no configuration here; give its config.json"
        )
    return preset.config


def default_tag(reference: str) -> tuple[Notice, ...]:
    """Return what is said of a bare Ollama name that has tags of several models: which one is meant."""
    tag, others = find_tag(reference), other_tags(reference)
    if tag is None or not others:
        return ()
    text = f"{reference} is Ollama's default tag, {tag.name.split(':')[1]}: {tag.preset}"
    return (Notice(code="default_tag", message=f"{text}; others: {', '.join(others)}"),)


def _is_path(reference: str) -> bool:
    """Tell whether the reference can only be meant as a path, or is one that exists."""
    if reference.startswith((".", "/", "~", "\\")) or os.path.isabs(reference):
        return True
    if reference.lower().endswith((".json", ".safetensors", ".gguf", ".pt", ".pth", ".bin")):
        on_hub = parse_hub_reference(reference)
        return on_hub is None or on_hub.file is None
    return os.path.isfile(reference) or (os.path.isdir(reference) and _is_meant_folder(reference))


def _is_meant_folder(folder: str) -> bool:
    """Tell whether a folder that exists is meant: a path is; a bare name only where it holds a model."""
    if any(separator in folder for separator in (os.sep, os.altsep) if separator):
        return True
    from sizewise.sources.local import holds_model

    return holds_model(folder)


def _from_catalogue(reference: str, changes: Mapping[str, Any]) -> Model | None:
    tag = find_tag(reference)
    if tag is not None:
        preset = find_preset(tag.preset)
        assert preset is not None
        place = Place(repository=tag.checkpoint or preset.id, tag=reference)
        model = _preset_model(preset, reference, changes, place, default_format=tag.default_format)
        return replace(model, notices=(*default_tag(reference), *model.notices))
    if "@" in reference:
        return None
    preset = find_preset(reference)
    if preset is None:
        return None
    return _preset_model(preset, preset.id, changes, Place(repository=preset.checkpoint(reference)))


def _preset_model(
    preset: Preset, name: str, changes: Mapping[str, Any], place: Place, default_format: str | None = None
) -> Model:
    model = from_config(
        preset.config,
        name=name,
        origin=f"catalogue ({preset.source}, {preset.checked})",
        settings=changes,
        context=preset.context,
        published=None if changes else preset.published,
        default_format=default_format,
    )
    return _placed(model, place, changes)


def _placed(model: Model, place: Place, changes: Mapping[str, Any]) -> Model:
    """Return the model with the place of its files; a changed model is in none of them."""
    return model if changes else replace(model, place=place)


def _nominal(reference: str, changes: Mapping[str, Any]) -> Model:
    from sizewise.sources.shapes import nominal

    try:
        return nominal(parse_count(reference), dict(changes))
    except UsageError as error:
        if error.code == "bad_option" and not changes:
            raise UsageError(
                "bad_reference",
                f"{shorten(reference)!r} is no size between 10K and {COUNT_LIMIT:.0e} parameters",
            ) from None
        raise


def _from_hub(reference: HubReference, changes: Mapping[str, Any], *, offline: bool) -> Model:
    """Return the model of the hub; a name that it does not know may be a misspelt one of the catalogue.

    Raises HubError.
    """
    from sizewise.sources.hub.model import from_hub

    try:
        model = from_hub(reference, changes, offline=offline)
    except HubError as error:
        near = nearest_models(reference.repo)
        raise HubError(error.code, f"{error.message}{near}") from None
    place = Place(repository=reference.repo, revision=reference.revision or "", file=reference.file or "")
    return _placed(model, place, changes)


def _unknown(reference: str) -> SizewiseError:
    shown, near = shorten(reference, 80), nearest_models(reference)
    return UsageError(
        "bad_reference", f"{shown!r} is no known model, file or size{near}; see: sizewise catalog models"
    )
