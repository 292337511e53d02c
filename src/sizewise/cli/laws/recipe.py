"""``sizewise laws recipe``: batch size and learning rate."""

from typing import Any

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FLOPS, FORCE, PARAMS, TOKENS, check_budget_or_run
from sizewise.cli.options import Output, output_options, with_options
from sizewise.errors import UsageError
from sizewise.escaping import shorten
from sizewise.report.laws.recipe import recipe_document, recipe_notes, recipe_notices, recipe_tables
from sizewise.scaling.questions.hyperparameters import SPLIT_LAW, suggest
from sizewise.scaling.questions.vocabulary import (
    SizedVocabulary,
    VocabularySuggestion,
    suggest_vocabulary,
)
from sizewise.units import parse_count


class Reference(click.ParamType[SizedVocabulary]):
    """A vocabulary that suits a model: entries, hidden size, the other parameters (32000,4096,6.5e9)."""

    name = "vocabulary"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> SizedVocabulary:
        """Return the vocabulary; click passes values through that are read already."""
        if isinstance(value, SizedVocabulary):
            return value
        pieces = value.split(",", 3)
        if len(pieces) != 3:
            raise UsageError(
                "bad_option",
                f"{shorten(value)!r}: expected entries, hidden size and other parameters: 32000,4096,6.5e9",
            )
        entries, hidden, others = (parse_count(piece) for piece in pieces)
        return SizedVocabulary(entries=entries, hidden=hidden, other_params=float(others))


@click.command("recipe")
@with_options(FLOPS, PARAMS, TOKENS)
@click.option(
    "--law",
    "law_name",
    default=SPLIT_LAW,
    metavar="NAME",
    help=f"What splits a budget and gives the loss ({SPLIT_LAW}).",
)
@click.option(
    "--vocab-reference",
    "reference",
    type=Reference(),
    metavar="ENTRIES,HIDDEN,PARAMS",
    help="A vocabulary that suits a model, with --hidden: the one for this run.",
)
@click.option("--hidden", type=click.IntRange(1, 10**6), help="Hidden size of this run.")
@with_options(FORCE)
@output_options
def command(
    *,
    flops: float | None,
    params: float | None,
    tokens: float | None,
    law_name: str,
    reference: SizedVocabulary | None,
    hidden: int | None,
    force: bool,
    output: Output,
) -> None:
    """Batch size and learning rate that published laws suggest, and the steps that follow.

    Give a budget (--flops 1e22) or a run (--params 7b --tokens 200B). Every law speaks of its own optimizer,
    schedule and data.
    """
    check_budget_or_run(flops, params, tokens)
    answer = suggest(flops=flops, params=params, tokens=tokens, name=law_name)
    for ground in answer.grounds.laws:
        refuse_far(ground, force=force)
    vocabulary = _vocabulary(answer.run.params, reference, hidden)
    document = recipe_document(answer, vocabulary)
    emit_law(
        output,
        Answered(
            document=document,
            tables=recipe_tables(answer, vocabulary),
            rows=[*document["batches"], *document["learning_rates"]],
            notes=recipe_notes(answer, vocabulary),
            notices=recipe_notices(answer, vocabulary),
        ),
    )


def _vocabulary(
    params: float, reference: SizedVocabulary | None, hidden: int | None
) -> VocabularySuggestion | None:
    if reference is None and hidden is None:
        return None
    if reference is None or hidden is None:
        raise click.UsageError("a vocabulary needs --vocab-reference ENTRIES,HIDDEN,PARAMS and --hidden")
    return suggest_vocabulary(other_params=params, hidden=hidden, reference=reference)
