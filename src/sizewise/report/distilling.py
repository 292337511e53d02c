"""Distilling: the plan of a run, and what a small one came to, as documents, tables and notes."""

from typing import TYPE_CHECKING

from sizewise.report.document import SCHEMA_VERSION, Document, estimate_block, warnings
from sizewise.report.laws.distillation import distillation_document, distillation_table
from sizewise.report.laws.quantities import count_text, flops_text
from sizewise.report.measured import columns_block, figure_text, takes_table
from sizewise.report.table import Table
from sizewise.units import binary_bytes

if TYPE_CHECKING:
    from sizewise.catalog.distillation import Precedent
    from sizewise.lab.distilling.answer import Distilled
    from sizewise.lab.distilling.plan import DistillationPlan
    from sizewise.lab.quality.measure import Measured

STANDINGS = ("teacher", "before", "after", "control")


def plan_document(plan: "DistillationPlan") -> Document:
    """Return the document of a plan to distil."""
    asked = plan.asked
    return {
        "schema_version": SCHEMA_VERSION,
        "teacher": {
            "name": plan.teacher.name,
            "params": plan.teacher_params,
            "weight_bytes": plan.teacher_bytes,
        },
        "student": {
            "name": plan.student.name,
            "params": plan.student_params,
            "training_bytes": plan.training.fullest.line.value,
        },
        "scenario": {"tokens": asked.tokens, "sequence": asked.sequence, "on": asked.on, "top": asked.top},
        "flops": {part.name: part.value for part in plan.flops.parts}
        | {"total": plan.flops.value, "rule": plan.rule},
        "logits": {"all_bytes": plan.all_logits, "top_bytes": plan.top_logits},
        "hours": estimate_block(plan.hours),
        "usd": estimate_block(plan.usd),
        "expected_loss": None if plan.loss is None else distillation_document(plan.loss),
        "precedents": [_precedent(row) for row in plan.precedents],
        "warnings": warnings((*plan.teacher.notices, *plan.student.notices, *plan.training.notices)),
    }


def plan_tables(plan: "DistillationPlan") -> tuple[Table, ...]:
    """Return what the run takes, the losses where a law gives them, and what was reached before."""
    title = f"Distil {plan.teacher.name} into {plan.student.name}: {count_text(plan.asked.tokens)} tokens"
    takes = Table(
        title=title, columns=("", "amount"), rows=tuple(_plan_rows(plan)), right=frozenset(("amount",))
    )
    losses = () if plan.loss is None else (distillation_table(plan.loss),)
    return (takes, *losses, _precedents(plan.precedents))


def plan_notes(plan: "DistillationPlan") -> list[str]:
    """Return the lines below the tables of a plan."""
    notes = [
        f"FLOPs: exact, whole sequences of {plan.asked.sequence:,} tokens; "
        f"6 N_S D + 2 N_T D gives {flops_text(plan.rule)}",
        "stored logits: 2 bytes each, or the "
        f"{plan.asked.top} largest of a token with their places, 6 bytes each",
    ]
    if plan.hours is None:
        notes.append("hours: name devices with --on h100-sxm:8")
    else:
        notes.append("hours: the student's training as predicted, stretched by the teacher's FLOPs: assumed")
    if plan.loss is None:
        notes.append("expected loss: give the teacher's --teacher-tokens or --teacher-loss")
    else:
        sizes = (count_text(one) for one in (plan.loss.plan.teacher_params, plan.loss.plan.student_params))
        notes.append(f"losses: unverified laws, N without embeddings and head: {' and '.join(sizes)}")
    notes.append("precedents: as printed in their sources, with other data; no forecast")
    return notes


def distilled_document(answer: "Distilled") -> Document:
    """Return the document of a small run."""
    standings = answer.standings
    return {
        "schema_version": SCHEMA_VERSION,
        "teacher": {"name": answer.teacher_name, **columns_block(answer.teacher)},
        "student": {"name": answer.student_name, **columns_block(answer.student)},
        "scenario": {name: getattr(answer.schooling, name) for name in answer.schooling.__dataclass_fields__}
        | {"trained_on": answer.trained_on, "sequences": answer.sequences, "processes": answer.processes},
        "held_out": {
            "text": answer.held_out.title,
            "random": answer.held_out.random,
            "tokens": answer.held_out.scored,
            "nats": {name: _measured(getattr(standings, name)) for name in STANDINGS},
            "gain_over_control": _measured(standings.gain),
            "kl_nats": {"student": _measured(standings.kl), "control": _measured(standings.control_kl)},
        },
        "step_flops": answer.step_flops.to_dict(),
        "losses": list(answer.losses),
        "control_losses": list(answer.control_losses),
        "seconds": answer.seconds,
        "resumed_at": answer.resumed_at,
        "folder": answer.folder,
        "warnings": warnings(answer.notices),
    }


def distilled_tables(answer: "Distilled") -> tuple[Table, ...]:
    """Return what both models take, and how good each is on the text that was held out."""
    takes = takes_table(
        f"{answer.teacher_name} -> {answer.student_name}",
        {"teacher": answer.teacher, "student": answer.student},
    )
    names = ("teacher", "student before", "student after", "student without teacher")
    rows = [
        (label, _spread(getattr(answer.standings, name)))
        for label, name in zip(names, STANDINGS, strict=True)
        if getattr(answer.standings, name) is not None
    ]
    held = Table(
        title=f"Held-out loss on {answer.held_out.title}: {answer.held_out.scored:,} tokens",
        columns=("", "nats per token"),
        rows=tuple(rows),
        right=frozenset(("nats per token",)),
    )
    return takes, held


def distilled_rows(answer: "Distilled") -> list[tuple[object, ...]]:
    """Return a row for each held-out loss: who, nats per token, its error."""
    found = [(name, getattr(answer.standings, name)) for name in STANDINGS]
    return [(name, one.value, one.error) for name, one in found if one is not None]


def distilled_notes(answer: "Distilled") -> list[str]:
    """Return the lines below the tables of a small run."""
    schooling, gain = answer.schooling, answer.standings.gain
    shared = f" by {answer.processes} processes" if answer.processes > 1 else ""
    notes = [
        f"{schooling.steps:,} steps of {schooling.batch} x {schooling.length} tokens{shared} on "
        f"{answer.trained_on}; "
        f"each of {answer.sequences:,} sequences {answer.repeats:.3g} times",
        f"a step: {figure_text(answer.step_flops)} FLOPs, {answer.seconds / schooling.steps:.3g} s",
    ]
    if answer.held_out.random:
        notes.append("random tokens have nothing to learn: losses say nothing of these models")
    elif gain is not None:
        notes.append(_verdict(gain))
    notes.append(f"written: {answer.folder}" if answer.folder else "nothing was written")
    return notes


def _verdict(gain: "Measured") -> str:
    """Return what the teacher was worth: twice the paired error and more is told from nothing."""
    text = f"{_spread(gain)} nats per token against the same student without the teacher"
    if gain.error is None or abs(gain.value) <= 2 * gain.error:
        return f"the teacher is worth nothing that can be told from noise: {text}"
    return f"the teacher {'helped' if gain.value > 0 else 'harmed'}: {text}"


def _plan_rows(plan: "DistillationPlan") -> list[tuple[str, str]]:
    rows = [
        ("teacher, parameters", count_text(plan.teacher_params)),
        ("student, parameters", count_text(plan.student_params)),
        *((f"FLOPs: {part.name}", flops_text(part.value)) for part in plan.flops.parts),
        ("FLOPs", flops_text(plan.flops.value)),
        ("teacher's weights in 16 bit", binary_bytes(plan.teacher_bytes)),
        ("student's training, fullest device", binary_bytes(plan.training.fullest.line.value)),
        ("all logits stored", binary_bytes(plan.all_logits)),
        (f"{plan.asked.top} logits a token stored", binary_bytes(plan.top_logits)),
    ]
    if plan.hours is not None:
        low, high = plan.hours.interval
        rows.append((f"hours on {plan.asked.on}", f"{plan.hours.value:.3g} ({low:.3g} to {high:.3g})"))
    if plan.usd is not None:
        rows.append(("USD", f"{plan.usd.value:,.0f}"))
    return rows


def _precedents(rows: "tuple[Precedent, ...]") -> Table:
    return Table(
        title="What was reached before",
        columns=(
            "student",
            "teacher",
            "kept",
            "tokens",
            "measure",
            "teacher's",
            "student's",
            "source",
            "dated",
        ),
        rows=tuple(
            (
                row.student,
                row.teacher,
                "-" if row.tokens is None else count_text(row.tokens),
                row.scores[0].measure,
                f"{row.scores[0].teacher:g} -> {row.scores[0].student:g}",
                row.source.partition(",")[0],
                row.dated,
            )
            for row in rows
        ),
        right=frozenset(("tokens",)),
    )


def _precedent(row: "Precedent") -> Document:
    return {
        "student": row.student,
        "teacher": row.teacher,
        "student_params": row.student_params,
        "teacher_params": row.teacher_params,
        "tokens": row.tokens,
        "start": row.start,
        "better": row.better,
        "scores": [
            {"measure": score.measure, "teacher": score.teacher, "student": score.student}
            for score in row.scores
        ],
        "source": row.source,
        "dated": row.dated,
        "checked": row.checked,
    }


def _measured(found: "Measured | None") -> Document | None:
    return None if found is None else {"value": found.value, "error": found.error}


def _spread(found: "Measured") -> str:
    return f"{found.value:.4f}" if found.error is None else f"{found.value:.4f} ± {found.error:.2g}"
