"""``sizewise laws optimal``: how many parameters and tokens a budget should buy."""

from typing import Any

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.budget import budget, budget_options
from sizewise.cli.laws.limits import limit_options, limits
from sizewise.cli.laws.options import FORCE, LAW, PARAMS, POSITIVE, TOKENS, Count
from sizewise.cli.options import Output, check_curve, output_options, with_options
from sizewise.planning.sizing.answer import Buildable
from sizewise.planning.sizing.buildable import buildable
from sizewise.planning.sizing.limits import Limits
from sizewise.report.document import Document
from sizewise.report.laws.grounds import finding_notices, ground_notices
from sizewise.report.laws.lifetime import lifetime_block, lifetime_note, lifetime_table
from sizewise.report.laws.optimum import (
    optimum_document,
    optimum_notes,
    optimum_rows,
    optimum_tables,
)
from sizewise.report.laws.shapes import buildable_block, shapes_notes, shapes_table
from sizewise.scaling.questions.across import optima
from sizewise.scaling.questions.allocation import (
    Allocated,
    allocate,
    allocate_loss,
    allocate_params,
    allocate_tokens,
)
from sizewise.scaling.questions.inference import LifetimeOptimum, best_for_total, cheapest, flop_costs
from sizewise.scaling.questions.spending import Spending
from sizewise.scaling.questions.surface import surface
from sizewise.scaling.registry import Law, law
from sizewise.scenario import DEFAULT_CONTEXT

BUDGET = ("flops", "device_hours", "usd", "on", "mfu", "usd_per_hour", "train_precision")
LIMITS = (
    "max_params",
    "max_tokens",
    "unique_tokens",
    "epochs",
    "memory",
    "fits",
    "quant",
    "context",
    "runtime",
)
CURVE = click.option(
    "--curve", is_flag=True, help="Equal budgets, equal losses and known models as points, in the JSON."
)


@click.command("optimal")
@budget_options
@with_options(PARAMS, TOKENS)
@click.option("--loss", "loss", type=POSITIVE, help="The least budget that reaches this loss.")
@with_options(LAW)
@click.option(
    "--served-tokens", type=Count(), help="Tokens served over the model's life: they are paid for too."
)
@limit_options
@with_options(CURVE, FORCE)
@output_options
def command(
    *,
    params: float | None,
    tokens: float | None,
    loss: float | None,
    law_name: str,
    served_tokens: float | None,
    buildable: bool,
    vocab: int | None,
    curve: bool,
    force: bool,
    output: Output,
    **told: Any,
) -> None:
    """Parameters and tokens that are best for a budget; or the budget of a size, of data, or of a loss.

    With --buildable or a limit (memory, data, size): real shapes that keep within all of them, what they
    lose against the best of the budget, and which limit binds.
    """
    check_curve(output, curve=curve)
    used = law(law_name)
    flops, spending = budget(**{name: told[name] for name in BUDGET})
    answer = _allocated(used, flops, params, tokens, loss)
    refuse_far(answer.ground, force=force)
    lifetime = _lifetime(used, answer, loss, served_tokens)
    within = limits(**{name: told[name] for name in LIMITS})
    shapes = None
    if buildable or within is not None:
        shapes = _shapes(used, answer, within, served_tokens, vocab=vocab, context=told["context"])
    emit_law(output, _answered(answer, spending, lifetime, shapes, _curve(used, answer) if curve else None))


def _allocated(
    used: Law, flops: float | None, params: float | None, tokens: float | None, loss: float | None
) -> Allocated:
    given = [amount for amount in (flops, params, tokens, loss) if amount is not None]
    if len(given) != 1:
        raise click.UsageError("give one of --flops, --device-hours, --usd, --params, --tokens, --loss")
    if flops is not None:
        return allocate(used, flops)
    if params is not None:
        return allocate_params(used, params)
    if tokens is not None:
        return allocate_tokens(used, tokens)
    assert loss is not None
    return allocate_loss(used, loss)


def _lifetime(
    used: Law, answer: Allocated, loss: float | None, served_tokens: float | None
) -> LifetimeOptimum | None:
    """Return the optimum with serving: at the loss that was asked for, else for the whole budget."""
    if served_tokens is None:
        return None
    costs = flop_costs(served_tokens)
    if loss is not None:
        return cheapest(surface(used), loss, costs)
    return best_for_total(surface(used), answer.best.flops, costs)


def _shapes(
    used: Law,
    answer: Allocated,
    within: Limits | None,
    served_tokens: float | None,
    *,
    vocab: int | None,
    context: int | None,
) -> Buildable:
    return buildable(
        answer.best.flops,
        law=used,
        vocabulary=vocab,
        limits=within,
        inference_tokens=served_tokens or 0.0,
        context=context or DEFAULT_CONTEXT,
    )


def _curve(used: Law, answer: Allocated) -> Document:
    from sizewise.catalog.trained import trained_models
    from sizewise.report.laws.curves import curves_block
    from sizewise.scaling.questions.curves import law_curves

    return curves_block(law_curves(used, answer), trained_models())


def _answered(
    answer: Allocated,
    spending: Spending | None,
    lifetime: LifetimeOptimum | None,
    shapes: Buildable | None,
    curve: Document | None,
) -> Answered:
    others = optima(answer.best.flops)
    document = optimum_document(answer, others, spending)
    if curve is not None:
        document["curve"] = curve
    optimum, laws = optimum_tables(answer, others)
    tables, notes = [optimum], optimum_notes(answer, others, spending)
    if lifetime is not None:
        document["lifetime"] = lifetime_block(lifetime)
        tables.append(lifetime_table(lifetime))
        notes.append(lifetime_note(lifetime))
    if shapes is not None:
        document["buildable"] = buildable_block(shapes)
        tables.append(shapes_table(shapes))
        notes += shapes_notes(shapes)
    findings = answer.findings if shapes is None else (*answer.findings, *shapes.findings)
    notices = (*ground_notices([answer.ground]), *finding_notices(findings))
    return Answered(
        document=document,
        tables=(*tables, laws),
        rows=optimum_rows(answer),
        notes=notes,
        notices=notices,
    )
