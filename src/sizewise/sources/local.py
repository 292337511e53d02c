"""A model from a local path: a configuration, a checkpoint, or a folder that holds either or both.

Where both are there the configuration says what the model is and does, and the checkpoint's header how
it is stored.
"""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sizewise.architecture import Model
from sizewise.errors import InputError, UsageError
from sizewise.escaping import shorten
from sizewise.listing import Listing
from sizewise.notices import Notice
from sizewise.sources.checkpoint import checkpoint_in, listing_of
from sizewise.sources.config_json import from_config
from sizewise.sources.files import read_bounded
from sizewise.sources.header_model import model_of_listing
from sizewise.sources.json_text import CONFIG_BYTES, parse_object
from sizewise.sources.logical import logical_elements
from sizewise.sources.ranges import LocalFile
from sizewise.sources.sniff import HEAD_BYTES

CONFIG = "config.json"
_CHECKPOINTS = (
    ".safetensors",
    ".safetensors.index.json",
    ".bin.index.json",
    ".bin",
    ".pt",
    ".pth",
    ".ckpt",
    ".gguf",
)


def from_path(path: str, settings: Mapping[str, Any]) -> Model:
    """Return the model of a file or a folder.

    Raises InputError with the codes of the readers.
    """
    if os.path.isdir(path):
        return _from_folder(path, settings)
    if path.lower().endswith(_CHECKPOINTS) or not _is_json(path):
        return _from_checkpoint(path, settings)
    return from_config_file(path, settings)


def raw_file(path: str) -> dict[str, Any]:
    """Return the configuration of a file or a folder as plain data; the last of repeated keys counts."""
    file = os.path.join(path, CONFIG) if os.path.isdir(path) else path
    return parse_object(read_bounded(file, CONFIG_BYTES), shorten(file, 120))[0]


def from_config_file(path: str, settings: Mapping[str, Any]) -> Model:
    """Return the model of a configuration file."""
    raw, duplicates = parse_object(read_bounded(path, CONFIG_BYTES), shorten(path, 120))
    return from_config(raw, name=path, origin=f"file {path}", settings=settings, duplicates=duplicates)


def with_listing(model: Model, listing: Listing) -> Model:
    """Return the model with what its checkpoint says; the header's warnings come along.

    Where the two disagree on the parameters the header is the truth, and a warning says by how much.
    """
    held = logical_elements(listing, model)
    counted = sum(weight.elements * layers for weight, layers in model.architecture.weights())
    notices = [*model.notices, *listing.notices]
    if held != counted:
        text = f"the header holds {held:,} parameters, the configuration describes {counted:,}"
        notices.append(Notice(code="inconsistent", message=text))
        own = model_of_listing(listing, name=model.name, origin=model.origin).architecture
        return replace(model, listing=listing, counted=own, notices=tuple(notices))
    return replace(model, listing=listing, notices=tuple(notices))


def _from_folder(path: str, settings: Mapping[str, Any]) -> Model:
    config = os.path.join(path, CONFIG)
    if not os.path.exists(config):
        try:
            listing = listing_of(path)
        except InputError as error:
            if error.code != "not_found":
                raise
            shown = shorten(path, 120)
            raise InputError(
                "not_found", f"the folder {shown} holds no config.json and no checkpoint"
            ) from None
        return model_of_listing(listing, name=path, origin=f"headers in {path}")
    model = from_config_file(config, settings)
    model = replace(model, name=path)
    if settings:
        return model
    try:
        checkpoint = checkpoint_in(path)
    except InputError as error:
        if error.code == "not_found":
            return model
        notice = Notice(code=error.code, message=f"no header was read: {error.message}")
        return replace(model, notices=(*model.notices, notice))
    return with_listing(model, listing_of(checkpoint))


def _from_checkpoint(path: str, settings: Mapping[str, Any]) -> Model:
    """Return the model of a checkpoint, with the configuration beside it when it is the folder's own."""
    listing = listing_of(path)
    folder = os.path.dirname(path) or "."
    if os.path.exists(os.path.join(folder, CONFIG)) and _is_folders_own(folder, path):
        return with_listing(
            replace(from_config_file(os.path.join(folder, CONFIG), settings), name=path), listing
        )
    if settings:
        raise UsageError("bad_option", "--set changes a configuration; a checkpoint's header has none")
    return model_of_listing(listing, name=path, origin=f"header of {path}")


def _is_folders_own(folder: str, path: str) -> bool:
    try:
        return os.path.samefile(checkpoint_in(folder), path)
    except (InputError, OSError):
        return False


def _is_json(path: str) -> bool:
    """Tell whether a file of any name starts as a JSON object, or is too broken to be a checkpoint."""
    if path.lower().endswith(".json"):
        return True
    with LocalFile(path) as file:
        head = file.read(0, min(HEAD_BYTES, file.size))
    return not head.strip() or head.lstrip()[:1] in (b"{", b"[", b"<", b'"')
