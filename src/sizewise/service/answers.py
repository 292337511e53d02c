"""Ask a verb and get what its command would print, with what it would warn of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import click

from sizewise.architecture import Model
from sizewise.cli.caller import Caller, Load
from sizewise.errors import SizewiseError, UsageError
from sizewise.escaping import shorten
from sizewise.notices import Notice
from sizewise.scaling.run_files.source import text_of
from sizewise.service.contexts import context_of
from sizewise.service.verbs import Verb
from sizewise.service.wording import for_service
from sizewise.sources.config_json import from_config
from sizewise.sources.json_text import parse_object
from sizewise.sources.reference import load_known
from sizewise.sources.settings import parse_settings

CONFIG_BYTES = 1_000_000
"""A configuration that a service reads is at most so long."""
MODELS_KEPT = 64
MOST_DRAWN = 30_000_000
"""Runs times draws of a fit: some 6 of the 10 seconds that it has, measured with 3,000 to 30,000 runs."""

Configuration = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer's text in the format that was asked for, as Markdown where wanted too, and its warnings."""

    text: str
    format: str
    markdown: str = ""
    notices: tuple[Notice, ...]


@lru_cache(maxsize=MODELS_KEPT)
def _known(reference: str, settings: tuple[str, ...]) -> Model:
    return load_known(reference, settings)


def known_model(reference: str, settings: Sequence[str] = ()) -> Model:
    """Return the model of a catalogue name, an Ollama tag or a size; no file and no network is touched.

    Raises UsageError (bad_reference) for everything else.
    """
    return _known(reference, tuple(settings))


def ask(
    asked: Verb,
    values: Mapping[str, Any],
    *,
    known: Load = known_model,
    here: bool = False,
    also_markdown: bool = False,
) -> Reply:
    """Return the answer of a verb to values that are named as its options.

    ``known`` loads the models that are named; configurations among the values are read as they are.
    ``here`` lets ``on`` mean this machine. Raises UsageError, InputError and HubError as the commands do, in
    the words of a service.
    """
    try:
        return _asked(asked, dict(values), known, here=here, also_markdown=also_markdown)
    except SizewiseError as error:
        raise type(error)(error.code, for_service(error.message, asked.flags)) from None


def _asked(asked: Verb, told: dict[str, Any], known: Load, *, here: bool, also_markdown: bool) -> Reply:
    if not here:
        _refuse_here(asked, told)
    configurations = _taken_out(told)
    runs = told.get("runs")
    if isinstance(runs, str):
        told["runs"] = "runs"
    form = told.setdefault("format", "json")

    def load(reference: str, settings: Sequence[str]) -> Model:
        if reference in configurations:
            return _configured(configurations[reference], settings)
        return known(reference, settings)

    caller = Caller(
        load=load,
        runs=text_of(runs.encode(), "runs") if isinstance(runs, str) else None,
        most_drawn=MOST_DRAWN,
        also_markdown=also_markdown,
    )
    _run(asked, told, caller)
    return Reply(text=caller.answer, format=str(form), markdown=caller.markdown, notices=caller.notices)


def _run(asked: Verb, told: Mapping[str, Any], caller: Caller) -> None:
    try:
        with context_of(asked, told, caller) as context:
            asked.command.invoke(context)
    except click.ClickException as error:
        raise UsageError("bad_option", error.format_message()) from None


def _taken_out(told: dict[str, Any]) -> dict[str, Configuration | str]:
    """Replace configurations by names for them, and return them under these."""
    given = told.get("model")
    if given is None:
        return {}
    found: dict[str, Configuration | str] = {}
    references: list[Any] = []
    for place, one in enumerate(given if isinstance(given, list) else [given]):
        if isinstance(one, Mapping) or (isinstance(one, str) and one.lstrip().startswith("{")):
            name = f"configuration {place + 1}"
            found[name] = one
            references.append(name)
        else:
            references.append(one)
    told["model"] = references
    return found


def _configured(given: Configuration | str, settings: Sequence[str]) -> Model:
    duplicates: list[str] = []
    if isinstance(given, str):
        given, duplicates = parse_object(given.encode(), "the configuration", limit=CONFIG_BYTES)
    return from_config(
        given,
        name="configuration",
        origin="configuration",
        settings=parse_settings(settings),
        duplicates=duplicates,
    )


def _refuse_here(asked: Verb, told: Mapping[str, Any]) -> None:
    """Refuse questions about the machine that answers."""
    on = told.get("on")
    if isinstance(on, str) and on.strip().lower() == "here":
        raise UsageError("bad_option", f"on: {shorten(on)!r} is the machine of the service; name a device")
    if asked.name == "recommend" and not (on or told.get("memory") or told.get("ram")):
        raise UsageError("bad_option", "on: name the device that models are recommended for, e.g. rtx-4090")
