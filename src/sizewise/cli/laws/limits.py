"""What a model of a budget has to keep within, from the options of the command line."""

from collections.abc import Callable
from typing import Any

import click

from sizewise.cli.laws.options import Count
from sizewise.cli.options import Tokens, with_options
from sizewise.planning.defaults import Asked
from sizewise.planning.sizing.limits import Limits
from sizewise.units import parse_memory

Command = Callable[..., Any]

LIMITS = (
    click.option("--buildable", is_flag=True, help="Real shapes near the best size, with exact counts."),
    click.option("--max-params", type=Count(), help="At most so many parameters (shapes)."),
    click.option("--max-tokens", type=Count(), help="At most so many training tokens (shapes)."),
    click.option("--unique-tokens", type=Count(), help="The data end here (shapes)."),
    click.option("--epochs", type=click.FloatRange(min=1), help="Passes over the unique tokens at most (1)."),
    click.option("--memory", "memory", help="Has to run in so much memory, e.g. 24GiB (shapes)."),
    click.option("--fits", "fits", metavar="DEVICE", help="Has to run on this device (shapes)."),
    click.option("--quant", "-q", "quant", help="In this format, e.g. q4_k_m."),
    click.option("--context", "-c", "context", type=Tokens(), help="At this context, e.g. 8k."),
    click.option("--runtime", default="auto", help="In this engine, as sizewise memory takes it."),
    click.option("--vocab", type=click.IntRange(1, 10**8), help="Vocabulary of the shapes."),
)


def limit_options(function: Command) -> Command:
    """Add limits; the command hands them to `limits`."""
    return with_options(*LIMITS)(function)


def limits(
    *,
    max_params: float | None,
    max_tokens: float | None,
    unique_tokens: float | None,
    epochs: float | None,
    memory: str | None,
    fits: str | None,
    quant: str | None,
    context: int | None,
    runtime: str,
) -> Limits | None:
    """Return the limits that were given, None where none was.

    Raises click.UsageError for a format or a context that nothing is to run in.
    """
    run = memory is not None or fits is not None
    if (quant is not None or runtime != "auto") and not run:
        raise click.UsageError("a format to run in needs --memory 24GiB or --fits DEVICE")
    asked = None
    if run:
        asked = Asked(
            context=context,
            quant=quant,
            runtime=runtime,
            on=fits,
            memory_bytes=None if memory is None else parse_memory(memory),
        )
    given = (max_params, max_tokens, unique_tokens, epochs, asked)
    if all(one is None for one in given):
        return None
    return Limits(
        params=max_params, tokens=max_tokens, unique_tokens=unique_tokens, epochs=epochs, memory=asked
    )
