"""Guard rails: every mistake is seen where it is made, and nothing is seen in its near neighbour."""

from dataclasses import replace

import numpy as np
import pytest

from sizewise.errors import InputError, UsageError
from sizewise.notices import Notice
from sizewise.scaling.fit.guard_rails import check_answer, check_fit, check_runs
from sizewise.scaling.fit.guard_rails.boundaries import (
    DecayMinimum,
    boundary_coefficients,
    decay_constants,
    floor_identified,
)
from sizewise.scaling.fit.guard_rails.conventions import (
    counted_experts,
    experts,
    flops_convention,
    log_base,
    parameter_convention,
    units,
)
from sizewise.scaling.fit.guard_rails.data import (
    assumed_noise,
    dropped_rows,
    influential,
    loss_column,
    repeated_data,
    schedules,
    validation_split,
)
from sizewise.scaling.fit.guard_rails.design import (
    Window,
    collinear,
    condition_number,
    extrapolation,
    ill_conditioned,
    isoflop_geometry,
    too_few,
)
from sizewise.scaling.fit.guard_rails.optimiser import (
    above_best,
    bound_in_name_only,
    lonely_start,
    stopped_early,
)
from sizewise.scaling.fit.guard_rails.uncertainty import (
    bootstrap_unit,
    cluster_error,
    flat_optimum,
    replicate_quality,
    residual_scale,
    size_range,
)
from sizewise.scaling.fit.layout import distinct
from sizewise.scaling.fit.resampling import bootstrap
from sizewise.scaling.fit.shared_noise import SharedNoise
from sizewise.scaling.fit.solve import fit_additive
from sizewise.scaling.forms.additive import Additive
from sizewise.scaling.interval import Interval
from sizewise.scaling.run_files import Runs

SHARED = SharedNoise(ratio=11.0, chance=1e-4, share=0.7)
LAW = Additive(E=1.817218099, A=477.82586823, B=2143.4173634, alpha=0.347310498882, beta=0.367172432628)


def made(params, tokens, *, noise=0.005, law=LAW, **fields):
    spread = np.exp(noise * np.random.default_rng(0).standard_normal(len(params)))
    losses = [law.value(n, d) * s for n, d, s in zip(params, tokens, spread, strict=True)]
    return Runs(
        params=tuple(map(float, params)),
        tokens=tuple(map(float, tokens)),
        losses=tuple(map(float, losses)),
        **fields,
    )


GRID_N, GRID_D = (
    axis.ravel() for axis in np.meshgrid(np.geomspace(1e8, 1e10, 6), np.geomspace(2e9, 2e11, 5))
)
GRID = made(GRID_N, GRID_D)
FIT = fit_additive(GRID.params, GRID.tokens, GRID.losses)
REPLICATES = bootstrap(FIT, replicates=60)


def codes(findings):
    return [finding.code for finding in findings]


def one(findings, code, *words):
    (finding,) = findings
    assert finding.code == code
    for word in words:
        assert word in finding.message
    assert finding.effect
    assert finding.advice


def none(findings):
    assert list(findings) == []


def with_others(runs=GRID, **others):
    return replace(runs, others={**runs.others, **others})


def test_a_good_design_raises_nothing():
    assert check_runs(GRID) == ()
    assert check_fit(GRID, FIT, REPLICATES) == ()
    assert codes(check_answer(GRID, FIT, 1e22)) == ["LAW16"]


def test_no_runs_are_refused():
    with pytest.raises(InputError, match="no runs"):
        check_runs(GRID.at([]))


def test_law01_stopped_optimiser():
    none(stopped_early(FIT))
    stopped = replace(FIT.certificate, gradient=1e-3)
    one(stopped_early(replace(FIT, certificate=stopped)), "LAW01", "gradient 0.001")
    saddle = replace(FIT.certificate, curvatures=(-0.1, 0.1, 1.0, 2.0, 20.0))
    one(stopped_early(replace(FIT, certificate=saddle)), "LAW01", "curvature -0.1")
    one(above_best(1.018433e-3, 1.0182740178e-3), "LAW01", "1.6e-07 above")
    none(above_best(1.0182740178e-3 + 1e-13, 1.0182740178e-3))


@pytest.mark.parametrize(("agreeing", "seen"), [(2, True), (3, False)])
def test_law02_lonely_start(agreeing, seen):
    fit = replace(FIT, certificate=replace(FIT.certificate, agreeing=agreeing, starts=12))
    assert codes(lonely_start(fit)) == ["LAW02"] * seen
    if seen:
        one(lonely_start(fit), "LAW02", "only 2 of 12 starts")


def test_law03_bound_in_name_only():
    outlying = replace(GRID, losses=(1.2 * GRID.losses[0], *GRID.losses[1:]))
    wide = fit_additive(outlying.params, outlying.tokens, outlying.losses, delta=0.5)
    one(bound_in_name_only(outlying, wide), "LAW03", "100%", "least squares")
    narrow = fit_additive(GRID.params, GRID.tokens, GRID.losses, delta=1e-6)
    none(bound_in_name_only(GRID, FIT))
    none(bound_in_name_only(GRID, fit_additive(GRID.params, GRID.tokens, GRID.losses, loss="lad")))
    exact = made(GRID_N, GRID_D, noise=0.0)
    none(bound_in_name_only(exact, fit_additive(exact.params, exact.tokens, exact.losses)))
    few = replace(narrow, certificate=replace(narrow.certificate, inside=4))
    one(bound_in_name_only(outlying, few), "LAW03", "least absolute deviations")


def shaped(matrices, tables):
    """Runs whose N counts so many attention matrices and embedding tables, for six decoder shapes."""
    width, layers = np.array([512, 768, 1024, 1536, 2048, 4096]), np.array([8, 12, 16, 20, 24, 32])
    counts = layers * (matrices * width**2 + 8 * width**2) + tables * 32000 * width
    columns = {"hidden_size": width, "layers": layers, "vocabulary": np.full(6, 32000)}
    return with_others(
        made(counts, 20.0 * counts), **{role: tuple(map(float, cells)) for role, cells in columns.items()}
    )


def test_law05_parameter_convention():
    one(parameter_convention(shaped(4, 0)), "LAW05", "non-embedding", "four attention matrices")
    one(parameter_convention(shaped(5, 0)), "LAW05", "five attention matrices")
    for matrices, tables in ((4, 1), (5, 1), (4, 2)):
        none(parameter_convention(shaped(matrices, tables)))
    one(
        parameter_convention(replace(GRID, columns={"n": "config.non_embedding_params"})),
        "LAW05",
        "by its name",
    )
    one(parameter_convention(with_others(non_embedding_params=GRID.params)), "LAW05", "equal to")
    none(parameter_convention(with_others(non_embedding_params=tuple(0.9 * n for n in GRID.params))))
    one(experts(with_others(experts=(1.0, 8.0) * 15)), "LAW05", "1 to 8 experts")
    none(experts(with_others(experts=(8.0,) * 30)))


def test_law05_idle_experts():
    sizes = GRID.params
    few = tuple(n / 4 for n in sizes)
    one(counted_experts(with_others(total_params=sizes, active_params=few)), "LAW05", "4 times the active")
    none(counted_experts(with_others(total_params=tuple(4 * n for n in sizes), active_params=sizes)))
    none(counted_experts(with_others(total_params=sizes, active_params=sizes)))


def test_law06_flops_convention():
    products = [6 * n * d for n, d in zip(GRID.params, GRID.tokens, strict=True)]
    none(flops_convention(GRID))
    none(flops_convention(replace(GRID, flops=tuple(products))))
    one(
        flops_convention(replace(GRID, flops=tuple(1.1 * c for c in products))),
        "LAW06",
        "1.1 times 6ND",
        "30 of 30",
    )
    none(flops_convention(replace(GRID, flops=tuple(1.02 * c for c in products))))
    sizes = np.geomspace(1e8, 1e10, 30) * 1.0001
    budgets = np.tile([1e19, 1e20, 1e21], 10)
    derived = made(sizes, budgets / 6 / sizes, flops=tuple(budgets))
    one(flops_convention(derived), "LAW06", "D is C/(6N) in all 30 runs")
    whole = replace(derived, tokens=tuple(float(round(d)) for d in derived.tokens))
    none(flops_convention(whole))
    said = (Notice(code="tokens_derived", message=""),)
    one(flops_convention(replace(whole, notices=said)), "LAW06", "derived")


def test_law07_repeated_data():
    one(repeated_data(with_others(unique_tokens=(1e10,) * 30)), "LAW07", "18 of 30 runs", "20 epochs")
    none(repeated_data(with_others(unique_tokens=tuple(d / 1.01 for d in GRID.tokens))))
    one(repeated_data(with_others(epochs=(4.0,) * 30)), "LAW07", "up to 4 epochs")
    none(repeated_data(with_others(epochs=(float("nan"),) + (0.9,) * 29)))
    one(repeated_data(with_others(tokenizer=("gpt2", "llama") * 15)), "LAW07", "gpt2, llama")
    none(repeated_data(with_others(tokenizer=("gpt2",) * 30)))


def curves(**fields):
    names = tuple(f"run-{n:.0f}" for n in GRID.params)
    return replace(GRID, names=names, columns={"run": "run_id"}, **fields)


def test_law08_schedules():
    one(schedules(curves()), "LAW08", "24 of 30 points are checkpoints")
    none(schedules(curves(others={"schedule": ("WSD",) * 30})))
    none(schedules(replace(curves(), columns={"run": "model"})))  # models trained for several lengths
    none(schedules(replace(GRID, names=tuple(map(str, range(30))), columns={"run": "run"})))

    steps = tuple(d / 1e6 for d in GRID.tokens)
    one(
        schedules(with_others(step=steps, planned_steps=tuple(2 * s for s in steps))),
        "LAW08",
        "30 of 30 runs",
    )
    none(schedules(with_others(step=steps, planned_steps=tuple(1.2 * s for s in steps))))

    one(schedules(with_others(learning_rate=(3e-3,) * 30)), "LAW08", "one learning rate, 0.003")
    none(schedules(with_others(learning_rate=(3e-3, 1e-3) * 15)))

    one(schedules(with_others(step=steps, warmup_steps=(1000.0,) * 30)), "LAW08", "50% of the steps")
    none(schedules(with_others(step=steps, warmup_steps=(100.0,) * 30)))
    one(schedules(with_others(batch_tokens=(1e6,) * 30, warmup_steps=(1000.0,) * 30)), "LAW08", "warm-up")
    none(schedules(with_others(warmup_steps=("long", "short") * 15)))


def test_law09_losses():
    one(loss_column(replace(GRID, columns={"loss": "train/loss"})), "LAW09", "train/loss is a training loss")
    none(loss_column(replace(GRID, columns={"loss": "eval/loss"})))
    one(loss_column(with_others(split=("train",) * 30)), "LAW09")
    none(loss_column(with_others(split=("val",) * 30)))
    one(assumed_noise(GRID, 0.004), "LAW09", "0.004", "no repeats")
    none(assumed_noise(GRID.at([*range(30), 0]), 0.004))


def test_law10_published_condition_numbers():
    ray = np.geomspace(1e8, 1e10, 12)
    assert condition_number(ray, 20 * ray, LAW) == pytest.approx(4.9e7, rel=0.01)
    sizes, lengths = (
        axis.ravel() for axis in np.meshgrid(np.geomspace(1e8, 1e10, 4), np.geomspace(2e9, 2e11, 3))
    )
    assert condition_number(sizes, lengths, LAW) == pytest.approx(51, rel=0.01)
    one(ill_conditioned(made(ray, 20 * ray), LAW), "LAW10", "4.9e+07")
    none(ill_conditioned(made(sizes, lengths), LAW))


def test_law10_correlation():
    sizes = np.geomspace(1e8, 1e10, 12)
    one(collinear(made(sizes, 20 * sizes)), "LAW10", "correlation 1.000", "D = k N")
    one(collinear(made(sizes, 1e20 / sizes)), "LAW10", "one budget")
    near = np.where(np.arange(12) % 2, 20 * sizes, 25 * sizes)
    (told,) = collinear(made(sizes, near))
    (untold,) = collinear(made(sizes, 20 * sizes))
    assert "only predictions along the line" not in told.effect
    assert "only predictions along the line" in untold.effect
    none(collinear(made(sizes, np.tile([1e9, 1e10, 1e11], 4))))
    none(collinear(made(sizes, np.full(12, 1e11))))


def test_law11_too_few():
    assert distinct([1e8, 1.001e8, 3e8], 0.02) == 2
    none(too_few(GRID))
    one(too_few(GRID.at([i for i in range(30) if i % 6 < 4])), "LAW11", "4 different sizes")
    sizes = np.repeat(np.geomspace(1e8, 1e10, 6), 2)
    one(too_few(made(sizes, sizes * np.tile([20, 40], 6))), "LAW11", "2 different D/N")
    none(too_few(made(np.repeat(sizes, 3), np.repeat(sizes, 3) * np.tile([20, 40, 80], 12))))
    one(too_few(GRID.at(range(5))), "LAW11", "5 runs for 5 coefficients")


def test_law11_extrapolation():
    largest = 6 * 1e10 * 2e11
    none(extrapolation(GRID, LAW.optimum(90 * largest)))
    one(extrapolation(GRID, LAW.optimum(200 * largest)), "LAW11", "2.3 decades")
    with pytest.raises(UsageError, match=r"LAW11: .* 3\.3 decades"):
        list(extrapolation(GRID, LAW.optimum(2000 * largest)))
    one(extrapolation(GRID, LAW.optimum(2000 * largest), force=True), "LAW11", "3.3 decades")
    narrow = made(GRID_N, 100 * GRID_N)
    one(extrapolation(narrow, LAW.optimum(1e21)), "LAW11", "D/N 21.4 is outside")


def windows(*, ratio=4.0, **changes):
    return [
        Window(
            flops=flops,
            low=best / ratio,
            high=best * ratio,
            vertex=best,
            **{"curvature": 0.1, "points": 7, **changes},
        )
        for flops, best in ((1e19, 3e8), (1e20, 1e9), (1e21, 3e9))
    ]


def test_law12_geometry():
    none(isoflop_geometry(windows(), 0.34, 0.28))
    one(isoflop_geometry(windows(ratio=16.0), 0.34, 0.28), "LAW12", "up to 0.046 of ln N")
    for changes in ({"curvature": -0.1}, {"points": 3}, {"vertex": 1e12}):
        bad = replace(windows()[0], **changes)
        one(isoflop_geometry([bad, *windows()], 0.34, 0.34), "LAW12", "1 of 4 budgets rejected")
    first, *others = windows()
    drifting = [replace(first, low=first.low * 2, high=first.high * 2), *others]
    one(isoflop_geometry(drifting, 0.34, 0.34), "LAW12", "drift by -0.15")
    one(isoflop_geometry(windows(spread=1.6), 0.34, 0.34), "LAW12", "1.60 times")


def test_law13_replicates():
    none(replicate_quality(REPLICATES))
    one(
        replicate_quality(replace(REPLICATES, unconverged=2)),
        "LAW13",
        "2 of 60 draws of runs have not converged",
    )
    none(replicate_quality(replace(REPLICATES, unconverged=0)))
    left_out = replace(REPLICATES, kind="without one run", unconverged=2)
    one(replicate_quality(left_out), "LAW13", "2 of 60 fits that leave out a run have not converged")
    missed = replace(REPLICATES, missed=3, checked=50, solved_cold=False)
    one(replicate_quality(missed), "LAW13", "3 of 50 draws of runs found a better optimum from a cold start")
    none(replicate_quality(replace(missed, solved_cold=True, checked=60)))


def test_law13_unit_of_the_bootstrap():
    one(bootstrap_unit(GRID, REPLICATES), "LAW13", "30 runs of 6 sizes")
    none(bootstrap_unit(GRID, replace(REPLICATES, kind="groups")))
    scattered = made(np.geomspace(1e8, 1e10, 30), GRID_D)
    none(bootstrap_unit(scattered, REPLICATES))
    centre = REPLICATES.coefficients.mean(axis=0)
    wide = replace(REPLICATES, coefficients=centre + 2 * (REPLICATES.coefficients - centre))
    one(cluster_error(wide, REPLICATES), "LAW13", "2 times the row error")
    none(cluster_error(REPLICATES, REPLICATES))
    assert check_fit(GRID, FIT, REPLICATES, grouped=wide) == ()
    found = check_fit(GRID, FIT, REPLICATES, grouped=wide, shared=SHARED)
    assert "cluster error" in found[-1].message
    none(cluster_error(replace(wide, units=6), REPLICATES))
    exact = replace(REPLICATES, coefficients=np.tile(FIT.coefficients, (60, 1)))
    none(cluster_error(REPLICATES, exact))


def test_law14_influence():
    one(
        influential([0.51, 0.55, 0.5], 0.51, 0.02, ["a", "b", "c"]),
        "LAW14",
        "without b",
        "0.550",
        "runs that do so: 1",
    )
    none(influential([0.51, 0.52, 0.5], 0.51, 0.02, ["a", "b", "c"]))
    one(
        dropped_rows(["x", "y", "z"], 0.537, 0.5),
        "LAW14",
        "dropping 3 runs moves a from 0.537 to 0.500: x, y, z",
    )
    none(dropped_rows([], 0.5, 0.5))
    one(dropped_rows(["x"], 0.5141, 0.5142), "LAW14", "leaves a at 0.514")
    none(influential([0.514, 0.5145], 0.514, 1e-12, ["a", "b"]))


def test_law15_boundaries():
    none(boundary_coefficients(GRID, FIT))
    for change, words in (
        ({"E": 9.0}, "not below the lowest loss"),
        ({"E": 1e-9}, "vanishes"),
        ({"alpha": 0.02}, "alpha 0.02 is at the edge"),
        ({"beta": 3.0}, "beta 3 is at the edge"),
        ({"alpha": -0.3}, "alpha -0.3 is outside 0.02 to 3"),
        ({"A": 0.0}, "not both above 0"),
    ):
        fit = replace(FIT, coefficients=FIT.coefficients._replace(**change))
        one(boundary_coefficients(GRID, fit), "LAW15", words)
    flat = replace(FIT.certificate, curvatures=(0.0, 1.0, 1.0, 1.0, 20.0))
    one(boundary_coefficients(GRID, replace(FIT, certificate=flat)), "LAW15", "flat in a direction")
    bound = replace(FIT.certificate, at_bounds=("E",))
    one(boundary_coefficients(GRID, replace(FIT, certificate=bound)), "LAW15", "E ran to its bound")


def test_law15_floor_without_an_interval():
    none(floor_identified(GRID, Interval(low=1.7, high=1.9, level=0.9)))
    wide = Interval(low=1e-6, high=1.9, level=0.8)
    one(floor_identified(GRID, wide), "LAW15", "80% interval (1e-06, 1.9)")


def test_law15_real_floor_at_zero():
    runs = made(GRID_N, GRID_D, law=replace(LAW, E=0.0))
    fit = fit_additive(runs.params, runs.tokens, runs.losses)
    assert "LAW15" in codes(check_fit(runs, fit, bootstrap(fit, replicates=60)))


def test_law16_flat_optimum():
    one(flat_optimum(LAW, 5.76e23), "LAW16", "< 0.1 %", "< 1 %")
    best = LAW.optimum(5.76e23)
    for share in (0.001, 0.01):
        low, high = size_range(LAW, 5.76e23, share)
        assert low < best.params < high
        for size in (low, high):
            loss = LAW.value(size, 5.76e23 / 6 / size)
            assert loss == pytest.approx(best.loss * (1 + share), rel=1e-9)


def test_law17_decay_constants():
    published = 0.0158259321
    known = [
        DecayMinimum(token_decay=15.372, param_decay=5.315, objective=published),
        DecayMinimum(token_decay=46.990, param_decay=2.3296, objective=0.0158073786),
        DecayMinimum(token_decay=95.365, param_decay=1.7059, objective=0.0158046625),
    ]
    one(
        decay_constants(known, 400, 0.0158259353, (6.0, float("inf"))),
        "LAW17",
        "3 local minima, R*_D from 15.4 to 95.4",
        "published point is a local minimum, 1.0013 times",
    )
    none(decay_constants(known[:1], 12, published, (10.0, 20.0)))
    one(decay_constants(known[:1], 1, published, (10.0, 20.0)), "LAW17", "only 1 starts")


def test_law18_units():
    none(units(GRID))
    one(units(replace(GRID, params=tuple(n * 1e6 for n in GRID.params))), "LAW18", "another unit")
    one(units(replace(GRID, tokens=tuple(d * 1e9 for d in GRID.tokens))), "LAW18", "another unit")
    one(units(replace(GRID, tokens=tuple(n / 200 for n in GRID.params))), "LAW18", "tokens per parameter")
    one(units(replace(GRID, params=tuple(n / 1e6 for n in GRID.params))), "LAW18", "looks like millions")
    one(units(replace(GRID, tokens=tuple(d / 1e9 for d in GRID.tokens))), "LAW18", "looks like billions")
    one(units(replace(GRID, flops=tuple([0.5] * 30))), "LAW18", "looks like PF-days")
    one(units(replace(GRID, losses=tuple(np.log10(GRID.losses)))), "LAW18", "log10")
    one(units(replace(GRID, losses=tuple(np.exp(GRID.losses) + 9))), "LAW18", "perplexity")


def test_law18_base_of_the_logarithm():
    one(log_base(GRID.losses, list(np.log10(GRID.losses) + 0.004)), "LAW18", "log10")
    none(log_base(GRID.losses, list(np.log(GRID.losses) + 0.004)))


def test_law19_ties_and_weights():
    tied = fit_additive(GRID.params, GRID.tokens, GRID.losses, tied=True)
    assert "LAW19" in codes(check_fit(GRID, tied))
    one(residual_scale(GRID, tied=True, exponent=0.5, alternative=0.514), "LAW19", "a = 0.5140")
    none(residual_scale(GRID, tied=False, exponent=0.5, alternative=None))
    weighted = with_others(weight=(1.0, 2.0) * 15)
    one(residual_scale(weighted, tied=False, exponent=0.5, alternative=None), "LAW19", "not used")
    none(residual_scale(with_others(weight=(1.0,) * 30), tied=False, exponent=0.5, alternative=None))


def test_law20_validation_split():
    compute = np.array(GRID.params) * np.array(GRID.tokens)
    one(validation_split(GRID, [0, 7, 20]), "LAW20", "3 held-out runs", "27")
    none(validation_split(GRID, np.argsort(compute)[-3:].tolist()))
    none(validation_split(GRID, [i for i in range(30) if GRID.params[i] == max(GRID.params)]))
    none(validation_split(with_others(series=("a",) * 3 + ("b",) * 27), [0, 1, 2]))
    none(validation_split(GRID, []))
    assert codes(check_runs(GRID, held_out=[0, 7])) == ["LAW20"]


def test_findings_of_influence_come_from_left_out_runs():
    unmoved = np.tile(np.array(FIT.coefficients), (30, 1))
    without = replace(REPLICATES, kind="without one run", coefficients=unmoved)
    assert "LAW14" not in codes(check_fit(GRID, FIT, REPLICATES, without_each=without))
    moved = np.array(unmoved)
    moved[4, 4] *= 2
    findings = check_fit(GRID, FIT, REPLICATES, without_each=replace(without, coefficients=moved))
    assert "run 5" in next(finding.message for finding in findings if finding.code == "LAW14")
