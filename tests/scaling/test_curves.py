"""Points of a law: they pass through its answer, and each lies on the curve that it belongs to."""

from itertools import pairwise

import pytest

from sizewise.scaling.budget import training_flops
from sizewise.scaling.questions.allocation import allocate, loss_function
from sizewise.scaling.questions.curves import EXCESS, FRONTIER, LawCurves, law_curves
from sizewise.scaling.registry import law

LAWS = ("besiroglu2024-published", "hoffmann2022-a3-rounded", "krajewski2024-dense", "gadre2024-c4")
WITHOUT_INVERSES = ("kaplan2020-nd", "muennighoff2023")


def curves(name: str, flops: float) -> LawCurves:
    return law_curves(law(name), allocate(law(name), flops))


@pytest.mark.parametrize(
    ("name", "params", "tokens", "loss"),
    [
        ("besiroglu2024-published", 9.586e10, 1.739e12, 1.960),
        ("hoffmann2022-a3-rounded", 4.130e10, 4.036e12, 1.911),
    ],
)
def test_the_lowest_point_of_a_budget_is_the_published_optimum(
    name: str, params: float, tokens: float, loss: float
) -> None:
    (asked,) = [one for one in curves(name, 1e24).budgets if one.best.flops == 1e24]
    lowest = min(asked.points, key=lambda point: point.loss)
    assert lowest == asked.best
    assert (lowest.params, lowest.tokens) == pytest.approx((params, tokens), rel=1e-3)
    assert lowest.loss == pytest.approx(loss, abs=1e-3)


@pytest.mark.parametrize("name", [*LAWS, *WITHOUT_INVERSES])
@pytest.mark.parametrize("flops", [1e19, 5.76e23, 1e27])
def test_every_budget_is_spent_and_its_curve_falls_to_the_best_and_rises(name: str, flops: float) -> None:
    found, loss = curves(name, flops), loss_function(law(name))
    best = allocate(law(name), flops).best
    assert best in [one.best for one in found.budgets]
    for one in found.budgets:
        for point in one.points:
            assert training_flops(point.params, point.tokens) == pytest.approx(one.best.flops)
            assert point.loss == pytest.approx(loss(point.params, point.tokens))
        place = one.points.index(one.best)
        before, after = one.points[: place + 1], one.points[place:]
        assert all(left.loss > right.loss for left, right in pairwise(before))
        assert all(left.loss < right.loss for left, right in pairwise(after))
    asked = next(one for one in found.budgets if one.best == best)
    for end in (asked.points[0], asked.points[-1]):
        assert end.loss == pytest.approx(best.loss * (1 + EXCESS))


@pytest.mark.parametrize("name", LAWS)
def test_lines_of_equal_loss_touch_the_best_sizes(name: str) -> None:
    found, loss = curves(name, 1e22), loss_function(law(name))
    assert len(found.contours) == len(found.frontier) == len(FRONTIER)
    for line, best in zip(found.contours, found.frontier, strict=True):
        assert line.best == best
        assert (best.params, best.tokens) in line.points
        for params, tokens in line.points:
            assert loss(params, tokens) == pytest.approx(best.loss)
            assert training_flops(params, tokens) >= best.flops * (1 - 1e-9)


@pytest.mark.parametrize("name", LAWS)
def test_smaller_models_reach_the_loss_with_more_compute(name: str) -> None:
    best, loss = allocate(law(name), 1e22).best, loss_function(law(name))
    small = curves(name, 1e22).small
    assert small
    for one in small:
        assert loss(one.params, one.tokens) == pytest.approx(best.loss)
        assert one.flops > best.flops
    assert [one.params for one in small] == sorted((one.params for one in small), reverse=True)
    assert [one.overhead for one in small] == sorted(one.overhead for one in small)


@pytest.mark.parametrize("name", WITHOUT_INVERSES)
def test_laws_without_inverses_have_budgets_alone(name: str) -> None:
    found = curves(name, 1e22)
    assert found.budgets
    assert found.contours == found.small == ()


def test_budgets_that_pay_for_nothing_are_left_out() -> None:
    found = curves("besiroglu2024-published", 1e3)
    assert next(one.best.flops for one in found.budgets) == pytest.approx(1e3)
    assert all(min(point.params, point.tokens) >= 1 for one in found.budgets for point in one.points)
