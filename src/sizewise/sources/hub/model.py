"""A model from the hub: its configuration, and what its checkpoint says to it.

The header is the truth where it is read. It is not read where the shard index agrees with the configuration
on every name and on the bytes.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sizewise.architecture import Model
from sizewise.errors import HubError, InputError
from sizewise.notices import Notice
from sizewise.sources.config_json import from_config
from sizewise.sources.gguf.model import model_of_gguf
from sizewise.sources.header_model import model_of_listing, with_listing
from sizewise.sources.http.status import FileMissingError
from sizewise.sources.hub.agreement import Predicted, predicted
from sizewise.sources.hub.checkpoint import HubWeights, hub_weights
from sizewise.sources.hub.gguf import chosen_gguf, hub_gguf, is_gguf_name
from sizewise.sources.hub.reference import HubReference
from sizewise.sources.hub.repository import HubRepository, hub_config, hub_files


def from_hub(reference: HubReference, settings: Mapping[str, Any], *, offline: bool) -> Model:
    """Return the model of a repository.

    A model without a config.json is what its checkpoint's header tells; a GGUF file says what a config.json
    would say. Raises HubError, InputError.
    """
    with hub_files(reference, offline=offline) as repository:
        if reference.file is not None and is_gguf_name(reference.file):
            return _from_gguf(repository, reference.file, settings)
        try:
            raw, duplicates = hub_config(repository)
        except FileMissingError:
            return _header_only(repository, reference)
        model = from_config(
            raw, name=str(reference), origin=_origin(repository), settings=settings, duplicates=duplicates
        )
        return model if settings else _with_header(model, repository)


def _from_gguf(repository: HubRepository, wanted: str, settings: Mapping[str, Any]) -> Model:
    file = chosen_gguf(repository, wanted)
    found = hub_gguf(repository, file)
    return model_of_gguf(
        found,
        name=str(replace(repository.reference, file=file)),
        origin=f"{_origin(repository)}; header of {file}",
        settings=settings,
    )


def _with_header(model: Model, repository: HubRepository) -> Model:
    """Return the model with its header, or with what proves that none is needed.

    A header that cannot be had is a warning, not an error. The origin says what was read.
    """
    prediction = predicted(model)
    try:
        weights = hub_weights(repository, prediction=prediction)
    except (InputError, HubError) as error:
        if isinstance(error, HubError) and error.code != "http_too_large":
            raise
        return _noticed(model, error.code, f"no header was read: {error.message}")
    if weights.listing is not None:
        read = "the header" if weights.shards == 1 else f"the headers of {weights.shards} shards"
        model = replace(model, origin=f"{model.origin}; config.json and {read}")
        return with_listing(model, weights.listing)
    if weights.agreement and prediction is not None:
        origin = f"{model.origin}; config.json; no header needed: {weights.agreement}"
        return replace(model, origin=origin, published=prediction.elements)
    model = replace(model, origin=f"{model.origin}; config.json alone", published=weights.counted)
    return _noticed(model, "headers_not_read", _unread(weights, prediction, repository.reference))


def _unread(weights: HubWeights, prediction: Predicted | None, reference: HubReference) -> str:
    """Return what is known of shards that were not opened, and how to have them opened."""
    size = weights.declared_bytes
    known = size is not None and size < 10**20
    says = f"says {size:,} bytes" if known else "says no usable size"
    expected = f", the configuration makes {prediction.bytes:,}" if prediction else ""
    way = f"name the index to read them all: {replace(reference, file=weights.file)}"
    return f"the headers of its {weights.shards} shards were not read; the index {says}{expected}; {way}"


def _noticed(model: Model, code: str, text: str) -> Model:
    return replace(model, notices=(*model.notices, Notice(code=code, message=text)))


def _header_only(repository: HubRepository, reference: HubReference) -> Model:
    weights = hub_weights(repository, every_header=True)
    assert weights.listing is not None
    return model_of_listing(weights.listing, name=str(reference), origin=_origin(repository))


def _origin(repository: HubRepository) -> str:
    return f"hub, revision {repository.revision or 'main'}"
