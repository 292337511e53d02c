"""A law of a user's own runs as plain data: coefficients with their errors, the optimum, what was found."""

from math import isfinite
from typing import Any

from sizewise.report.document import SCHEMA_VERSION, Document
from sizewise.report.laws.exact import QUANTITIES, quantity_row
from sizewise.report.laws.optimum import optimum_block
from sizewise.scaling.fit.certificate import Certificate
from sizewise.scaling.fit.diagnostics.held_out import HeldOut
from sizewise.scaling.fit.diagnostics.influence import Influence
from sizewise.scaling.fit.diagnostics.profiles import Profile
from sizewise.scaling.fit.intervals import CoefficientIntervals
from sizewise.scaling.fit.resampling import Replicates
from sizewise.scaling.fit.solve import Fit
from sizewise.scaling.fit.study import COEFFICIENTS, Studied, Target
from sizewise.scaling.fit.variants.comparison import FormScore

INFLUENCES_SHOWN = 5
OPTIMUM = ("params", "tokens", "loss", "tokens_per_param", "params_exponent")


def finite(value: float | None) -> float | None:
    """Return a number for JSON: None for infinity and for what is no number."""
    return None if value is None or not isfinite(value) else value


def falls(fit: Fit) -> bool:
    """Return whether both terms fall; else no size is the best, and N ~ C^a has no exponent."""
    return min(fit.coefficients[1:]) > 0


def fit_document(found: Studied) -> Document:
    """Return the document of a fit."""
    return {
        "schema_version": SCHEMA_VERSION,
        "fit": _fit_block(found.fit),
        "certificate": certificate_block(found.fit.certificate),
        "standard_errors": {name: finite(value) for name, value in found.errors._asdict().items()},
        "intervals": _intervals_block(found, found.intervals),
        "intervals_by_size": None if found.by_size is None else _intervals_block(found, found.by_size),
        "interval_level": found.study.level,
        "bootstrap": replicates_block(found.replicates) | {"seed": found.study.seed},
        "target": None if found.target is None else _target_block(found.target),
        "influence": None if found.influence is None else _influence_block(found.influence, found),
        "held_out": None if found.held_out is None else held_out_block(found.held_out),
        "profiles": {one.coefficient: _profile_block(one) for one in found.profiles},
        "forms": [form_block(score) for score in found.forms],
        "against_objective": found.against,
        "refusals": list(found.refusals),
        "columns": dict(found.runs.columns),
        "digest": found.runs.digest,
    }


def _fit_block(fit: Fit) -> Document:
    return {
        "form": "additive, one exponent" if fit.tied else "additive",
        "approach": 3,
        "coefficients": fit.coefficients._asdict(),
        "params_exponent": fit.law.params_exponent if falls(fit) else None,
        "objective": fit.objective,
        "points": len(fit.points),
        "loss": fit.loss,
        "delta": finite(fit.delta),
    }


def certificate_block(certificate: Certificate) -> Document:
    """Return what speaks for a minimum."""
    return {
        "starts": certificate.starts,
        "agreeing": certificate.agreeing,
        "gradient": finite(certificate.gradient),
        "curvatures": [finite(value) for value in certificate.curvatures],
        "confirmed": certificate.confirmed,
    }


def _target_block(target: Target) -> Document:
    return {
        "optimum": optimum_block(target.best),
        "intervals": {name: ends_block(getattr(target.intervals, name)) for name in OPTIMUM},
    }


def fit_rows(found: Studied) -> list[Document]:
    """Return the coefficients with their errors and intervals, and the best use of the target budget."""
    values, errors = found.fit.coefficients._asdict(), found.errors._asdict()
    rows = [
        quantity_row(name, value, ends_block(getattr(found.intervals, name)))
        | {"standard_error": finite(errors[name])}
        for name, value in values.items()
    ]
    if falls(found.fit):
        ends = ends_block(found.intervals.params_exponent)
        rows.append(quantity_row("params_exponent", found.fit.law.params_exponent, ends))
    if found.target is not None:
        best, known = optimum_block(found.target.best), found.target.intervals
        rows += [
            quantity_row(
                f"target_{name}",
                value,
                ends_block(getattr(known, name)) if name in OPTIMUM else None,
                QUANTITIES[name],
            )
            for name, value in best.items()
        ]
    return rows


def replicates_block(replicates: Replicates) -> Document:
    """Return how a bootstrap was made and how safe it is."""
    return {
        "replicates": len(replicates),
        "resampled": replicates.kind,
        "checked_from_cold": replicates.checked,
        "missed_by_warm_start": replicates.missed,
        "all_solved_from_cold": replicates.solved_cold,
        "unconverged": replicates.unconverged,
    }


def _intervals_block(found: Studied, intervals: CoefficientIntervals) -> Document:
    block: Document = {name: ends_block(getattr(intervals, name)) for name in COEFFICIENTS}
    return block | {"params_exponent": ends_block(intervals.params_exponent) if falls(found.fit) else None}


def ends_block(interval: Any) -> list[float | None]:
    """Return the ends of an interval, None for one that is no number."""
    return [finite(interval.low), finite(interval.high)]


def _influence_block(found: Influence, studied: Studied) -> Document:
    return {
        "standard_error": finite(found.standard_error),
        "largest": [
            {
                "run": run_name(studied, omission.left_out),
                "params_exponent": finite(omission.params_exponent),
                "shift_in_standard_errors": finite(omission.shift),
            }
            for omission in found.largest[:INFLUENCES_SHOWN]
        ],
    }


def run_name(studied: Studied, row: object) -> str:
    """Return what a run is called: its name, or its row from 1."""
    assert isinstance(row, int)
    return studied.runs.name(row)


def held_out_block(held: HeldOut) -> Document:
    """Return how well the smaller runs predict the largest."""
    return {
        "runs": len(held.runs),
        "fitted": len(held.fit.points),
        "mean_error": held.mean_error,
        "worst_error": held.worst_error,
        "coverage": held.coverage,
        "inflation": held.calibration.inflation,
        "predictions": [
            {
                "row": run.row + 1,
                "params": run.predicted.params,
                "tokens": run.predicted.tokens,
                "measured": run.measured,
                "predicted": run.predicted.loss,
                "low": run.predicted.low,
                "high": run.predicted.high,
            }
            for run in held.runs
        ],
    }


def _profile_block(one: Profile) -> Document:
    return {
        "low": one.low,
        "high": finite(one.high),
        "identified": one.identified,
        "values": list(one.values),
        "rises": list(one.rises),
    }


def form_block(score: FormScore) -> Document:
    """Return how a form does on the runs."""
    return {
        "form": score.form,
        "coefficients": {
            name: finite(value) for name, value in score.coefficients.items() if isinstance(value, float)
        },
        "objective": score.objective,
        "held_out_error": score.held_out_error,
        "left_out_error": score.left_out_error,
        "aic": score.aic,
        "likelihood": score.likelihood,
        "identified": score.identified,
        "params_exponent": score.params_exponent,
        "refusal": score.refusal,
    }
