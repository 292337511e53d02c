"""The loss along the line on which all runs lie: as plain data and to be read."""

from sizewise.report.document import SCHEMA_VERSION, Document
from sizewise.report.laws.exact import QUANTITIES, quantity_row
from sizewise.report.laws.fit import certificate_block, ends_block, finite, held_out_block, replicates_block
from sizewise.report.laws.fit_text import ends_text, held_out_table, how_fitted, what_was_read
from sizewise.report.laws.quantities import count_text, flops_text, loss_text, range_text, ratio_text
from sizewise.report.table import Table
from sizewise.scaling.fit.along_line import AlongLine, OnePower, OnePowerIntervals


def line_document(found: AlongLine) -> Document:
    """Return the document of a fit, without what runs on one line do not tell (None or empty)."""
    by_size = found.by_size
    return {
        "schema_version": SCHEMA_VERSION,
        "fit": _fit_block(found),
        "line": {"ratio": found.line.ratio, "power": found.line.power, "formula": str(found.line)},
        "certificate": certificate_block(found.fit.certificate),
        "standard_errors": {name: finite(value) for name, value in found.errors._asdict().items()},
        "intervals": _intervals_block(found.intervals),
        "intervals_by_size": None if by_size is None else _intervals_block(by_size),
        "interval_level": found.study.level,
        "bootstrap": replicates_block(found.replicates) | {"seed": found.study.seed},
        "target": None,
        "along_line": _reached_block(found),
        "influence": None,
        "held_out": None if found.held_out is None else held_out_block(found.held_out),
        "profiles": {},
        "forms": [],
        "against_objective": found.against,
        "refusals": list(found.refusals),
        "columns": dict(found.runs.columns),
        "digest": found.runs.digest,
    }


def _fit_block(found: AlongLine) -> Document:
    return {
        "form": "one power of C = 6ND along a line",
        "approach": 3,
        "coefficients": found.coefficients._asdict(),
        "params_exponent": None,
        "objective": found.fit.objective,
        "points": len(found.fit.points),
        "loss": found.fit.loss,
        "delta": finite(found.fit.delta),
    }


def _reached_block(found: AlongLine) -> Document:
    at = found.target
    return {
        "flops": at.flops,
        "params": at.params,
        "tokens": at.tokens,
        "loss": at.loss,
        "intervals": {"loss": ends_block(at.interval)},
    }


def _intervals_block(intervals: OnePowerIntervals) -> Document:
    return {name: ends_block(each) for name, each in intervals._asdict().items()}


def line_rows(found: AlongLine) -> list[Document]:
    """Return the coefficients with their errors and intervals, and the loss at the target budget."""
    errors, intervals = found.errors._asdict(), found.intervals._asdict()
    at = found.target
    reached = {"params": at.params, "tokens": at.tokens, "loss": at.loss, "flops": at.flops}
    return [
        *(
            quantity_row(name, value, ends_block(intervals[name])) | {"standard_error": finite(errors[name])}
            for name, value in found.coefficients._asdict().items()
        ),
        *(
            quantity_row(
                f"along_line_{name}",
                value,
                ends_block(at.interval) if name == "loss" else None,
                QUANTITIES[name],
            )
            for name, value in reached.items()
        ),
    ]


def line_tables(found: AlongLine) -> list[Table]:
    """Return the coefficients first, then the loss at the target budget and the held-out runs."""
    tables = [_coefficients_table(found), _reached_table(found)]
    return tables if found.held_out is None else [*tables, held_out_table(found.held_out)]


def _coefficients_table(found: AlongLine) -> Table:
    known = [one._asdict() for one in (found.intervals, found.by_size) if one is not None]
    return Table(
        title=f"L = E + K C^-gamma along {found.line}, C = 6ND, {len(found.fit.points)} runs",
        columns=(
            "",
            "value",
            "standard error",
            f"{found.study.level:.0%} interval",
            *("by model size" for _ in known[1:]),
        ),
        rows=tuple(
            (
                name,
                f"{getattr(found.coefficients, name):.6g}",
                f"{getattr(found.errors, name):.4g}",
                *(ends_text(each[name]) for each in known),
            )
            for name in OnePower._fields
        ),
        right=frozenset(("value", "standard error")),
    )


def _reached_table(found: AlongLine) -> Table:
    at = found.target
    ends = range_text(loss_text(at.interval.low), loss_text(at.interval.high))
    return Table(
        title=f"Loss along the line at {flops_text(at.flops)} FLOPs, which need not be their best use",
        columns=("", "value", f"{found.study.level:.0%} interval"),
        rows=(
            ("parameters", count_text(at.params), ""),
            ("tokens", count_text(at.tokens), ""),
            ("tokens/param", ratio_text(at.tokens / at.params), ""),
            ("loss, nats/token", loss_text(at.loss), ends),
        ),
        right=frozenset(("value",)),
    )


def line_notes(found: AlongLine) -> list[str]:
    """Return the certificate, the bootstrap, the held-out runs, and what runs on one line do not tell."""
    return [*how_fitted(found), *what_was_read(found)]
