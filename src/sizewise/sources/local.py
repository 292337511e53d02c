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
from sizewise.sources.adapter import (
    adapter_in,
    adapter_notice,
    adapter_refusal,
    holds_adapter,
    is_adapter_config,
    left_out_notice,
)
from sizewise.sources.checkpoint import checkpoint_in, gguf_of, is_gguf, listing_of
from sizewise.sources.config_json import from_config
from sizewise.sources.content.training_state import without_training
from sizewise.sources.files import read_bounded
from sizewise.sources.gguf.model import gguf_configuration, model_of_gguf
from sizewise.sources.header_model import model_of_listing, with_listing
from sizewise.sources.json_text import CONFIG_BYTES, parse_object
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
    if is_gguf(file):
        return gguf_configuration(gguf_of(file))
    return parse_object(read_bounded(file, CONFIG_BYTES), shorten(file, 120))[0]


def from_config_file(path: str, settings: Mapping[str, Any]) -> Model:
    """Return the model of a configuration file."""
    raw, duplicates = parse_object(read_bounded(path, CONFIG_BYTES), shorten(path, 120))
    if is_adapter_config(raw):
        raise adapter_refusal(os.path.dirname(path) or ".", raw)
    return from_config(raw, name=path, origin=f"file {path}", settings=settings, duplicates=duplicates)


def _from_folder(path: str, settings: Mapping[str, Any]) -> Model:
    config = os.path.join(path, CONFIG)
    if not os.path.exists(config):
        return _headers_alone(_checkpoint_alone(path), path, f"headers in {path}", settings)
    model = from_config_file(config, settings)
    model = replace(model, name=path)
    if settings:
        return model
    try:
        checkpoint = checkpoint_in(path)
    except InputError as error:
        if error.code != "not_found":
            text = f"no header was read: {error.message}"
            return _noticed(model, Notice(code=error.code, message=text))
        adapter = adapter_in(path)
        return _noticed(model, left_out_notice(adapter)) if adapter else model
    return with_listing(model, _listing(checkpoint))


def holds_model(folder: str) -> bool:
    """Tell whether a folder holds a configuration, an adapter or a checkpoint."""
    if os.path.exists(os.path.join(folder, CONFIG)) or adapter_in(folder):
        return True
    try:
        checkpoint_in(folder)
    except InputError as error:
        return error.code == "inconsistent"
    return True


def _checkpoint_alone(folder: str) -> str:
    """Return the checkpoint in a folder without a configuration.

    Raises InputError: not_found, unsupported_format for an adapter, and those of `checkpoint_in`.
    """
    try:
        return checkpoint_in(folder)
    except InputError as error:
        if error.code != "not_found":
            raise
        if adapter_in(folder):
            raise adapter_refusal(folder) from None
        shown = shorten(folder, 120)
        raise InputError("not_found", f"the folder {shown} holds no config.json and no checkpoint") from None


def _from_checkpoint(path: str, settings: Mapping[str, Any]) -> Model:
    """Return the model of a checkpoint, with the configuration beside it when it is the folder's own."""
    folder = os.path.dirname(path) or "."
    config, origin = os.path.join(folder, CONFIG), f"header of {path}"
    if not (os.path.exists(config) and _is_folders_own(folder, path)):
        return _headers_alone(path, path, origin, settings)
    try:
        model = from_config_file(config, settings)
    except InputError as error:
        if settings:
            raise
        text = f"counted is the header alone: {error.message}"
        model = _headers_alone(path, path, origin, settings)
        return _noticed(model, Notice(code=error.code, message=text))
    return with_listing(replace(model, name=path), _listing(path))


def _headers_alone(path: str, name: str, origin: str, settings: Mapping[str, Any]) -> Model:
    """Return the model of a checkpoint without a configuration; a GGUF file says what it would say."""
    if is_gguf(path):
        return model_of_gguf(gguf_of(path), name=name, origin=origin, settings=settings)
    listing = _listing(path)
    if settings:
        raise UsageError("bad_option", "--set changes a configuration; a checkpoint's header has none")
    model = model_of_listing(listing, name=name, origin=origin)
    return _noticed(model, adapter_notice(path)) if holds_adapter(path, listing.tensors.names) else model


def _listing(path: str) -> Listing:
    """Return the tensors of the model in a checkpoint, without what a training keeps beside it."""
    return without_training(listing_of(path), shorten(path, 120))


def _noticed(model: Model, notice: Notice) -> Model:
    return replace(model, notices=(*model.notices, notice))


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
