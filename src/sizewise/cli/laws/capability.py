"""``sizewise laws capability``: what scores sizes, losses and compute lead to."""

import click

from sizewise.cli.laws.answer import Answered, emit_law
from sizewise.cli.laws.options import FLOPS, PARAMS, POSITIVE, TOKENS
from sizewise.cli.options import Output, output_options, with_options
from sizewise.report.laws.capability import (
    compute_document,
    compute_table,
    run_title,
    scores_document,
    scores_notes,
    scores_table,
)
from sizewise.report.laws.quantities import flops_text
from sizewise.scaling.questions.capability import (
    compute_for_score,
    score_from_compute,
    score_from_loss,
    score_from_size,
    tasks_by_compute,
    tasks_by_size,
)
from sizewise.scaling.questions.score import Score

SHARE = click.FloatRange(min=0, max=1, min_open=True, max_open=True)


@click.command("capability")
@with_options(PARAMS, TOKENS, FLOPS)
@click.option("--loss", type=POSITIVE, help="A task's bits per byte, or nats per token for an error law.")
@click.option("--score", type=SHARE, help="The share of right answers to reach, e.g. 0.7.")
@click.option(
    "--task", "tasks", multiple=True, metavar="NAME", help="Benchmark; all that are known if not named."
)
@click.option("--family", metavar="NAME", help="Family of open models, for --flops and --score.")
@output_options
def command(
    *,
    params: float | None,
    tokens: float | None,
    flops: float | None,
    loss: float | None,
    score: float | None,
    tasks: tuple[str, ...],
    family: str | None,
    output: Output,
) -> None:
    """Benchmark scores of a run (--params, --tokens), of compute (--flops), of a loss; or compute of a score.

    Two-step laws for a run and a loss, laws over open models for compute. Every answer states the error on
    runs that were held out.
    """
    if score is not None:
        emit_law(output, _compute(tasks, score, family))
        return
    scores, title = _scores(tasks, family, params=params, tokens=tokens, flops=flops, loss=loss)
    document = scores_document(scores)
    emit_law(
        output,
        Answered(
            document=document,
            tables=(scores_table(scores, title),),
            rows=document["scores"],
            notes=scores_notes(scores),
        ),
    )


def _scores(
    tasks: tuple[str, ...],
    family: str | None,
    *,
    params: float | None,
    tokens: float | None,
    flops: float | None,
    loss: float | None,
) -> tuple[list[Score], str]:
    run = params is not None and tokens is not None
    if [run, flops is not None, loss is not None].count(True) != 1 or (params is None) != (tokens is None):
        raise click.UsageError("give a run (--params and --tokens), --flops, --loss or --score")
    if flops is not None:
        chosen = tasks or tasks_by_compute()
        found = [score_from_compute(task, flops, family=family) for task in chosen]
        return found, f"Scores that {flops_text(flops)} FLOPs lead to in {family or 'open models'}"
    if family is not None:
        raise click.UsageError("--family goes with --flops or --score")
    if loss is not None:
        if not tasks:
            raise click.UsageError("--loss needs --task: every task has a loss of its own")
        return [score_from_loss(task, loss) for task in tasks], f"Scores at a loss of {loss:g}"
    assert params is not None
    assert tokens is not None
    found = [score_from_size(task, params, tokens) for task in tasks or tasks_by_size()]
    return found, run_title(params, tokens)


def _compute(tasks: tuple[str, ...], score: float, family: str | None) -> Answered:
    if len(tasks) != 1:
        raise click.UsageError("--score needs one --task")
    found = compute_for_score(tasks[0], score, family=family)
    notes = scores_notes([found.at]) if found.at else list(found.cautions)
    document = compute_document(found)
    return Answered(document=document, tables=(compute_table(found),), rows=[document], notes=notes)
