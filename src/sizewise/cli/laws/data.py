"""``sizewise laws data``: too few unique tokens."""

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FLOPS, FORCE, PARAMS, TOKENS, Count, check_budget_or_run
from sizewise.cli.options import Output, output_options, with_options
from sizewise.report.laws.data_limit import data_limit_document, data_limit_notes, data_limit_tables
from sizewise.report.laws.grounds import grounds_notices
from sizewise.scaling.questions.data_limits import DATA_LIMITED_LAW, data_limit


@click.command("data")
@click.option("--unique-tokens", type=Count(), required=True, help="Tokens that differ, e.g. 25B.")
@with_options(FLOPS, PARAMS, TOKENS)
@click.option(
    "--law",
    "law_name",
    default=DATA_LIMITED_LAW,
    metavar="NAME",
    help=f"A law of repeated data ({DATA_LIMITED_LAW}).",
)
@with_options(FORCE)
@output_options
def command(
    *,
    unique_tokens: float,
    flops: float | None,
    params: float | None,
    tokens: float | None,
    law_name: str,
    force: bool,
    output: Output,
) -> None:
    """How often to repeat limited data, and what each further pass over them is worth.

    Give a budget (--flops 1e22) for the best size and epochs, or a run (--params 7b --tokens 200B).
    """
    check_budget_or_run(flops, params, tokens)
    answer = data_limit(unique_tokens=unique_tokens, flops=flops, params=params, tokens=tokens, name=law_name)
    for ground in answer.grounds.laws:
        refuse_far(ground, force=force)
    document = data_limit_document(answer)
    emit_law(
        output,
        Answered(
            document=document,
            tables=data_limit_tables(answer),
            rows=[document],
            notes=data_limit_notes(answer),
            notices=grounds_notices(answer.grounds),
        ),
    )
