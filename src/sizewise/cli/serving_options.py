"""The options of ``sizewise plan serve``: the load, its targets, what may be used."""

from typing import Any

import click

from sizewise.cli.options import NO_CALIBRATION, Tokens, with_options
from sizewise.planning.serving.asked import LOSS, MOST_DEVICES, SURE
from sizewise.planning.speed.asked import DEFAULT_ANSWER, DEFAULT_PROMPT

LOAD: tuple[Any, ...] = (
    click.option("--users", type=float, metavar="N", help="Users who wait for an answer at all times."),
    click.option("--rps", type=float, metavar="N", help="Or requests per second, arriving by chance."),
    click.option(
        "--input", type=Tokens(), default=DEFAULT_PROMPT, help=f"Tokens of a prompt ({DEFAULT_PROMPT})."
    ),
    click.option(
        "--output",
        "--output-tokens",
        "--output-len",
        "answer_tokens",
        type=Tokens(),
        default=DEFAULT_ANSWER,
        help=f"Tokens of an answer ({DEFAULT_ANSWER}); the answer's file is -o.",
    ),
    click.option(
        "--prefix-hit", type=float, default=0.0, metavar="PART", help="Part of a prompt that is cached (0)."
    ),
)

TARGETS: tuple[Any, ...] = (
    click.option("--ttft", metavar="TIME", help="Target of the time to first token, e.g. 1s, or any (2s)."),
    click.option("--tpot", metavar="TIME", help="Target of the time per token, e.g. 50ms, or any (100ms)."),
    click.option(
        "--p", default="mean", metavar="PERCENTILE", help="Of which requests --ttft speaks: mean, 50, 90, 99."
    ),
    click.option("--budget", metavar="MONEY", help="At most so much: 5usd/h, 3000usd/month."),
    click.option(
        "--sure", type=float, default=SURE, metavar="CHANCE", help=f"Chance of meeting the targets ({SURE})."
    ),
    click.option(
        "--max-loss",
        type=float,
        default=LOSS,
        metavar="PART",
        help=f"Most that a format may add to perplexity ({LOSS}).",
    ),
)

USED: tuple[Any, ...] = (
    click.option(
        "--on", metavar="DEVICE[:MOST][,…]", help="Devices to plan with; those with a price if not named."
    ),
    click.option("--memory", metavar="SIZE", help="Memory per device, e.g. 24GiB."),
    click.option(
        "--quant", "-q", metavar="FORMAT[,…]", help="Weight formats; those that servers load if not named."
    ),
    click.option("--runtime", default="auto", metavar="ENGINE", help="vllm, sglang or both (auto)."),
    click.option("--kv-cache-dtype", "--kv-dtype", "kv_cache_dtype", help="Cache format, e.g. fp8."),
    click.option(
        "--max-devices", type=int, default=MOST_DEVICES, metavar="N", help=f"Most devices ({MOST_DEVICES})."
    ),
    click.option(
        "--usd-per-hour", type=float, metavar="USD", help="Price of a device, where it is your own."
    ),
    click.option("--top", type=int, default=8, metavar="N", help="Plans that are shown (8)."),
    NO_CALIBRATION,
)


serving_options = with_options(*LOAD, *TARGETS, *USED)
"""Adds the load, its targets and what may be used."""
