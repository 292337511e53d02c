"""What is done apart from the process that serves: questions that may take long, and text from strangers."""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from sizewise.architecture import Model
from sizewise.errors import UsageError
from sizewise.service.answers import Reply, ask, known_model
from sizewise.service.headers import SentHeader, header_document, model_of_header
from sizewise.service.verbs import verb

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
    """A verb with its values, and the held models that these name."""

    verb: str
    values: Mapping[str, Any]
    models: Mapping[str, bytes] = field(default_factory=dict)
    also_markdown: bool = False

    def done(self) -> Reply:
        """Return the answer. Raises SizewiseError as `ask`."""
        return ask(verb(self.verb), self.values, known=self._known, also_markdown=self.also_markdown)

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


Job = Question | Reading


@lru_cache(maxsize=LOADED)
def _unpacked(packed: bytes) -> Model:
    model: Model = pickle.loads(packed)  # noqa: S301 - packed by `held`, never by a sender
    return model
