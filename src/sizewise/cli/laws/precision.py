"""``sizewise laws precision``: training or storing weights in fewer bits."""

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FLOPS, FORCE, PARAMS, TOKENS, Number
from sizewise.cli.options import Output, output_options, with_options
from sizewise.report.laws.grounds import grounds_notices
from sizewise.report.laws.precision import (
    best_bits_document,
    best_bits_notes,
    best_bits_table,
    rounding_document,
    rounding_notes,
    rounding_table,
    training_document,
    training_notes,
    training_tables,
)
from sizewise.scaling.forms.precision import FULL_BITS
from sizewise.scaling.questions.grounds import Grounds
from sizewise.scaling.questions.precision import best_training_bits, round_weights, train_in_low_precision

USUAL_BITS = (8.0, 6.0, 5.0, 4.0, 3.0, 2.0)
NUMBER_OF_BITS = Number(min=0.1, max=64)

BITS = (
    click.option("--weight-bits", type=NUMBER_OF_BITS, help="Train with weights of so many bits."),
    click.option("--activation-bits", type=NUMBER_OF_BITS, help="Train with activations of so many bits."),
    click.option("--cache-bits", type=NUMBER_OF_BITS, help="Train with keys and values of so many bits."),
    click.option("--round-to", type=NUMBER_OF_BITS, help="Round the trained weights to so many bits."),
)


@click.command("precision")
@with_options(PARAMS, TOKENS, *BITS, FLOPS, FORCE)
@output_options
def command(
    *,
    params: float | None,
    tokens: float | None,
    weight_bits: float | None,
    activation_bits: float | None,
    cache_bits: float | None,
    round_to: float | None,
    flops: float | None,
    force: bool,
    output: Output,
) -> None:
    """What fewer bits cost: trained with (--weight-bits 4), rounded to (--round-to 4), best of (--flops).

    A run is --params 1b --tokens 100B. The constants are unverified: the shape is what counts.
    """
    bits = {"weights": weight_bits, "activations": activation_bits, "cache": cache_bits}
    trained = {kind: amount for kind, amount in bits.items() if amount is not None}
    run = None if params is None or tokens is None else (params, tokens)
    unasked = params is None and tokens is None
    if flops is not None and unasked and not trained and round_to is None:
        grounds, answered = _best(flops)
    elif flops is None and run is not None and round_to is not None and not trained:
        grounds, answered = _rounded(*run, round_to)
    elif flops is None and run is not None and round_to is None and trained:
        grounds, answered = _trained(*run, {kind: trained.get(kind, FULL_BITS) for kind in bits})
    else:
        raise click.UsageError(
            "give a run (--params 1b --tokens 100B) with --round-to 4 or with bits to train in"
            " (--weight-bits 4), or --flops alone"
        )
    for ground in grounds.laws:
        refuse_far(ground, force=force)
    emit_law(output, answered)


def _best(flops: float) -> tuple[Grounds, Answered]:
    answer = best_training_bits(flops=flops)
    document = best_bits_document(answer, flops)
    return answer.grounds, Answered(
        document=document,
        tables=(best_bits_table(answer),),
        rows=[document],
        notes=best_bits_notes(answer, flops),
        notices=grounds_notices(answer.grounds),
    )


def _rounded(params: float, tokens: float, bits: float) -> tuple[Grounds, Answered]:
    answer = round_weights(params=params, tokens=tokens, weight_bits=bits)
    others = [
        (other, round_weights(params=params, tokens=tokens, weight_bits=other))
        for other in USUAL_BITS
        if other != bits
    ]
    document = rounding_document(answer, params, bits, others)
    asked = {name: document[name] for name in ("weight_bits", "penalty", "loss")}
    return answer.grounds, Answered(
        document=document,
        tables=(rounding_table([(bits, answer), *others]),),
        rows=[asked, *document["other_bits"]],
        notes=rounding_notes(answer, params, bits),
        notices=grounds_notices(answer.grounds),
    )


def _trained(params: float, tokens: float, bits: dict[str, float]) -> tuple[Grounds, Answered]:
    answer = train_in_low_precision(
        params=params,
        tokens=tokens,
        weight_bits=bits["weights"],
        activation_bits=bits["activations"],
        cache_bits=bits["cache"],
    )
    document = training_document(answer, params, tokens, bits)
    return answer.grounds, Answered(
        document=document,
        tables=training_tables(answer, params, tokens, bits),
        rows=[document],
        notes=training_notes(answer),
        notices=grounds_notices(answer.grounds),
    )
