"""The verbs of scaling laws. N parameters, D training tokens, C = 6ND FLOPs, L nats per token.

Numbers or arrays: where one of N and D is an array, so is the answer.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sizewise.scaling.questions.allocation import DEFAULT_LAW, Allocated, allocate, loss_function
from sizewise.scaling.questions.grounds import check_amounts
from sizewise.scaling.registry import Law
from sizewise.scaling.registry import law as published_law

if TYPE_CHECKING:
    from sizewise.planning.sizing.answer import Buildable
    from sizewise.scaling.fit.resampling import Progress
    from sizewise.scaling.fit.study import Studied


def scaling_law(name: str = DEFAULT_LAW) -> Law:
    """Return a published law by its name or an alias. Raises UsageError (bad_option).

    >>> scaling_law("besiroglu").published.status
    'reproduced'
    """
    return published_law(name)


def predicted_loss(params: Any, tokens: Any, *, law: str = DEFAULT_LAW) -> Any:
    """Return the loss of N parameters after D tokens, in nats per token; arrays are paired.

    Raises UsageError (bad_option) for a law of other quantities and for numbers that cannot be.

    >>> round(predicted_loss(7e9, 140e9), 4)
    2.1733
    >>> [round(float(loss), 4) for loss in predicted_loss([7e9, 14e9], 140e9)]
    [2.1733, 2.1344]
    """
    loss = loss_function(published_law(law))
    if isinstance(params, int | float) and isinstance(tokens, int | float):
        check_amounts(params=params, tokens=tokens)
        return loss(params, tokens)
    from sizewise.scaling.fit.arrays import paired

    return paired(loss, params, tokens)


def compute_optimal(flops: float, *, law: str = DEFAULT_LAW, unique_tokens: float | None = None) -> Allocated:
    """Return what C FLOPs are best spent on, with intervals where the law has them.

    Raises UsageError (bad_option).

    >>> f"{compute_optimal(1e24).best.params:.4g}"
    '9.586e+10'
    """
    return allocate(published_law(law), flops, unique_tokens=unique_tokens)


def buildable_shapes(flops: float, **options: Any) -> "Buildable":
    """Return shapes that can be built near the best size of C FLOPs, with exact counts and their regret.

    ``options`` are those of `sizewise.planning.sizing.buildable.buildable`: law, vocabulary, context, family,
    limits, inference_tokens.

    >>> buildable_shapes(1e21, vocabulary=32000).best.params
    2775587584
    """
    from sizewise.planning.sizing.buildable import buildable

    return buildable(flops, **options)


def fit_scaling_law(
    params: Any,
    tokens: Any,
    losses: Any,
    *,
    flops: Any = None,
    names: Sequence[str] | None = None,
    progress: "Progress | None" = None,
    **study: Any,
) -> "Studied":
    """Return the law of runs, one entry each of N, D and L, with intervals, diagnostics and warnings.

    ``study`` are the fields of `sizewise.scaling.fit.study.Study`: loss, delta, tied, replicates, seed,
    clustered, level, target, by, forms, profiles, force. Raises InputError (bad_data), as for runs that all
    have one D/N (see `sizewise.scaling.fit.along_line`), UsageError.

    >>> sizes, lengths = [1e8, 1e8, 4e8, 4e8, 1e9, 1e9] * 2, [2e9, 2e10] * 3 + [5e9, 5e10] * 3
    >>> losses = [1.8 + 480 * n**-0.35 + 2100 * d**-0.37 for n, d in zip(sizes, lengths)]
    >>> round(fit_scaling_law(sizes, lengths, losses, replicates=10, by=None).fit.law.alpha, 4)
    0.35
    """
    from sizewise.scaling.fit.arrays import runs_of_arrays
    from sizewise.scaling.fit.study import Study, studied

    return studied(runs_of_arrays(params, tokens, losses, flops, names), Study(**study), progress=progress)
