"""A model of a file's header that somebody sent: read by the readers of local files, never stored.

A safetensors header is the first 8 + n bytes of its file. A GGUF header goes up to the end of its tensor
infos; its sender may leave out pairs of metadata that say nothing of sizes (the tokenizer's lists are tens of
megabytes), as long as he says where the header ends in the file. Offsets are checked against the size of
the whole file.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from sizewise.architecture import HEADER, Model
from sizewise.counting import count
from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.notices import Notice
from sizewise.report.document import SCHEMA_VERSION, warnings
from sizewise.sources.adapter import holds_adapter
from sizewise.sources.config_json import from_config
from sizewise.sources.content.training_state import without_training
from sizewise.sources.gguf.model import model_of_gguf
from sizewise.sources.gguf.parts import COUNT
from sizewise.sources.gguf.reader import read_gguf
from sizewise.sources.header_model import model_of_listing, with_listing
from sizewise.sources.json_text import parse_object
from sizewise.sources.ranges import BytesReader
from sizewise.sources.safetensors.header import PREFIX_BYTES, HeaderLimits, read_header

HEADER_BYTES = 8 * 2**20
"""Most bytes of a header that is sent; larger ones are read by the command line."""
CONFIG_BYTES = 1_000_000
TENSORS = 200_000
SAFETENSORS = HeaderLimits(header_bytes=HEADER_BYTES - PREFIX_BYTES, tensors=TENSORS, depth=32)
SENT = "header:"
"""How references to models of sent headers begin."""

_PART = re.compile(r"-(?P<number>\d{5})-of-(?P<count>\d{5})\.safetensors$", re.ASCII)

Kind = Literal["safetensors", "gguf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SentHeader:
    """The first bytes of a file of ``size`` bytes, and its configuration where it was sent too.

    ``end`` is where the header ends in the file; None where it is as long as ``data``.
    """

    kind: Kind
    data: bytes = field(repr=False)
    size: int
    end: int | None = None
    name: str = ""
    config: bytes = field(default=b"", repr=False)

    @property
    def reference(self) -> str:
        """What the model is called: equal for equal bytes."""
        told = f"{self.kind} {self.size} {self.end} {len(self.config)} {self.name}\n".encode()
        return SENT + sha256(told + self.config + self.data).hexdigest()[:20]


def model_of_header(sent: SentHeader) -> Model:
    """Return the model of a header.

    Raises InputError with the codes of the readers, header_too_large, too_many_tensors, missing_shard for a
    part of a GGUF file, and bad_offsets where the header ends before its own bytes.
    """
    name = shorten(sent.name, 120) if sent.name else f"file.{sent.kind}"
    if len(sent.data) > HEADER_BYTES:
        raise InputError(
            "header_too_large",
            f"the header of {name} is over {HEADER_BYTES:,} bytes; ask the command line",
        )
    return _of_safetensors(sent, name) if sent.kind == "safetensors" else _of_gguf(sent, name)


def header_document(model: Model, reference: str, kind: str) -> dict[str, Any]:
    """Return what is known of a model that was sent or fetched: parameters, and bytes of the checkpoint."""
    return {
        "schema_version": SCHEMA_VERSION,
        "model": reference,
        "name": model.name,
        "format": kind,
        "quant": model.default_format,
        "model_type": None if model.model_type == HEADER else model.model_type,
        "parameters": count(model).total.value,
        "checkpoint_bytes": None if model.listing is None else model.listing.bytes,
        "context": model.context,
        "warnings": warnings(model.notices),
    }


def _of_safetensors(sent: SentHeader, name: str) -> Model:
    source = BytesReader(sent.data, name=name, size=sent.size)
    listing = without_training(read_header(source, SAFETENSORS), name)
    if sent.config:
        raw, doubled = parse_object(sent.config, "the config", limit=CONFIG_BYTES)
        config = from_config(raw, name=name, origin="config and header that were sent", duplicates=doubled)
        return with_listing(config, listing)
    model = model_of_listing(listing, name=name, origin=f"header of {name}")
    notices = tuple(_alone(name, listing.tensors.names))
    return replace(model, notices=(*model.notices, *notices))


def _alone(name: str, tensors: Iterable[str]) -> Iterator[Notice]:
    """Yield what a header alone leaves out."""
    part = _PART.search(name)
    if part is not None and int(part["count"]) > 1:
        text = f"counted is part {int(part['number']):,} of {int(part['count']):,} alone, not the whole model"
        yield Notice(code="missing_shard", message=text)
    if holds_adapter(name, tensors):
        text = "counted is an adapter, without the parameters of its base model"
        yield Notice(code="adapter", message=text)


def _of_gguf(sent: SentHeader, name: str) -> Model:
    left_out = 0 if sent.end is None else sent.end - len(sent.data)
    if left_out < 0 or len(sent.data) > sent.size:
        raise InputError("bad_offsets", f"{name}: its header is longer than where it ends in the file")
    file = read_gguf(BytesReader(sent.data, name=name, size=sent.size), left_out=left_out)
    if len(file.listing.tensors) > TENSORS:
        raise InputError("too_many_tensors", f"{name} names more than {TENSORS:,} tensors")
    parts = file.metadata.whole(COUNT) or 1
    if parts > 1:
        raise InputError(
            "missing_shard", f"{name} is one of {parts:,} parts; ask the command line, which reads them all"
        )
    return model_of_gguf(file, name=name, origin=f"header of {name}")
