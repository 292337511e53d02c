"""The commands that a service offers, each with its options under the names of its flags.

Nothing is described twice: names, bounds, choices and help are those of the command line, and an answer is
what the command would print.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import import_module
from typing import Any

import click

from sizewise.errors import UsageError, did_you_mean
from sizewise.escaping import shorten
from sizewise.service.options import FLAG, Option, options_of, without_flags

OFFERED: Mapping[str, str] = {
    "params": "params",
    "memory": "memory",
    "speed": "speed",
    "choose": "choose",
    "recommend": "recommend",
    "plan serve": "plan.serve",
    "plan train": "plan.train",
    "laws list": "laws.list",
    "laws show": "laws.show",
    "laws loss": "laws.loss",
    "laws optimal": "laws.optimal",
    "laws overtrain": "laws.overtrain",
    "laws data": "laws.data",
    "laws experts": "laws.experts",
    "laws precision": "laws.precision",
    "laws distill": "laws.distill",
    "laws prune": "laws.prune",
    "laws recipe": "laws.recipe",
    "laws capability": "laws.capability",
    "laws fit": "laws.fit",
    "laws design": "laws.design",
    "laws compare": "laws.compare",
    "catalog": "catalog",
    "validate": "validate",
}
"""The verbs and their modules below ``cli``; no command that measures, writes or detects is here."""

SLOW = frozenset(
    {"choose", "recommend", "plan serve", "plan train", "laws fit", "laws design", "laws compare", "validate"}
)
"""Searches and fits: they take tenths of seconds and more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Verb:
    """A question: its command, and the options that a service takes."""

    name: str
    command: click.Command
    options: Mapping[str, Option]

    @property
    def path(self) -> str:
        """The verb as a path: ``plan/serve``."""
        return self.name.replace(" ", "/")

    @property
    def summary(self) -> str:
        """The first sentence of the command's help."""
        return without_flags(" ".join((self.command.help or "").split("\n\n")[0].split()))

    @property
    def description(self) -> str:
        """The command's help, but for what it says of options that a service does not take."""
        parts = [" ".join(part.split()) for part in (self.command.help or "").split("\n\n")]
        kept = [part for part in parts if self.flags.keys() >= set(FLAG.findall(part))]
        return without_flags("\n\n".join(kept))

    @cached_property
    def flags(self) -> Mapping[str, str]:
        """The names of the options by every flag that a command line has for them, without dashes."""
        named = {option.flag: option.name for option in self.options.values()}
        return {
            flag.lstrip("-"): named[known]
            for parameter in self.command.params
            for known in named.keys() & set(parameter.opts)
            for flag in parameter.opts
        }

    @property
    def is_slow(self) -> bool:
        """Whether an answer may take longer than a service lets others wait."""
        return self.name in SLOW

    @property
    def takes_runs(self) -> bool:
        """Whether the question is about a file of runs."""
        return "runs" in self.options


@cache
def verb(name: str) -> Verb:
    """Return a verb by its name. Raises UsageError (bad_option) for one that is not offered."""
    if name not in OFFERED:
        near = did_you_mean(name, OFFERED)
        raise UsageError("bad_option", f"unknown question {shorten(name, 60)!r}{near}")
    command: click.Command = import_module(f"sizewise.cli.{OFFERED[name]}").command
    return Verb(name=name, command=command, options=options_of(command))


def arguments(asked: Verb, values: Mapping[str, Any]) -> list[str]:
    """Return the command line that asks with these values. Raises UsageError (bad_option) for unknown names.

    >>> arguments(verb("memory"), {"model": "llama-3.1-8b", "context": 8192, "explain": True})
    ['--context=8192', '--explain', '--', 'llama-3.1-8b']
    """
    flags: list[str] = []
    positional: list[str] = []
    for name, value in values.items():
        option = asked.options.get(name)
        if option is None:
            near = did_you_mean(name, asked.options)
            raise UsageError("bad_option", f"{asked.name} has no option {shorten(name, 60)!r}{near}")
        (positional if option.positional else flags).extend(option.words(value))
    return [*flags, "--", *positional] if positional else flags
