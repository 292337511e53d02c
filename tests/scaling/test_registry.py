"""Published laws: what budgets are best spent on, gradients, names, ranges and refusals."""

from math import exp, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sizewise.catalog.laws import published_law, published_laws
from sizewise.errors import InputError, UsageError
from sizewise.scaling import law, laws
from sizewise.scaling.budget import bracketed_optimum
from sizewise.scaling.forms import FORMS
from sizewise.scaling.forms.additive import Additive
from sizewise.scaling.forms.over_training import OverTraining

ROW = {
    "name": "mine",
    "title": "A law",
    "form": "additive",
    "variables": ["params", "tokens"],
    "coefficients": {"E": 1.0, "A": 2.0, "B": 3.0, "alpha": 0.3, "beta": 0.4},
    "status": "read",
    "source": "arXiv:0000.00000",
    "checked": "2026-11-22",
    "license": "facts",
}


@pytest.mark.parametrize(
    ("name", "flops", "params", "tokens", "per_param"),
    [
        ("besiroglu2024-published", 1e21, 2.78e9, 60.0e9, 21.6),
        ("besiroglu2024-published", 5.76e23, 72.3e9, 1.329e12, 18.4),
        ("besiroglu2024-published", 1e24, 9.586e10, 1.739e12, 18.1),
        ("epoch240-huber", 5.76e23, 73.2e9, 1.312e12, 17.9),
        ("hoffmann2022-a3-rounded", 5.76e23, 32.2e9, 2.98e12, 92.7),
    ],
)
def test_budgets_are_spent_as_published(
    name: str, flops: float, params: float, tokens: float, per_param: float
) -> None:
    best = law(name).optimum(flops)
    assert best.params == pytest.approx(params, rel=2e-3)
    assert best.tokens == pytest.approx(tokens, rel=1e-3)
    assert best.tokens_per_param == pytest.approx(per_param, abs=0.06)
    assert 6 * best.params * best.tokens == pytest.approx(flops, rel=1e-12)


def test_the_loss_of_a_budget_is_as_published() -> None:
    assert law("besiroglu").optimum(1e24).loss == pytest.approx(1.960, abs=5e-4)


@pytest.mark.parametrize(("flops", "tokens"), [(1.65e20, 27.4e9), (9.24e28, 1539e12)])
def test_table_a3_of_chinchilla_comes_out_with_three_digits(flops: float, tokens: float) -> None:
    assert law("sardana2024-chinchilla").optimum(flops).tokens == pytest.approx(tokens, rel=0.1)


def test_the_exponent_of_the_best_size_is_near_one_half() -> None:
    form = law("epoch240-huber").form
    assert isinstance(form, Additive)
    assert form.params_exponent == pytest.approx(0.5140, abs=2e-4)


def test_llama_tokens_come_out_of_the_label_of_the_figure() -> None:
    assert law("llama3-dstar").predict(flops=3.8e25) == pytest.approx(16.55e12, rel=0.02)


def test_repeated_data_gives_the_losses_of_the_authors() -> None:
    found = law("muennighoff2023")
    loss = found.loss(params=6.34e9, tokens=242e9, unique_tokens=25e9)
    assert loss == pytest.approx(2.2256440889984477, rel=1e-13)
    loss = found.loss(params=8.67e9, tokens=178e9, unique_tokens=25e9)
    assert loss == pytest.approx(2.2269634075087867, rel=1e-13)


def test_repeated_data_is_allocated_as_by_the_authors_grid() -> None:
    best = law("muennighoff2023").optimum(1e22, unique_tokens=25e9)
    assert best.tokens == pytest.approx(237336955477.55, rel=2e-3)
    assert best.params == pytest.approx(7022364735.88, rel=2e-3)
    on_grid = law("muennighoff2023").loss(params=7022364735.88, tokens=237336955477.55, unique_tokens=25e9)
    assert on_grid - 1e-6 < best.loss <= on_grid


def test_without_repeats_the_optimum_is_that_of_tokens_seen_once() -> None:
    best = law("muennighoff2023").optimum(1e21, unique_tokens=1e14)
    form = law("muennighoff2023").form
    assert best.loss == pytest.approx(form.once.optimum(1e21).loss, rel=1e-12)  # type: ignore[attr-defined]


def test_over_training_is_the_additive_law_along_budgets() -> None:
    form = law("gadre2024-rpj").form
    assert isinstance(form, OverTraining)
    factor = form.additive.A
    assert factor == pytest.approx(166.21099, rel=1e-7)
    params, tokens = 3e9, 2e11
    along = form.value(6 * params * tokens, tokens / params)
    assert form.additive.value(params, tokens) == pytest.approx(along, rel=1e-13)
    assert form.optimum(1e21).tokens_per_param == pytest.approx((form.b / form.a) ** (0.5 / form.eta))


BUDGETED = [
    found.name
    for found in laws()
    if hasattr(found.form, "optimum") and found.published.variables == ("params", "tokens")
]


@given(name=st.sampled_from(BUDGETED), logarithm=st.floats(40, 65))
def test_no_other_size_is_better_and_a_search_finds_the_same(name: str, logarithm: float) -> None:
    found = law(name)
    best = found.optimum(exp(logarithm))
    for factor in (0.5, 0.99, 1.01, 2.0):
        assert best.loss <= found.loss(params=best.params * factor, tokens=best.tokens / factor)
    searched = bracketed_optimum(found.form.value, exp(logarithm))
    assert searched.loss == pytest.approx(best.loss, rel=1e-12)
    assert log(searched.params) == pytest.approx(log(best.params), abs=1e-4)


@given(logarithms=st.tuples(st.floats(16, 26), st.floats(20, 30)))
@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("besiroglu2024-published", ()),
        ("busbridge2025-supervised", ()),
        ("kaplan2020-nd", ()),
        ("muennighoff2023", (1e8,)),
    ],
)
def test_gradients_are_those_of_differences(
    name: str, more: tuple[float, ...], logarithms: tuple[float, float]
) -> None:
    form = law(name).form
    params, tokens = logarithms
    step = 1e-5

    def value(n: float, d: float) -> float:
        return form.value(exp(n), exp(d), *more)

    by_params = (value(params + step, tokens) - value(params - step, tokens)) / (2 * step)
    by_tokens = (value(params, tokens + step) - value(params, tokens - step)) / (2 * step)
    gradient = form.gradient(exp(params), exp(tokens), *more)  # type: ignore[attr-defined]
    assert gradient == pytest.approx((by_params, by_tokens), rel=1e-4, abs=1e-8)


@pytest.mark.parametrize("name", ["Besiroglu", "besiroglu-2024 published", "CHINCHILLA-replication"])
def test_names_are_found_without_case_and_punctuation(name: str) -> None:
    assert law(name).name == "besiroglu2024-published"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("besirogl", "besiroglu2024-published"), ("kaplan", "kaplan2020-nd"), ("hofman", "hoffmann")],
)
def test_an_unknown_name_is_told_the_nearest(typed: str, meant: str) -> None:
    with pytest.raises(UsageError, match=rf"did you mean .*{meant}"):
        law(typed)


def test_a_name_like_no_other_is_told_all() -> None:
    with pytest.raises(UsageError, match="known: "):
        law("€")


@pytest.mark.parametrize(
    "column", ["source", "checked", "status", "license", "coefficients", "variables", "form"]
)
@pytest.mark.parametrize("empty", [True, False])
def test_a_row_without_provenance_does_not_load(column: str, empty: bool) -> None:
    row = {**ROW, column: ""} if empty else {key: cell for key, cell in ROW.items() if key != column}
    with pytest.raises(ValueError, match=f"'mine' has no '{column}'"):
        published_law(row)


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "sure"},
        {"counted": "some"},
        {"checked": "yesterday"},
        {"output": "happiness"},
        {"box": {"params": [2.0, 1.0]}},
        {"box": {"size": [1.0, 2.0]}},
        {"standard_errors": {"gamma": 0.1}},
        {"coefficients": {"E": float("inf")}},
    ],
)
def test_a_row_with_a_wrong_cell_does_not_load(wrong: dict[str, object]) -> None:
    assert published_law(ROW).name == "mine"
    with pytest.raises(ValueError):  # noqa: PT011 - each of the cells has a text of its own
        published_law({**ROW, **wrong})


def test_every_form_is_used_and_every_row_has_one() -> None:
    assert {row.form for row in published_laws().values()} == set(FORMS)
    assert len(laws()) == len(published_laws()) == 38


def test_intervals_hold_their_coefficient() -> None:
    for row in published_laws().values():
        for name, (low, high) in row.intervals.items():
            assert low <= row.coefficients[name] <= high
            assert row.interval_level


def test_points_outside_the_fitted_runs_are_told() -> None:
    found = law("hoffmann2022-a3-tex")
    assert found.outside(params=1e9, tokens=2e10) == ()
    beyond = {one.variable: one for one in found.outside(params=70e9, tokens=1.4e12)}
    assert set(beyond) == {"params", "tokens", "flops"}
    assert beyond["flops"].decades == pytest.approx(log(5.88e23 / 3e21) / log(10))
    assert law("chinchilla").outside(params=1e-300, tokens=1e-300)[-1].decades == float("inf")
    assert [one.variable for one in law("gadre2024-c4").outside(flops=1e21, tokens_per_param=2000)] == [
        "tokens_per_param"
    ]


@pytest.mark.parametrize(
    "variables",
    [
        {"params": 1e9},
        {"params": 1e9, "tokens": 1e9, "experts": 2},
        {"params": 0, "tokens": 1e9},
        {"params": -1e9, "tokens": 1e9},
        {"params": float("nan"), "tokens": 1e9},
        {"params": float("inf"), "tokens": 1e9},
        {"params": 10**5000, "tokens": 1e9},
    ],
)
def test_what_cannot_be_is_refused(variables: dict[str, float]) -> None:
    with pytest.raises(UsageError):
        law("besiroglu").loss(**variables)


def test_variables_have_limits_of_their_own() -> None:
    with pytest.raises(UsageError, match="sparsity"):
        law("abnar2025").loss(params=1e9, tokens=1e10, sparsity=1.0)
    with pytest.raises(UsageError, match="experts"):
        law("clark2022-rlr").loss(params=1e9, experts=0.5)
    with pytest.raises(UsageError, match="too extreme"):
        law("kaplan2020-bcrit").predict(loss=1e-300)
    with pytest.raises(UsageError, match="too extreme"):
        law("muennighoff2023").optimum(1e21, unique_tokens=5e-324)
    with pytest.raises(UsageError, match="takes no size"):
        law("besiroglu").outside(size=1.0)


def test_a_law_of_something_else_has_no_loss_and_no_optimum() -> None:
    with pytest.raises(UsageError, match="not a loss"):
        law("llama3-dstar").loss(flops=1e21)
    for name in ("llama3-dstar", "kaplan2020-nd", "abnar2025", "clark2022-hash"):
        with pytest.raises(UsageError, match="6ND"):
            law(name).optimum(1e21)
    with pytest.raises(UsageError, match="unique_tokens"):
        law("muennighoff2023").optimum(1e21)
    with pytest.raises(UsageError, match="6 FLOPs"):
        law("besiroglu").optimum(1.0)


def test_a_term_that_does_not_fall_has_no_best_size() -> None:
    with pytest.raises(InputError, match="no best size"):
        Additive(E=1.0, A=0.0, B=1.0, alpha=0.3, beta=0.3).optimum(1e21)
