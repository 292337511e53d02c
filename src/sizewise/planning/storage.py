"""Which format a model's weights are counted in, and how each of them is stored in it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from sizewise.architecture import Model
from sizewise.catalog.formats import Format, file_type_formats, find_format
from sizewise.catalog.ggml import find_file_type
from sizewise.counting import total_parameters
from sizewise.errors import InputError, UsageError
from sizewise.escaping import shorten
from sizewise.footprint.weights import sixteen_bit, storage
from sizewise.formats.scheme import Scheme
from sizewise.ledger import Line, leaf, total
from sizewise.listing import Listing
from sizewise.notices import Notice

MIXED = "f16"
"""The file type in whose place a file stands that names none."""
FILE_TYPE_ENGINES = frozenset(("llama.cpp", "ollama"))
OWN_FILE_TYPES = {"fp32": "f32", "fp16": "f16", "bf16": "bf16", "mxfp4": "mxfp4_moe"}
"""File types of llama.cpp with the numbers of a format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The main format of the weights, the scheme of all of them, and what the header says of them."""

    format: Format
    scheme: Scheme
    shipped: Line | None = None
    notices: tuple[Notice, ...] = ()


@lru_cache(maxsize=256)
def asked_storage(model: Model, chosen: Format) -> Storage:
    """Return how a model is stored in a format that somebody asks for.

    The format that the source itself declares is taken with the source's settings and exceptions. Of a
    file type the scheme only says what the rest is computed in.
    """
    if chosen.is_file_type:
        return Storage(format=chosen, scheme=storage(model.architecture, find_format("fp16"), "fp16"))
    base = sixteen_bit(model.dtype)
    return Storage(format=chosen, scheme=storage(model.architecture, chosen, base, model.quantization))


def stored_for(model: Model, storage: Storage, runtime: str) -> Storage:
    """Return how an engine stores what is in 16 or 32 bit: llama.cpp as the file type of that name.

    Raises UsageError (bad_option) for formats that llama.cpp does not read, and file types elsewhere.
    """
    own = runtime in FILE_TYPE_ENGINES
    if storage.format.is_file_type:
        if own or runtime == "ideal":
            return storage
        text = (
            f"{runtime} does not run {storage.format.name}, a file type of llama.cpp; use --runtime llama.cpp"
        )
        raise UsageError("bad_option", text)
    if not own:
        return storage
    name = OWN_FILE_TYPES.get(storage.format.name)
    if name is None:
        text = f"{runtime} does not run {storage.format.name}; name a file type, e.g. --quant q4_k_m"
        raise UsageError("bad_option", text)
    return asked_storage(model, file_type_formats()[name])


def own_storage(model: Model) -> Storage:
    """Return how the source says its weights are stored; bf16, assumed, where it says nothing.

    A checkpoint's header decides the bytes. Raises InputError (unsupported_format) for a quantization
    method that is not known where there is no header.
    """
    if model.listing is None:
        return _declared_storage(model)
    if model.listing.blocks:
        return _gguf_storage(model, model.listing)
    copied = copied_bytes(model, model.listing)
    shipped = shipped_weights(model.listing, copied)
    declared = _declared_storage(model)
    return replace(declared, shipped=shipped, notices=_copied_notices(model, copied))


def _gguf_storage(model: Model, listing: Listing) -> Storage:
    """Return how a GGUF file stores its tensors: under the file type's name, with the bytes of its header."""
    named = find_file_type(model.default_format or "")
    row = file_type_formats()[named.name if named else MIXED]
    if named is None:
        bits = Fraction(8 * listing.bytes, max(1, listing.elements))
        row = replace(row, name="mixed", bits=bits, about="block types as the file holds them")
    return replace(asked_storage(model, row), shipped=shipped_weights(listing, {}))


def copied_bytes(model: Model, listing: Listing) -> dict[str, int]:
    """Return the bytes, by dtype, of tables that a file stores again although the model ties them."""
    from sizewise.sources.content.logical import logical_tensors

    found: Counter[str] = Counter()
    table = listing.tensors
    rows = zip(logical_tensors(listing, model), table.dtypes, table.counted_bytes, strict=True)
    for tensor, dtype, size in rows:
        if tensor.kind in ("tied_copy", "table_copy"):
            found[dtype] += size
    return found


def _copied_notices(model: Model, copied: Mapping[str, int]) -> tuple[Notice, ...]:
    """Say which bytes of the files are no weights of their own."""
    if not copied:
        return ()
    text = (
        f"{sum(copied.values()):,} bytes of the files of {model.name} are second copies of tied tables, "
        "which are loaded once; they are not among its weights"
    )
    return (Notice(code="tied_copy", message=text),)


def shipped_weights(listing: Listing, copied: Mapping[str, int]) -> Line:
    """Return the bytes of tensor data that a header tells and that is loaded, a part per dtype."""
    leaves = [
        leaf(
            row.dtype,
            row.bytes - copied.get(row.dtype, 0),
            "bytes",
            source=f"{row.tensors:,} tensors in the header",
        )
        for row in listing.by_dtype()
    ]
    return total("weights", leaves, "bytes")


def _declared_storage(model: Model) -> Storage:
    if model.quantization is None:
        chosen = find_format(model.dtype or "bf16")
        scheme = storage(model.architecture, chosen, chosen.name, assumed=model.dtype is None)
        return Storage(format=chosen, scheme=scheme)
    if not model.quantization.known and model.listing is not None:
        return _unknown_storage(model, model.quantization.method)
    if not model.quantization.known:
        raise InputError(
            "unsupported_format",
            f"{model.name}: its quantization method {model.quantization.method!r} is not known, so its bytes "
            "are not; name a format with --quant, e.g. --quant bf16",
        )
    return asked_storage(model, find_format(model.quantization.format))


def _unknown_storage(model: Model, method: str) -> Storage:
    """Return a storage under the name of its method, of which only the header's bytes are known."""
    base = find_format(sixteen_bit(model.dtype))
    assert model.listing is not None
    bits = Fraction(8 * model.listing.bytes, max(1, total_parameters(model.architecture)))
    named = replace(base, name=shorten(method, 40), bits=min(bits, base.bits), status="assumed")
    return Storage(format=named, scheme=storage(model.architecture, base, base.name, assumed=True))
