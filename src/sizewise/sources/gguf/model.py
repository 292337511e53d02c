"""A model from a GGUF file: what it is and does from its metadata, what it holds from its tensors."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from math import prod
from typing import Any

from sizewise.architecture import Model, RopeScaling
from sizewise.catalog.ggml import file_types
from sizewise.errors import InputError, UsageError
from sizewise.listing import Listing
from sizewise.notices import Notice
from sizewise.sources.config_json import from_config
from sizewise.sources.gguf.configuration import configuration_of
from sizewise.sources.gguf.reader import GgufFile
from sizewise.sources.header_model import model_of_listing, with_listing

FILE_TYPE = "general.file_type"
FACTORS = "rope_factors_long.weight"
"""A table of one factor for every two features that are turned."""
_DTYPES = {"F32": "fp32", "F16": "fp16", "BF16": "bf16"}


def model_of_gguf(
    file: GgufFile, *, name: str, origin: str, settings: Mapping[str, Any] | None = None
) -> Model:
    """Return the model of a GGUF file: of an unknown architecture only parameters and bytes.

    Raises InputError (missing_tensor) for a file without parameters; UsageError (bad_option) for settings
    where there is no configuration that they could change.
    """
    found = configuration_of(file)
    listing = replace(file.listing, notices=(*file.listing.notices, *found.notices))
    if found.raw is not None:
        try:
            model = from_config(found.raw, name=name, origin=origin, settings=settings)
        except InputError as error:
            listing = _with_notice(listing, error)
        else:
            return with_listing(_stored(replace(model, rope=_rope(file) or model.rope), file), listing)
    if settings:
        raise UsageError("bad_option", "--set changes a configuration; this file's metadata makes none")
    return _stored(model_of_listing(listing, name=name, origin=origin), file)


def _rope(file: GgufFile) -> RopeScaling | None:
    """Return the scaling of positions by listed factors, None where a file has no table of them."""
    table = file.listing.tensors
    shapes = (shape for name, shape in zip(table.names, table.shapes, strict=True) if name == FACTORS)
    listed = next((prod(shape) for shape in shapes), 0)
    return RopeScaling(kind="longrope", features=2 * listed, listed=listed) if listed else None


def gguf_configuration(file: GgufFile) -> dict[str, Any]:
    """Return the configuration that a file means. Raises InputError (unsupported_architecture) for none."""
    found = configuration_of(file)
    if found.raw is None:
        raise InputError("unsupported_architecture", found.notices[0].message)
    return dict(found.raw)


def _with_notice(listing: Listing, error: InputError) -> Listing:
    """Return the listing with what keeps its metadata from being a configuration."""
    text = f"the metadata makes no configuration, so the cache is not known: {error.message}"
    return replace(listing, notices=(*listing.notices, Notice(code=error.code, message=text)))


def _stored(model: Model, file: GgufFile) -> Model:
    """Return the model with the number format of what is not in blocks and the nominal file type."""
    return replace(model, dtype=_dtype(file.listing), default_format=nominal_type(file))


def _dtype(listing: Listing) -> str:
    """Return the format of most numbers that are in no blocks, vectors aside; fp16 where there are none."""
    found: Counter[str] = Counter()
    for dtype, shape, stored in zip(
        listing.tensors.dtypes, listing.tensors.shapes, listing.tensors.counted, strict=True
    ):
        if dtype in _DTYPES and len(shape) > 1:
            found[dtype] += stored
    packed = any(dtype not in _DTYPES for dtype in listing.tensors.dtypes)
    if not found or (packed and "F32" in found and len(found) == 1):
        return "fp16"
    return _DTYPES[found.most_common(1)[0][0]]


def nominal_type(file: GgufFile) -> str | None:
    """Return the file type that a file says it has; its tensors may be mixed otherwise."""
    number = file.metadata.whole(FILE_TYPE)
    return next((row.name for row in file_types().values() if row.id == number), None)
