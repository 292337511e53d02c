"""A law around a budget as data: equal budgets, best sizes, equal losses, small models, known models."""

from collections.abc import Iterable
from math import isfinite

from sizewise.catalog.trained import TrainedModel
from sizewise.report.document import Document
from sizewise.report.laws.optimum import optimum_block
from sizewise.scaling.budget import Optimum
from sizewise.scaling.questions.curves import LawCurves
from sizewise.scaling.questions.over_training import OverTrained, served_to_break_even


def curves_block(found: LawCurves, known: Iterable[TrainedModel]) -> Document:
    """Return points [params, tokens, loss] of budgets, [params, tokens] of losses, and models beside them."""
    return {
        "budgets": [
            {"flops": one.best.flops, "best": optimum_block(one.best), "points": [*map(_point, one.points)]}
            for one in found.budgets
        ],
        "frontier": [optimum_block(one) for one in found.frontier],
        "contours": [
            {"loss": one.best.loss, "flops": one.best.flops, "points": [list(point) for point in one.points]}
            for one in found.contours
        ],
        "over_training": smaller_block(found.small),
        "known_models": [
            {
                "name": one.name,
                "params": one.params,
                "tokens": one.tokens,
                "source": one.source,
                "checked": one.checked,
            }
            for one in known
        ],
    }


def _point(one: Optimum) -> list[float]:
    return [one.params, one.tokens, one.loss]


def smaller_block(runs: Iterable[OverTrained]) -> list[Document]:
    """Return models of one loss with fewer parameters than are best, and when serving pays them back."""
    return [_small(run) for run in runs]


def _small(run: OverTrained) -> Document:
    served = served_to_break_even(run)
    return {
        "size_factor": run.size_factor,
        "params": run.params,
        "tokens": run.tokens,
        "tokens_per_param": run.tokens / run.params,
        "flops": run.flops,
        "overhead": run.overhead,
        "served_tokens_to_break_even": served if isfinite(served) else None,
    }
