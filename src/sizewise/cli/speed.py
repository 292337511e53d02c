"""``sizewise speed``: time to first token, time per token, throughput."""

from typing import Any

import click

from sizewise.architecture import Model
from sizewise.cli.emit import colour, emit
from sizewise.cli.engine_options import engine_options
from sizewise.cli.options import (
    NO_CALIBRATION,
    Output,
    Tokens,
    check_explained,
    model_options,
    output_options,
    with_options,
)
from sizewise.planning.speed.answer import SpeedAnswer
from sizewise.planning.speed.asked import DEFAULT_ANSWER, DEFAULT_PROMPT
from sizewise.planning.speed.option_values import DRAFT_LIMIT, speed_asked
from sizewise.planning.speed.plan import plan_speed
from sizewise.report.speed import speed_document
from sizewise.report.table import csv_text, markdown
from sizewise.timing.serving.question import TYPICAL_ACCEPTANCE

RUN: tuple[Any, ...] = (
    click.option(
        "--on",
        "on",
        metavar="DEVICE[:COUNT]",
        help="Devices: rtx-4090, h100-sxm:4, here, custom:24GiB,900GB/s,150TFLOPS.",
    ),
    click.option("--memory", "memory", metavar="SIZE", help="Memory per device, e.g. 24GiB."),
    click.option("--quant", "-q", "quant", help="Weight format, e.g. bf16, fp8, awq, q4_k_m."),
    click.option("--kv-cache-dtype", "--kv-dtype", "kv_cache_dtype", help="Cache format, e.g. fp16, fp8."),
    click.option(
        "--runtime", default="auto", help="Engine: vllm, sglang, llama.cpp, ollama, mlx, transformers."
    ),
)

LOAD: tuple[Any, ...] = (
    click.option(
        "--input",
        type=Tokens(),
        default=DEFAULT_PROMPT,
        help=f"Tokens of a prompt ({DEFAULT_PROMPT}).",
    ),
    click.option(
        "--output-tokens",
        "--output-len",
        "answer_tokens",
        type=Tokens(),
        default=DEFAULT_ANSWER,
        help=f"Tokens of an answer ({DEFAULT_ANSWER}).",
    ),
    click.option(
        "--concurrency",
        "--sequences",
        "-np",
        "concurrency",
        type=click.FloatRange(min=0, min_open=True, max=1e6),
        default=1.0,
        help="Requests at once (1).",
    ),
    click.option("--rps", type=click.FloatRange(min=0, min_open=True), help="Or requests per second."),
    click.option(
        "--prefix-hit",
        type=click.FloatRange(min=0, max=1, max_open=True),
        default=0.0,
        help="Part of a prompt that the prefix cache holds.",
    ),
    click.option("--split", is_flag=True, help="Further replicas of the same kind compute the prompts."),
    click.option(
        "--draft-tokens",
        type=click.IntRange(1, DRAFT_LIMIT),
        help="Speculative decoding: tokens drafted ahead.",
    ),
    click.option(
        "--acceptance",
        type=click.FloatRange(min=0, max=1, max_open=True),
        default=TYPICAL_ACCEPTANCE[1],
        help="Chance that a drafted token is accepted (0.7).",
    ),
    click.option("--ttft", help="Target of the time to first token, e.g. 1s."),
    click.option("--tpot", help="Target of the time per token, e.g. 50ms."),
)

MONEY: tuple[Any, ...] = (
    click.option(
        "--usd-per-hour", type=float, metavar="USD", help="Price of a device; the catalogue's if not named."
    ),
    click.option(
        "--utilization",
        "paid_share",
        type=float,
        default=1.0,
        metavar="SHARE",
        help="Share of the paid time at the rates of the answer (1).",
    ),
    click.option(
        "--api-price", metavar="IN,OUT", help="Compare with an API: USD per million tokens of each, 0.15,0.6."
    ),
    click.option(
        "--against",
        metavar="MODEL[:PROVIDER]",
        help="Compare with an API of the catalogue, the cheapest where no provider is named.",
    ),
)


speed_options = with_options(*RUN, *LOAD, *MONEY)
"""Adds the run, its load and its prices."""


@click.command("speed")
@model_options
@speed_options
@engine_options
@NO_CALIBRATION
@click.option("--explain", is_flag=True, help="Show the formula of every term.")
@click.option("--check", is_flag=True, help="Exit with 1 when a target is more likely missed than met.")
@output_options
def command(
    *,
    models: list[Model],
    answer_tokens: int,
    paid_share: float,
    explain: bool,
    check: bool,
    output: Output,
    **told: Any,
) -> int:
    """How fast a model answers on a device: time to first token, time per token, tokens per second.

    Every time is a sum of named terms with an interval from residuals of devices and models that the fit did
    not see; what lies beyond the measured rows is said.
    """
    check_explained(output, explain=explain)
    asked = speed_asked({"output": answer_tokens, "utilization": paid_share, **told})
    if check and asked.ttft is None and asked.tpot is None:
        raise click.UsageError("--check needs a target: --ttft 1s or --tpot 50ms")
    answers = [plan_speed(model, asked) for model in models]
    documents = [speed_document(answer, explain=explain) for answer in answers]
    if output.plot:
        from sizewise.planning.speed.curves import load_curve, roofline
        from sizewise.report.speed_plots import plot_speed

        plot_speed([(roofline(one), load_curve(one.model, asked)) for one in answers], output.plot)
    emit(
        output,
        documents,
        text=lambda: _text(answers, output, explain=explain),
        markdown=lambda: _markdown(answers),
        csv=lambda: _csv(answers),
        notices=[notice for answer in answers for notice in (*answer.model.notices, *answer.notices)],
    )
    return int(check and not all((answer.meets or 0.0) >= 0.5 and answer.fits for answer in answers))


def _text(answers: list[SpeedAnswer], output: Output, *, explain: bool) -> str:
    from sizewise.report.cost import hour_note
    from sizewise.report.speed import compared_speed, speed_tables
    from sizewise.report.speed_notes import speed_notes
    from sizewise.report.terminal import render

    if explain:
        found = (line for one in answers for line in (*one.times, *one.cost.lines))
        return "\n\n".join(line.explain() for line in found) + "\n"
    if len(answers) > 1:
        return render(compared_speed(answers), color=colour(output), notes=[hour_note(answers[0].cost)])
    (answer,) = answers
    return render(speed_tables(answer), color=colour(output), notes=speed_notes(answer))


def _markdown(answers: list[SpeedAnswer]) -> str:
    from sizewise.report.speed import speed_tables

    return "\n\n".join(markdown(speed_tables(answer)) for answer in answers)


def _csv(answers: list[SpeedAnswer]) -> str:
    rows = []
    for answer in answers:
        times = (
            (("ttft_s", answer.ttft), ("tpot_s", answer.tpot))
            if answer.has_steps
            else (("ttft_s", answer.ttft),)
        )
        rows += [(answer.model.name, name, one.value, one.low, one.high, one.status) for name, one in times]
        rates = (
            ("output_tokens_per_s", answer.output_rate),
            ("total_tokens_per_s", answer.total_rate),
            ("prefill_tokens_per_s", answer.prefill_rate),
        )
        rows += [(answer.model.name, name, one.value, one.low, one.high, one.status) for name, one in rates]
    return csv_text(rows, ("model", "quantity", "value", "low", "high", "status"))
