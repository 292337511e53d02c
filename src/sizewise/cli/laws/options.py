"""Options that several questions about scaling laws share."""

from math import isfinite
from typing import Any

import click

from sizewise.errors import UsageError
from sizewise.scaling.budget import FLOPS_PER_PARAM_AND_TOKEN
from sizewise.units import parse_count, parse_flops

DEFAULT_LAW = "besiroglu2024-published"


class Count(click.ParamType[float]):
    """A number of parameters or tokens: 7b, 1.4T, 8.03e9."""

    name = "count"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the count; click passes values through that are numbers already."""
        return float(parse_count(value)) if isinstance(value, str) else float(value)


class Flops(click.ParamType[float]):
    """A budget of compute: 1e24, 100 PF-days."""

    name = "flops"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return FLOPs; click passes values through that are numbers already."""
        flops = parse_flops(value) if isinstance(value, str) else float(value)
        if flops < FLOPS_PER_PARAM_AND_TOKEN:
            least = f"one parameter on one token takes {FLOPS_PER_PARAM_AND_TOKEN}"
            raise UsageError("bad_option", f"{flops:g} FLOPs train nothing: {least}; write it like 1e22")
        return flops


class Number(click.FloatRange):
    """A finite number within limits."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; NaN and infinities are refused, which no limit does."""
        number = float(super().convert(value, param, ctx))
        if not isfinite(number):
            self.fail(f"{value} is not a finite number.", param, ctx)
        return number


POSITIVE = Number(min=0, min_open=True)
SHARE = Number(min=0, max=1, min_open=True)

LAW = click.option(
    "--law", "law_name", default=DEFAULT_LAW, metavar="NAME", help="The published law (laws list)."
)
PARAMS = click.option("--params", "-n", "params", type=Count(), help="Parameters, e.g. 7b.")
TOKENS = click.option("--tokens", "-d", "tokens", type=Count(), help="Training tokens, e.g. 1.4T.")
FLOPS = click.option("--flops", "-C", "flops", type=Flops(), help="Training FLOPs, e.g. 1e24.")
FORCE = click.option("--force", is_flag=True, help="Answer although it lies far beyond what was measured.")


def check_budget_or_run(flops: float | None, params: float | None, tokens: float | None) -> None:
    """Raise click.UsageError unless either a budget of FLOPs or a run of N and D is given."""
    budget, run = flops is not None, (params is not None, tokens is not None)
    if (budget, run) not in ((True, (False, False)), (False, (True, True))):
        raise click.UsageError("give a budget (--flops 1e22) or a run (--params 7b --tokens 200B)")
