"""``sizewise laws overtrain``: a smaller model trained for longer (as Llama is)."""

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FORCE, LAW, PARAMS, POSITIVE, TOKENS, Count
from sizewise.cli.options import Output, check_curve, output_options, with_options
from sizewise.report.laws.curves import smaller_block
from sizewise.report.laws.grounds import finding_notices, ground_notices
from sizewise.report.laws.lifetime import lifetime_note, lifetime_table
from sizewise.report.laws.over_training import (
    over_training_document,
    over_training_notes,
    over_training_rows,
    over_training_table,
)
from sizewise.scaling.questions.allocation import predict
from sizewise.scaling.questions.curves import smaller
from sizewise.scaling.questions.inference import cheapest, flop_costs
from sizewise.scaling.questions.over_training import OverTrained, over_trained, resized, served_to_break_even
from sizewise.scaling.questions.surface import Surface, surface
from sizewise.scaling.registry import law


@click.command("overtrain")
@with_options(PARAMS, TOKENS)
@click.option("--loss", type=POSITIVE, help="Instead of a run: the loss to reach, with --size-factor.")
@click.option(
    "--size-factor", type=POSITIVE, help="Parameters as a part of the compute-optimal ones, e.g. 0.5."
)
@with_options(LAW)
@click.option(
    "--served-tokens", type=Count(), help="Tokens served over the model's life: the best size with them."
)
@click.option("--curve", is_flag=True, help="Smaller models of the same loss as points, in the JSON.")
@with_options(FORCE)
@output_options
def command(
    *,
    params: float | None,
    tokens: float | None,
    loss: float | None,
    size_factor: float | None,
    law_name: str,
    served_tokens: float | None,
    curve: bool,
    force: bool,
    output: Output,
) -> None:
    """What training a model past the compute-optimal point costs, and what it saves when served.

    Give a run (--params 8b --tokens 15T), or a loss and a size (--loss 2.0 --size-factor 0.5).
    """
    check_curve(output, curve=curve)
    used = law(law_name)
    answer = _run(surface(used), params, tokens, loss, size_factor)
    predicted = predict(used, answer.params, answer.tokens)
    refuse_far(predicted.ground, force=force)
    lifetime = (
        None if served_tokens is None else cheapest(surface(used), answer.loss, flop_costs(served_tokens))
    )
    break_even = served_to_break_even(answer)
    notes = over_training_notes(answer, predicted.ground, break_even)
    tables = [over_training_table(answer)]
    if lifetime is not None:
        tables.append(lifetime_table(lifetime))
        notes.append(lifetime_note(lifetime))
    document = over_training_document(answer, predicted.ground, lifetime, break_even)
    if curve:
        document["curve"] = {"over_training": smaller_block(smaller(surface(used), answer.loss))}
    emit_law(
        output,
        Answered(
            document=document,
            tables=tables,
            rows=over_training_rows(answer),
            notes=notes,
            notices=(*ground_notices([predicted.ground]), *finding_notices(predicted.findings)),
        ),
    )


def _run(
    losses: Surface,
    params: float | None,
    tokens: float | None,
    loss: float | None,
    size_factor: float | None,
) -> OverTrained:
    run, target = (params, tokens), (loss, size_factor)
    if None not in run and target == (None, None):
        assert params is not None
        assert tokens is not None
        return over_trained(losses, params, tokens)
    if None not in target and run == (None, None):
        assert loss is not None
        assert size_factor is not None
        return resized(losses, loss, size_factor)
    raise click.UsageError("give --params and --tokens, or --loss and --size-factor")
