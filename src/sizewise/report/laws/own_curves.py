"""Runs and the law that was fitted to them, as points to draw."""

from math import sqrt

from sizewise.errors import SizewiseError
from sizewise.report.document import Document
from sizewise.report.laws.curves import curves_block
from sizewise.scaling.fit.study import Studied, spent
from sizewise.scaling.questions.curves import surface_curves
from sizewise.scaling.questions.surface import surface_of_form


def own_curves(found: Studied) -> Document | None:
    """Return the curves of a fitted law amid the budgets of its runs, and ``runs`` [params, tokens, loss].

    None where the law has no best size.
    """
    try:
        losses = surface_of_form(found.fit.law, name="the fitted law", status="fitted")
        budgets = spent(found.runs)
        curves = surface_curves(losses, sqrt(min(budgets) * max(budgets)))
    except SizewiseError:
        return None
    runs = zip(found.runs.params, found.runs.tokens, found.runs.losses, strict=True)
    return curves_block(curves, ()) | {"runs": [list(run) for run in runs]}
