"""Answers for a service: kept ones at once, short ones here, long ones and strangers' models in processes."""

import json
import os
import re
from asyncio import Lock, sleep
from collections.abc import Iterator, Mapping
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.service.answers import Reply, ask
from sizewise.service.cache import BoundedCache
from sizewise.service.headers import SENT, SentHeader
from sizewise.service.jobs import FETCHED, Fetching, HeldModel, Question, Reading, fetched
from sizewise.service.verbs import Verb
from sizewise.service.workers import Workers

SHORT_SECONDS, LONG_SECONDS, HUB_SECONDS = 2.0, 10.0, 40.0
"""Deadlines of questions, of searches and fits, and of a model of the hub."""
LOGIN = frozenset(
    {"HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_CACHE", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_CACHE"}
)
"""Variables that say where a token or private models are; those who ask have another login, or none."""
ANSWERS = {"entries": 2_000, "most_bytes": 16 * 2**20}
MODELS = {"entries": 256, "most_bytes": 32 * 2**20}
LONG_VALUES = frozenset({"set", "layers", "largest_model", "draft", "tensors"})
"""Options that load further models, change one into any other, make one, or list all its tensors."""
FEW_DEVICES, FEW_MODELS = 16, 3
"""So many are asked about without others having to wait."""
_COUNT = re.compile(r":\s*([0-9]{1,9})")


class Answerer:
    """Answers questions of a service; close it at the end.

    Answers are kept as long as the process: facts and prices do not change under it. ``here`` lets ``on``
    mean this machine; ``also_markdown``: answers come as Markdown beside their format. Questions that are
    answered here take turns in the order they came in: between two of them the event loop hears new ones.
    """

    def __init__(self, *, here: bool = False, also_markdown: bool = False) -> None:
        self._here, self._also_markdown = here, also_markdown
        self._turn = Lock()
        self._workers = Workers(warm=True)
        self._fetchers = Workers(environment=without_login())
        self._answers: BoundedCache[Reply] = BoundedCache(**ANSWERS)
        self._models: BoundedCache[HeldModel] = BoundedCache(**MODELS)

    async def answer(self, asked: Verb, values: Mapping[str, Any]) -> Reply:
        """Return the answer of a verb to values that are named as its options.

        Raises SizewiseError as `ask`, InputError (not_found) for a sent header that is no longer held, and
        Unanswered, and Failed for a bug in a process.
        """
        name = f"{asked.name} {json.dumps(values, sort_keys=True)}"
        kept = self._answers.get(name)
        if kept is not None:
            return kept
        models = {reference: self._held(reference).packed for reference in _references(values)}
        if models or is_long(asked, values):
            job = Question(
                verb=asked.name,
                values=dict(values),
                models=models,
                here=self._here,
                also_markdown=self._also_markdown,
            )
            reply: Reply = await self._workers.do(job, seconds_for(asked, values))
        else:
            async with self._turn:
                await sleep(0)
                reply = ask(asked, values, here=self._here, also_markdown=self._also_markdown)
        self._answers.put(name, reply, len(name) + len(reply.text))
        return reply

    async def read_header(self, sent: SentHeader) -> Mapping[str, Any]:
        """Return what a header says; its model is then held under ``model``.

        Raises InputError as `model_of_header`, and Unanswered.
        """
        known = self._models.get(sent.reference)
        if known is not None:
            return known.document
        found: HeldModel = await self._workers.do(Reading(sent=sent), SHORT_SECONDS)
        self.hold(sent.reference, found)
        return found.document

    async def fetch(self, id: str) -> Mapping[str, Any]:
        """Return what the hub says of a model, without any login; it is then held under ``model``.

        Raises UsageError (bad_reference), HubError and InputError as `from_hub`, and Unanswered.
        """
        reference = fetched(id)
        known = self._models.get(reference)
        if known is not None:
            return known.document
        found: HeldModel = await self._fetchers.do(Fetching(id=id), HUB_SECONDS)
        self.hold(reference, found)
        return found.document

    def hold(self, reference: str, model: HeldModel) -> None:
        """Hold a model under a reference. Raises InputError (too_many_tensors) for one that is too large."""
        if not self._models.put(reference, model, len(model.packed)):
            raise InputError("too_many_tensors", "this header is too long to be held; ask the command line")

    def close(self) -> None:
        """End the processes."""
        self._workers.close()
        self._fetchers.close()

    def _held(self, reference: str) -> HeldModel:
        found = self._models.get(reference)
        if found is None:
            again = "drop the file again" if reference.startswith(SENT) else "fetch it with /api/hub"
            raise InputError("not_found", f"{shorten(reference, 60)} is no longer held; {again}")
        return found


def without_login() -> dict[str, str]:
    """Return the environment without a token of the hub and without the models that were loaded with one."""
    kept = {name: value for name, value in os.environ.items() if name not in LOGIN}
    return kept | {"HF_HOME": os.path.join(os.devnull, "none"), "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1"}


def seconds_for(asked: Verb, values: Mapping[str, Any]) -> float:
    """Return the deadline of an answer: searches, fits and each runtime in turn take long."""
    return LONG_SECONDS if asked.is_slow or _all_runtimes(values) else SHORT_SECONDS


def is_long(asked: Verb, values: Mapping[str, Any]) -> bool:
    """Tell whether an answer may keep others waiting: searches, fits, models of somebody else."""
    if asked.is_slow or any(values.get(name) for name in LONG_VALUES):
        return True
    if _all_runtimes(values):
        return True
    devices = sum(map(int, _COUNT.findall(str(values.get("on", "")))))
    models = list(_models(values))
    if devices > FEW_DEVICES or len(models) > FEW_MODELS:
        return True
    return any(not isinstance(one, str) or one.lstrip().startswith("{") for one in models)


def _all_runtimes(values: Mapping[str, Any]) -> bool:
    return str(values.get("runtime", "")).strip().lower() == "all"


def _models(values: Mapping[str, Any]) -> Iterator[Any]:
    for name in ("model", "draft"):
        given = values.get(name)
        if given is not None:
            yield from given if isinstance(given, list) else [given]


def _references(values: Mapping[str, Any]) -> Iterator[str]:
    """Yield the references to held models among the values."""
    for one in _models(values):
        if isinstance(one, str) and one.startswith((SENT, FETCHED)):
            yield one
