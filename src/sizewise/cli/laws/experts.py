"""``sizewise laws experts``: a mixture of experts against a dense model."""

import click

from sizewise.cli.caller import model_of
from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FORCE, Count, Number
from sizewise.cli.options import Output, output_options, with_options
from sizewise.counting import count
from sizewise.errors import UsageError
from sizewise.report.laws.experts import Choices, experts_document, experts_notes, experts_tables
from sizewise.report.laws.grounds import grounds_notices
from sizewise.scaling.questions.expert_choices import best_sparsity, granularities
from sizewise.scaling.questions.experts import FINEST, Mixture, against_dense
from sizewise.sources.reference import default_tag

FINEST_SHOWN = 32.0
MOST_SPARSE = 0.98

MIXTURE = (
    click.option("--model", "reference", metavar="MODEL", help="A mixture by name: its counts are taken."),
    click.option("--total", type=Count(), help="Parameters in all, e.g. 235b."),
    click.option("--active", type=Count(), help="Parameters that a token uses, e.g. 22b."),
    click.option("--experts", type=click.IntRange(1, 10**6), help="Routed experts of a layer."),
    click.option("--top-k", type=click.IntRange(1, 10**6), help="Experts that a token uses."),
    click.option(
        "--granularity",
        type=Number(1, FINEST),
        default=1.0,
        help="Into how many parts an expert is cut (1).",
    ),
)


@click.command("experts")
@with_options(*MIXTURE)
@click.option("--tokens", "-d", "tokens", type=Count(), required=True, help="Training tokens, e.g. 36T.")
@click.option("--best-sparsity", "sparsest", is_flag=True, help="Also the sparsity of the least loss.")
@click.option(
    "--most-sparse",
    type=Number(0, 0.9999),
    default=MOST_SPARSE,
    help=f"Its limit, the share of idle experts ({MOST_SPARSE}).",
)
@with_options(FORCE)
@output_options
def command(
    *,
    reference: str | None,
    total: float | None,
    active: float | None,
    experts: int | None,
    top_k: int | None,
    granularity: float,
    tokens: float,
    sparsest: bool,
    most_sparse: float,
    force: bool,
    output: Output,
) -> None:
    """What a mixture of experts gains over dense models of equal compute and of equal memory.

    Give the counts (--total 235b --active 22b --experts 128 --top-k 8), or a model that has them
    (--model qwen3-235b-a22b).
    """
    mixture = _mixture(
        reference, total=total, active=active, experts=experts, top_k=top_k, granularity=granularity
    )
    answer = against_dense(mixture, tokens=tokens)
    for ground in answer.grounds.laws:
        refuse_far(ground, force=force)
    choices = _choices(mixture, tokens, most_sparse if sparsest else None)
    document = experts_document(answer, choices)
    emit_law(
        output,
        Answered(
            document=document,
            tables=experts_tables(answer, choices),
            rows=[{"law": " ".join(one["laws"])} | one for one in document["readings"]],
            notes=experts_notes(answer, choices),
            notices=(*default_tag(reference or ""), *grounds_notices(answer.grounds)),
        ),
    )


def _mixture(
    reference: str | None,
    *,
    total: float | None,
    active: float | None,
    experts: int | None,
    top_k: int | None,
    granularity: float,
) -> Mixture:
    given = (total, active, experts, top_k)
    if reference is not None:
        if given != (None,) * 4:
            raise click.UsageError("give --model or the counts of a mixture, not both")
        return _of_model(reference, granularity)
    if total is None or active is None or experts is None or top_k is None:
        raise click.UsageError("give the mixture: --total 235b --active 22b --experts 128 --top-k 8")
    return Mixture(
        total_params=total, active_params=active, experts=experts, top_k=top_k, granularity=granularity
    )


def _of_model(reference: str, granularity: float) -> Mixture:
    """Return the mixture that a model is.

    Raises UsageError (bad_option) for one without routed experts, or with experts of several kinds.
    """
    model = model_of(reference)
    counted = model.counted or model.architecture
    routed = {(one.experts, one.active_experts) for one, _ in counted.weights() if one.experts > 1}
    found = count(model)
    if not routed:
        raise UsageError("bad_option", f"--model: {model.name} has no routed experts; name a mixture")
    if len(routed) > 1 or not found.active_known:
        raise UsageError(
            "bad_option",
            f"--model: {model.name} does not say which experts a token uses, or has several kinds;"
            " give --total, --active, --experts and --top-k",
        )
    ((experts, top_k),) = routed
    return Mixture(
        total_params=float(found.total.value),
        active_params=float(found.active),
        experts=experts,
        top_k=top_k,
        granularity=granularity,
    )


def _choices(mixture: Mixture, tokens: float, most_sparse: float | None) -> Choices:
    finest = max(FINEST_SHOWN, mixture.granularity)
    finer_all, finer_active = (
        granularities(params=params, tokens=tokens, finest=finest)
        for params in (mixture.total_params, mixture.active_params)
    )
    if most_sparse is None:
        return Choices(finer_all=finer_all, finer_active=finer_active)
    return Choices(
        finer_all=finer_all,
        finer_active=finer_active,
        equal_memory=best_sparsity(tokens=tokens, total_params=mixture.total_params, highest=most_sparse),
        equal_compute=best_sparsity(tokens=tokens, active_params=mixture.active_params, highest=most_sparse),
    )
