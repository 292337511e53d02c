"""Runs of one D/N: what they tell of a law, and that nothing else is told."""

import numpy as np
import pytest

from sizewise.errors import InputError, UsageError
from sizewise.scaling.fit.along_line import along_line, line_of_runs
from sizewise.scaling.fit.arrays import runs_of_arrays
from sizewise.scaling.fit.layout import Line, line_of, require_budgets
from sizewise.scaling.fit.solve import fit_additive
from sizewise.scaling.fit.study import Study, studied

SIZES = np.geomspace(4e7, 4e9, 14)
QUICK = Study(replicates=200, by=None)


def loss(n, d):
    return 1.9 + 300 * n**-0.32 + 900 * d**-0.33


def ladder(tokens, noise=0.003, seed=1):
    seen = loss(SIZES, tokens) * np.exp(np.random.default_rng(seed).normal(0, noise, len(SIZES)))
    return runs_of_arrays(SIZES, tokens, seen, None, [f"r{row}" for row in range(len(SIZES))])


def told(runs, study=QUICK):
    return along_line(runs, line_of_runs(runs, study), study)


def test_terms_that_change_places_on_a_line_leave_all_losses_as_they_are():
    line, (alpha, beta) = Line(ratio=20.0, power=1.2), (0.32, 0.33)
    tokens = line.ratio * SIZES**line.power
    swapped = (
        1.9
        + 900 * line.ratio**-beta * SIZES ** (-beta * line.power)
        + 300 * line.ratio ** (alpha / line.power) * tokens ** (-alpha / line.power)
    )
    assert swapped == pytest.approx(loss(SIZES, tokens), rel=1e-12)


def test_lines():
    off = np.exp(np.random.default_rng(0).uniform(-0.04, 0.04, len(SIZES)))
    assert str(line_of(SIZES, 20 * SIZES)) == "D = 20 N"
    assert line_of(SIZES, 20 * SIZES * off).power == 1
    steep = line_of(SIZES, 3 * SIZES**1.3)
    assert (steep.ratio, steep.power) == (pytest.approx(3), pytest.approx(1.3))
    assert 6 * steep.params(1e21) * steep.ratio * steep.params(1e21) ** steep.power == pytest.approx(1e21)


@pytest.mark.parametrize(
    "tokens",
    [
        1e20 / SIZES,
        np.where(np.arange(14) % 2, 20 * SIZES, 25 * SIZES),
        np.minimum(20 * SIZES, 2e10),
        np.full(14, 1e11),
    ],
    ids=["one budget", "two ratios", "a kink", "one length"],
)
def test_designs_that_are_no_line(tokens):
    assert line_of(SIZES, tokens) is None


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_loss_along_the_line_is_found_beyond_the_runs(seed):
    found = told(ladder(20 * SIZES, seed=seed))
    assert found.target.flops == pytest.approx(10 * 6 * 20 * 4e9**2)
    assert found.target.tokens == pytest.approx(20 * found.target.params)
    assert found.target.loss == pytest.approx(loss(found.target.params, found.target.tokens), rel=0.015)
    assert found.intervals.E.low < 1.9 < found.intervals.E.high
    assert found.intervals.gamma.low < 0.325 / 2 < found.intervals.gamma.high
    assert "LAW10" in {one.code for one in found.findings}
    assert "D = 20 N" in found.refusals[0]


@pytest.mark.parametrize("objective", ["huber", "lad", "squared"])
def test_one_power_is_confirmed_under_every_objective(objective):
    found = told(ladder(20 * SIZES, noise=0), Study(replicates=20, by=None, loss=objective))
    assert found.fit.certificate.confirmed
    assert found.fit.free == 3
    again = found.coefficients.E + found.coefficients.K * (6 * 20 * SIZES**2) ** -found.coefficients.gamma
    assert again == pytest.approx(loss(SIZES, 20 * SIZES), rel=1e-4)


def test_held_out_runs_are_named_by_their_sizes():
    found = told(ladder(20 * SIZES), Study(replicates=20, by="decade"))
    assert [run.predicted.params for run in found.held_out.runs] == pytest.approx(SIZES[-4:])
    assert found.held_out.mean_error < 0.02


def test_a_run_off_the_line_may_be_left_out():
    tokens = 20 * SIZES
    tokens[3] *= 2
    runs = ladder(tokens)
    assert line_of_runs(runs, QUICK) is None
    assert line_of_runs(runs, Study(drop=("r3",))) is not None
    assert len(told(runs, Study(replicates=20, by=None, drop=("r3",))).runs) == 13


def test_losses_that_do_not_fall_are_refused():
    rising = runs_of_arrays(SIZES, 20 * SIZES, 6 - loss(SIZES, 20 * SIZES), None, None)
    with pytest.raises(InputError, match="do not fall"):
        told(rising)


def test_a_far_target_is_refused_before_the_fit():
    with pytest.raises(UsageError, match="decades beyond the largest run"):
        told(ladder(20 * SIZES), Study(target=1e27))


def test_a_law_of_n_and_d_is_refused_before_the_draws():
    with pytest.raises(InputError, match="all runs have D = 20 N"):
        studied(ladder(20 * SIZES), QUICK)


def test_one_budget_tells_no_best_size_of_another():
    with pytest.raises(InputError, match="no best size of 1e"):
        require_budgets([1e20, 1.02e20], 1e21)
    require_budgets([1e20, 1.02e20], 1.05e20)
    require_budgets([1e20, 3e20], 1e22)
    found = studied(ladder(1e20 / SIZES), QUICK)
    assert found.target is None
    assert any("all runs take about 6e+20" in one for one in found.refusals)
    assert studied(ladder(1e20 / SIZES, noise=1e-6), Study(replicates=20, by=None, target=6e20)).target


def test_tied_exponents_of_two_variables_keep_four_coefficients():
    n, d = (axis.ravel() for axis in np.meshgrid(SIZES[::4], [2e9, 1e10, 5e10]))
    assert fit_additive(n, d, loss(n, d), tied=True).free == 4
