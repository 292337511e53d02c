"""What is done apart from the process that serves: questions that may take long, and text from strangers."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sizewise.architecture import Model
from sizewise.errors import UsageError
from sizewise.escaping import shorten
from sizewise.service.answers import Reply, ask, known_model
from sizewise.service.headers import SentHeader, header_document, model_of_header
from sizewise.service.verbs import verb
from sizewise.sources.hub.reference import HubReference, parse_hub_reference

FETCHED = "hub:"
"""How references to models of the hub begin."""
LOADED = 4
"""Held models that a process keeps unpacked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldModel:
    """A model that was sent or fetched, packed by this package, and what is known of it."""

    packed: bytes = field(repr=False)
    document: Mapping[str, Any]


def held(model: Model, reference: str, kind: str) -> HeldModel:
    """Return a model as it is held under a reference; ``kind`` is the format of its files."""
    return HeldModel(packed=pickle.dumps(model, 5), document=header_document(model, reference, kind))


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A verb with its values, the held models that these name, and the ways of `ask`."""

    verb: str
    values: Mapping[str, Any]
    models: Mapping[str, bytes] = field(default_factory=dict)
    here: bool = False
    also_markdown: bool = False

    def done(self) -> Reply:
        """Return the answer. Raises SizewiseError as `ask`."""
        return ask(
            verb(self.verb),
            self.values,
            known=self._known,
            here=self.here,
            also_markdown=self.also_markdown,
        )

    def _known(self, reference: str, settings: Sequence[str]) -> Model:
        packed = self.models.get(reference)
        if packed is None:
            return known_model(reference, settings)
        if settings:
            raise UsageError("bad_option", "set changes a configuration; this model is taken as its file is")
        return _unpacked(packed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A header to be read."""

    sent: SentHeader

    def done(self) -> HeldModel:
        """Return its model. Raises InputError as `model_of_header`."""
        return held(model_of_header(self.sent), self.sent.reference, self.sent.kind)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetching:
    """A model of the hub to be fetched: ``org/name[@revision][:file]``."""

    id: str

    def done(self) -> HeldModel:
        """Return the model. Raises UsageError (bad_reference), and HubError and InputError as `from_hub`."""
        from sizewise.sources.hub.model import from_hub

        found = from_hub(hub_id(self.id), {}, offline=False)
        in_blocks = found.listing is not None and found.listing.blocks
        return held(found, fetched(self.id), "gguf" if in_blocks else "safetensors")


def fetched(id: str) -> str:
    """Return the reference to a fetched model. Raises UsageError (bad_reference) for what is no id."""
    return f"{FETCHED}{hub_id(id)}"


def hub_id(id: str) -> HubReference:
    """Return what an id of the hub means. Raises UsageError (bad_reference) for what is none."""
    found = parse_hub_reference(id)
    if found is None:
        raise UsageError("bad_reference", f"{shorten(id, 80)!r} is no id of the hub; write org/name")
    return found


Job = Question | Reading | Fetching


@lru_cache(maxsize=LOADED)
def _unpacked(packed: bytes) -> Model:
    model: Model = pickle.loads(packed)  # noqa: S301 - packed by `held`, never by a sender
    return model
