"""``sizewise laws prune``: prune a larger model, or train the smaller one."""

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FORCE, POSITIVE, Count
from sizewise.cli.options import Output, output_options, with_options
from sizewise.report.laws.grounds import grounds_notices, outside_notices
from sizewise.report.laws.pruning import pruning_document, pruning_notes, pruning_tables
from sizewise.scaling.questions.grounds import ground
from sizewise.scaling.questions.pruning import SCRATCH_LAW, measured_pruning, pruning_bounds
from sizewise.scaling.registry import law


@click.command("prune")
@click.option("--params", "-n", "params", type=Count(), required=True, help="Parameters before pruning.")
@click.option("--tokens", "-d", "tokens", type=Count(), required=True, help="Tokens seen before pruning.")
@click.option("--keep", type=Count(), required=True, help="Parameters that are kept, e.g. 3b.")
@click.option("--further-tokens", type=Count(), required=True, help="Tokens after pruning, e.g. 100B.")
@click.option("--measured-loss", type=POSITIVE, help="The loss that the pruned model reached, if measured.")
@click.option(
    "--law",
    "law_name",
    default=SCRATCH_LAW,
    metavar="NAME",
    help=f"The law of training from scratch ({SCRATCH_LAW}).",
)
@with_options(FORCE)
@output_options
def command(
    *,
    params: float,
    tokens: float,
    keep: float,
    further_tokens: float,
    measured_loss: float | None,
    law_name: str,
    force: bool,
    output: Output,
) -> None:
    """Between which losses a pruned model ends that is trained on, and what training from scratch takes.

    No law of pruning is published with its constants in reach: the bounds are of training from scratch.
    """
    answer = pruning_bounds(
        params=params, tokens=tokens, kept_params=keep, further_tokens=further_tokens, name=law_name
    )
    before = ground(law(law_name), params=params, tokens=tokens)
    for used in (before, *answer.grounds.laws):
        refuse_far(used, force=force)
    measured = None
    if measured_loss is not None:
        measured = measured_pruning(
            kept_params=keep, further_tokens=further_tokens, measured_loss=measured_loss, name=law_name
        )
    parent = (params, tokens)
    document = pruning_document(answer, measured, parent)
    emit_law(
        output,
        Answered(
            document=document,
            tables=pruning_tables(answer, measured, parent),
            rows=[document],
            notes=pruning_notes(answer),
            notices=(*grounds_notices(answer.grounds), *outside_notices([before])),
        ),
    )
