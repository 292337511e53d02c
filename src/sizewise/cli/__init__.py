"""The command line: one file per command, imported only when that command is asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import click

from sizewise import __version__
from sizewise.errors import did_you_mean

COMMANDS = {
    "params": "how many parameters, where: total, active, trainable",
    "memory": "how much memory to run it, what it fits, what to change",
    "speed": "time to first token, time per token, throughput on a device",
    "choose": "what size of model is needed for a quality, on a device or within a budget",
    "recommend": "which models run on this machine, how well, how fast, and how to start them",
    "plan": "what to rent to serve a model (plan serve) or to train it (plan train)",
    "laws": "scaling laws: loss, compute-optimal size and data, over-training, your own fit",
    "profile": "count, measure and time a real model, beside what is predicted",
    "quantize": "say the exact bytes, write them, prove them, and measure what they cost",
    "prune": "take weights, layers or widths out of a real model, and say what that saves",
    "distill": "plan a student of a teacher, or train a small one beside its control",
    "calibrate": "learn from a measured run of this machine",
    "validate": "how good the predictions are, on shipped measurements",
    "catalog": "the facts: models, devices, formats, laws, sizes",
    "web": "the page and the REST service, on this machine",
    "mcp": "the questions as tools for agents, over standard input and output",
    "doctor": "what was detected on this machine",
    "completion": "print the completion script of a shell",
}


ELSEWHERE = {"web": "sizewise.web.command", "mcp": "sizewise.mcp.command"}
"""Commands that stand above the command line: they answer with the other commands."""


class KnownCommands(click.Group):
    """A group that names its commands where another one is asked for."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that is asked for. Raises click.UsageError for another."""
        known = self.list_commands(ctx)
        if args and not args[0].startswith("-") and args[0] not in known:
            near = did_you_mean(args[0], known)
            raise click.UsageError(f"unknown command {args[0][:60]!r}{near}; known: {', '.join(known)}")
        return super().resolve_command(ctx, args)


class LateCommands(KnownCommands):
    """A group that knows what its commands are about and imports each when it is asked for.

    ``late`` maps a command to a line about it; the command lives in the module of that name in ``package``,
    or in the one that ``elsewhere`` names.
    """

    def __init__(
        self,
        *args: Any,
        package: str = "sizewise.cli",
        late: Mapping[str, str] | None = None,
        elsewhere: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.package = package
        self.late = dict(late or {})
        self.elsewhere = dict(elsewhere or {})

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in their order."""
        return list(self.late)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, or None where there is none of that name."""
        if cmd_name not in self.late:
            return None
        module = self.elsewhere.get(cmd_name, f"{self.package}.{cmd_name}")
        found: click.Command = import_module(module).command
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands into a help page without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.late.items()))


@click.group(
    cls=LateCommands,
    late=COMMANDS,
    elsewhere=ELSEWHERE,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(__version__, "--version", message="sizewise %(version)s")
@click.pass_context
def command(ctx: click.Context) -> None:
    """How large is this language model, what memory does it need, and where does it fit?

    A model is a catalogue name (llama-3.1-8b), an Ollama tag (qwen2.5:7b), a config.json or its
    folder, - for standard input, or a bare size (7b).
    """
    if ctx.invoked_subcommand is None:
        raise click.UsageError(f"no command given; one of: {', '.join(COMMANDS)} (sizewise --help)")
