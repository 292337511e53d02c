"""A budget of training compute as people have it: FLOPs, device hours, or money."""

from collections.abc import Callable
from typing import Any

import click

from sizewise.catalog.devices import find_device
from sizewise.cli.laws.options import FLOPS, POSITIVE, SHARE
from sizewise.cli.options import with_options
from sizewise.scaling.questions.spending import Spending, hardware, of_flops, of_hours, of_money

Command = Callable[..., Any]

SPENDING = (
    click.option("--device-hours", type=POSITIVE, help="Budget in device hours, with --on and --mfu."),
    click.option("--usd", type=POSITIVE, help="Budget in money, with --on, --mfu and --usd-per-hour."),
    click.option("--on", metavar="DEVICE", help="The device that trains, e.g. h100-sxm."),
    click.option("--mfu", type=SHARE, help="Model FLOPs utilisation that you reach, e.g. 0.4."),
    click.option("--usd-per-hour", type=POSITIVE, help="What an hour of one device costs."),
    click.option("--train-precision", default="bf16", help="Precision whose peak counts: bf16, fp8, fp16."),
)


def budget_options(function: Command) -> Command:
    """Add the ways to say a budget; the command hands them to `budget`."""
    return with_options(FLOPS, *SPENDING)(function)


def budget(
    *,
    flops: float | None,
    device_hours: float | None,
    usd: float | None,
    on: str | None,
    mfu: float | None,
    usd_per_hour: float | None,
    train_precision: str,
) -> tuple[float | None, Spending | None]:
    """Return the FLOPs of a budget, and what they take on the device that is named; None where none is.

    Raises click.UsageError for two budgets, or one that lacks what it needs.
    """
    given = [amount for amount in (flops, device_hours, usd) if amount is not None]
    if len(given) > 1:
        raise click.UsageError("give one budget: --flops, --device-hours or --usd")
    if on is None or mfu is None:
        if device_hours is not None or usd is not None:
            raise click.UsageError("hours and money need --on DEVICE and --mfu SHARE")
        return flops, None
    used = hardware(find_device(on), train_precision, mfu, usd_per_hour)
    if usd is not None and usd_per_hour is None:
        raise click.UsageError("--usd needs --usd-per-hour, the price of one device")
    if device_hours is not None:
        spending = of_hours(device_hours, used)
    elif usd is not None:
        spending = of_money(usd, used)
    elif flops is not None:
        spending = of_flops(flops, used)
    else:
        return None, None
    return spending.flops, spending
