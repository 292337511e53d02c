"""``sizewise laws loss``: what loss a run gets."""

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FORCE, LAW, PARAMS, TOKENS, Count
from sizewise.cli.options import Output, output_options, with_options
from sizewise.errors import SizewiseError
from sizewise.report.laws.grounds import finding_notices, ground_notices
from sizewise.report.laws.loss import loss_document, loss_notes, loss_rows, loss_tables
from sizewise.scaling.questions.across import losses
from sizewise.scaling.questions.allocation import predict
from sizewise.scaling.questions.exchange import Exchange, exchange
from sizewise.scaling.questions.surface import surface
from sizewise.scaling.registry import Law, law


@click.command("loss")
@with_options(PARAMS, TOKENS, LAW)
@click.option(
    "--unique-tokens", type=Count(), help="Of the tokens so many are new, for a law that knows repeated data."
)
@with_options(FORCE)
@output_options
def command(
    *,
    params: float | None,
    tokens: float | None,
    law_name: str,
    unique_tokens: float | None,
    force: bool,
    output: Output,
) -> None:
    """Loss, in nats per token, of N parameters trained on D tokens; what doubling N, D or C buys."""
    if params is None or tokens is None:
        raise click.UsageError("give the run: --params 7b --tokens 140B")
    used = law(law_name)
    answer = predict(used, params, tokens, unique_tokens=unique_tokens)
    refuse_far(answer.ground, force=force)
    bought, others = _bought(used, params, tokens), losses(params, tokens, unique_tokens=unique_tokens)
    emit_law(
        output,
        Answered(
            document=loss_document(answer, bought, others),
            tables=loss_tables(answer, bought, others),
            rows=loss_rows(answer),
            notes=loss_notes(answer, bought, others, unique_tokens),
            notices=(*ground_notices([answer.ground]), *finding_notices(answer.findings)),
        ),
    )


def _bought(used: Law, params: float, tokens: float) -> Exchange | None:
    """Return what doubling buys; None for a law whose form does not say."""
    try:
        return exchange(surface(used), params, tokens)
    except SizewiseError:
        return None
