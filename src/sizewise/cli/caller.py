"""Who asks a command: a person at a terminal, or a service in somebody's place.

A service puts a `Caller` into the click context. The command then takes its models and files from there and
hands its answer back instead of printing it; all else is as at a terminal.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sizewise.architecture import Model
from sizewise.errors import InputError
from sizewise.notices import Notice
from sizewise.scaling.run_files.source import Text
from sizewise.sources.reference import load_reference

Load = Callable[[str, Sequence[str]], Model]


@dataclass(slots=True, kw_only=True)
class Caller:
    """What a service gives a command, and what it gets back."""

    load: Load
    """The model of a reference with its ``key=value`` changes; raises as `load_reference`."""
    runs: Text | None = None
    """The text of a file of runs, for the questions that read one."""
    most_drawn: int | None = None
    """Runs times draws that a fit may have; more would outlast whoever waits."""
    also_markdown: bool = False
    """Whether the answer is wanted as Markdown beside its format."""
    answer: str = ""
    markdown: str = ""
    notices: tuple[Notice, ...] = ()


def caller() -> Caller | None:
    """Return the service that asks; None at a terminal."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_object(Caller)


def model_of(reference: str, settings: Sequence[str] = (), *, offline: bool = False) -> Model:
    """Return the model that a reference means to whoever asks. Raises as `load_reference`."""
    asking = caller()
    if asking is not None:
        return asking.load(reference, settings)
    return load_reference(reference, settings, offline=offline)


def names_runs(item: str) -> bool:
    """Tell whether an item means runs: a file that exists, or the word ``runs`` where a service asks."""
    return Path(item).exists() if caller() is None else item == "runs"


def runs_file(path: str) -> Text | str:
    """Return the runs that a service holds, or the path of those on this machine.

    Raises InputError (bad_data) where a service asks and holds none: its disk is no one's business.
    """
    asking = caller()
    if asking is None:
        return path
    if asking.runs is None:
        raise InputError("bad_data", "no runs were sent; send the text of a CSV file as runs")
    return asking.runs
