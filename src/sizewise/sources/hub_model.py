"""A model from the hub: its configuration, and its checkpoint's header where few requests read it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sizewise.architecture import Model
from sizewise.errors import InputError
from sizewise.notices import Notice
from sizewise.sources.config_json import from_config
from sizewise.sources.header_model import model_of_listing
from sizewise.sources.http_status import FileMissingError
from sizewise.sources.hub import HubRepository, hub_config, hub_files
from sizewise.sources.hub_checkpoint import hub_weights
from sizewise.sources.hub_reference import HubReference
from sizewise.sources.local import with_listing


def from_hub(reference: HubReference, settings: Mapping[str, Any], *, offline: bool) -> Model:
    """Return the model of a repository.

    A model without a config.json is what its checkpoint's header tells. Raises HubError, InputError.
    """
    with hub_files(reference, offline=offline) as repository:
        try:
            raw, duplicates = hub_config(repository)
        except FileMissingError:
            return _header_only(repository, reference)
        model = from_config(
            raw, name=str(reference), origin=_origin(repository), settings=settings, duplicates=duplicates
        )
        return model if settings else _with_header(model, repository)


def _with_header(model: Model, repository: HubRepository) -> Model:
    """Return the model with its header; a header that cannot be had is a warning, not an error."""
    try:
        weights = hub_weights(repository)
    except InputError as error:
        notice = Notice(code=error.code, message=f"no header was read: {error.message}")
        return replace(model, notices=(*model.notices, notice))
    if weights.listing is not None:
        return with_listing(model, weights.listing)
    declared = f"{weights.declared_bytes:,} bytes" if weights.declared_bytes else "no size"
    text = f"the headers of its {weights.shards} shards were not read; the index says {declared}"
    return replace(model, notices=(*model.notices, Notice(code="headers_not_read", message=text)))


def _header_only(repository: HubRepository, reference: HubReference) -> Model:
    weights = hub_weights(repository, every_header=True)
    assert weights.listing is not None
    return model_of_listing(weights.listing, name=str(reference), origin=_origin(repository))


def _origin(repository: HubRepository) -> str:
    return f"hub, revision {repository.revision or 'main'}"
