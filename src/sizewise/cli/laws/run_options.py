"""Options that say how a file of runs is read."""

from collections.abc import Callable
from typing import Any

import click

from sizewise.cli.caller import runs_file
from sizewise.cli.laws.options import Count
from sizewise.cli.options import with_options
from sizewise.errors import UsageError
from sizewise.escaping import shorten
from sizewise.scaling.run_files.read import read_runs
from sizewise.scaling.run_files.runs import Columns, Curves, Runs, Units
from sizewise.units import parse_count

Command = Callable[..., Any]

COLUMN = "COLUMN"
READING = (
    click.option("--n", "n", metavar=COLUMN, help="Column of parameters."),
    click.option("--d", "d", metavar=COLUMN, help="Column of training tokens."),
    click.option("--loss", "loss_column", metavar=COLUMN, help="Column of losses."),
    click.option("--flops", "flops_column", metavar=COLUMN, help="Column of training FLOPs."),
    click.option("--run", "run_column", metavar=COLUMN, help="Column of the names of runs."),
    click.option(
        "--column",
        "roles",
        multiple=True,
        metavar="ROLE=COLUMN",
        help="A further column: unique_tokens=…, experts=…, learning_rate=…, schedule=….",
    ),
    click.option(
        "--units",
        multiple=True,
        metavar="ROLE=UNIT",
        help="n=millions, d=billions, flops=pf-days, loss=bits.",
    ),
    click.option("--where", multiple=True, metavar="COLUMN=VALUE", help="Only rows that have this value."),
    click.option("--skip-incomplete", is_flag=True, help="Leave out rows with missing cells."),
    click.option(
        "--size-of",
        multiple=True,
        metavar="RUN=COUNT",
        help="Parameters of a run, for exports of curves that do not say.",
    ),
    click.option("--tokens-per-step", type=Count(), help="Tokens of a step, for curves over steps."),
)
KEYS = (
    "n",
    "d",
    "loss_column",
    "flops_column",
    "run_column",
    "roles",
    "units",
    "where",
    "skip_incomplete",
    "size_of",
    "tokens_per_step",
)


def reading_options(function: Command) -> Command:
    """Add the options of KEYS; the command hands them to `runs_of`."""
    return with_options(*READING)(function)


def runs_of(path: str, told: dict[str, Any], *, every_point: bool = False) -> Runs:
    """Return the runs of a file; ``told`` are the options of KEYS. Raises as `read_runs`."""
    units = _pairs("--units", told["units"])
    unknown = set(units) - {"n", "d", "flops", "loss"}
    if unknown:
        raise UsageError(
            "bad_option", f"--units: no column {shorten(unknown.pop(), 40)!r}; n, d, flops, loss"
        )
    sizes = {name: float(parse_count(size)) for name, size in _pairs("--size-of", told["size_of"]).items()}
    return read_runs(
        runs_file(path),
        Columns(
            n=told["n"],
            d=told["d"],
            loss=told["loss_column"],
            flops=told["flops_column"],
            run=told["run_column"],
            others=_pairs("--column", told["roles"]),
        ),
        units=Units(**units),
        curves=Curves(params=sizes, tokens_per_step=told["tokens_per_step"], every_point=every_point),
        where=_pairs("--where", told["where"]),
        skip_incomplete=told["skip_incomplete"],
    )


def _pairs(option: str, values: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for value in values:
        name, equals, right = value.partition("=")
        if not (name and equals and right):
            raise UsageError("bad_option", f"{option} {shorten(value, 60)!r}: write NAME=VALUE")
        found[name] = right
    return found
