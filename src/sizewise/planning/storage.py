"""Which format a model's weights are counted in, and how each of them is stored in it."""

from dataclasses import dataclass, replace

from sizewise.architecture import Model
from sizewise.catalog.formats import Format, find_format
from sizewise.errors import InputError
from sizewise.footprint.weights import sixteen_bit, storage
from sizewise.formats.scheme import Scheme
from sizewise.ledger import Line, leaf, total
from sizewise.listing import Listing


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The main format of the weights, the scheme of all of them, and what the header says."""

    format: Format
    scheme: Scheme
    shipped: Line | None = None


def asked_storage(model: Model, chosen: Format) -> Storage:
    """Return how a model is stored in a format that somebody asks for.

    The format that the source itself declares is taken with the source's settings and exceptions.
    """
    base = sixteen_bit(model.dtype)
    return Storage(format=chosen, scheme=storage(model.architecture, chosen, base, model.quantization))


def own_storage(model: Model) -> Storage:
    """Return how the source says its weights are stored; bf16, assumed, where it says nothing.

    A checkpoint's header decides the bytes. Raises InputError (unsupported_format) for a quantization
    method that is not known.
    """
    return replace(_declared_storage(model), shipped=shipped_weights(model.listing))


def shipped_weights(listing: Listing | None) -> Line | None:
    """Return the bytes of tensor data that a header tells, a part per dtype; None without a header."""
    if listing is None:
        return None
    leaves = [
        leaf(row.dtype, row.bytes, "bytes", source=f"{row.tensors:,} tensors in the header")
        for row in listing.by_dtype()
    ]
    return total("weights", leaves, "bytes")


def _declared_storage(model: Model) -> Storage:
    if model.quantization is None:
        chosen = find_format(model.dtype or "bf16")
        scheme = storage(model.architecture, chosen, chosen.name, assumed=model.dtype is None)
        return Storage(format=chosen, scheme=scheme)
    if not model.quantization.known:
        raise InputError(
            "unsupported_format",
            f"{model.name}: its quantization method {model.quantization.method!r} is not known, so its bytes "
            "are not; name a format with --quant, e.g. --quant bf16",
        )
    return asked_storage(model, find_format(model.quantization.format))
