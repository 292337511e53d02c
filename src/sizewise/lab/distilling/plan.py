"""What distilling a student takes, before anything runs: FLOPs, bytes, hours, expected loss. No torch.

Letters: N_S, N_T parameters of student and teacher, D tokens, V vocabulary, k logits kept per token.
"""

from dataclasses import dataclass

from sizewise.architecture import Model
from sizewise.catalog.distillation import Precedent, nearest_precedents
from sizewise.catalog.formats import find_format
from sizewise.counting import active_by_convention, count
from sizewise.errors import InputError, UsageError
from sizewise.flops import forward_flops, training_flops
from sizewise.footprint.weights import sixteen_bit, weight_bytes
from sizewise.ledger import Line, leaf, total
from sizewise.planning.training.answer import TrainingAnswer
from sizewise.planning.training.asked import TrainingAsked
from sizewise.planning.training.plan import plan_training
from sizewise.scaling.questions.distillation import (
    DistillationAnswer,
    Plan,
    distil_or_train,
    distillation_flops,
)

LOGIT_BYTES = 2
TOP_LOGIT_BYTES = LOGIT_BYTES + 4
"""A kept logit in 16 bit and its 32-bit place in the vocabulary."""
HOURS_PER_DAY = 24
UNIT = "FLOPs"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanAsked:
    """Tokens D, tokens of a sequence, devices, logits kept per token; the teacher's data or loss if known."""

    tokens: int
    sequence: int = 4096
    on: str | None = None
    top: int = 64
    recompute: bool = False
    students: int = 1
    teacher_tokens: float | None = None
    teacher_loss: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillationPlan:
    """Both models, the FLOPs of the run by what does them, bytes of stored logits and of both in memory.

    ``rule`` is 6 N_S D + 2 N_T D beside the exact count. ``hours`` (None without devices) are the student's
    training as predicted, stretched by the teacher's share of the FLOPs: assumed. ``loss`` is None where
    nothing is known of the teacher's.
    """

    teacher: Model
    student: Model
    asked: PlanAsked
    teacher_params: int
    student_params: int
    flops: Line
    rule: float
    all_logits: int
    top_logits: int
    teacher_bytes: int
    training: TrainingAnswer
    hours: Line | None
    usd: Line | None
    loss: DistillationAnswer | None
    precedents: tuple[Precedent, ...]


def plan_distillation(teacher: Model, student: Model, asked: PlanAsked) -> DistillationPlan:
    """Return what it takes to distil one model into another.

    Raises UsageError (bad_option), InputError (vocabulary_differs).
    """
    check_vocabularies(teacher.architecture.vocabulary, student.architecture.vocabulary)
    teacher_params, student_params = int(count(teacher).total.value), int(count(student).total.value)
    if asked.tokens < asked.sequence:
        raise UsageError(
            "bad_option", f"--tokens {asked.tokens:,} is less than a sequence of {asked.sequence:,}"
        )
    training = plan_training(
        student,
        TrainingAsked(
            tokens=asked.tokens,
            sequence=asked.sequence,
            on=asked.on,
            recompute="full" if asked.recompute else None,
        ),
    )
    flops = run_flops(teacher, student, training, asked)
    return DistillationPlan(
        teacher=teacher,
        student=student,
        asked=asked,
        teacher_params=teacher_params,
        student_params=student_params,
        flops=flops,
        rule=distillation_flops(_sizes(asked, teacher_params, student_params), logits=1.0, teacher=0.0),
        all_logits=asked.tokens * teacher.architecture.vocabulary * LOGIT_BYTES,
        top_logits=asked.tokens * min(asked.top, teacher.architecture.vocabulary) * TOP_LOGIT_BYTES,
        teacher_bytes=int(weight_bytes(teacher.architecture, find_format(sixteen_bit(teacher.dtype))).value),
        training=training,
        hours=_stretched("hours", "h", _days(training), flops, HOURS_PER_DAY),
        usd=_stretched("usd", "USD", training.time.usd if training.time else None, flops, 1),
        loss=_loss(asked, teacher, student),
        precedents=nearest_precedents(student_params, teacher_params),
    )


def run_flops(teacher: Model, student: Model, training: TrainingAnswer, asked: PlanAsked) -> Line:
    """Return the FLOPs of the run: the student's training and the teacher's forward passes.

    Both are those of whole sequences, every query with every key.
    """
    own = training_flops(student, training.recipe).value
    other = forward_flops(teacher, tokens=asked.sequence).value
    sequences = asked.tokens / asked.sequence
    parts = [
        leaf(name, amount * sequences, UNIT, formula="flops * sequences", inputs=inputs)
        for name, amount, inputs in (
            ("student, forward and backward", own, {"flops": own, "sequences": sequences}),
            ("teacher, forward", other, {"flops": other, "sequences": sequences}),
        )
    ]
    return total("distillation", parts, UNIT)


def check_vocabularies(teacher: int, student: int) -> None:
    """Raise InputError (vocabulary_differs) where logits cannot be compared one by one."""
    if teacher != student:
        raise InputError(
            "vocabulary_differs",
            f"the teacher has {teacher:,} logits and the student {student:,}: they need the same tokenizer; "
            "take a student of the same family, or cut one from the teacher (--depth, --width)",
        )


def _days(training: TrainingAnswer) -> Line | None:
    return None if training.time is None else training.time.days


def _stretched(name: str, unit: str, line: Line | None, flops: Line, factor: float) -> Line | None:
    """Return an amount of the student's training times all FLOPs over the student's: assumed."""
    if line is None:
        return None
    share = flops.value / flops.parts[0].value
    low, high = line.interval
    student = flops.parts[0].value
    return leaf(
        name,
        line.value * factor * flops.value / student,
        unit,
        formula="training * all_flops / student_flops",
        inputs={"training": line.value * factor, "all_flops": flops.value, "student_flops": student},
        interval=(low * share * factor, high * share * factor),
        status="assumed",
    )


def _loss(asked: PlanAsked, teacher: Model, student: Model) -> DistillationAnswer | None:
    """Return what the law says; it counts parameters without tables and head."""
    if asked.teacher_tokens is None and asked.teacher_loss is None:
        return None
    large, small = (active_by_convention(one.architecture)["non_embedding"] for one in (teacher, student))
    return distil_or_train(_sizes(asked, large, small), students=asked.students)


def _sizes(asked: PlanAsked, teacher: int, student: int) -> Plan:
    return Plan(
        student_params=student,
        student_tokens=asked.tokens,
        teacher_params=teacher,
        teacher_tokens=asked.teacher_tokens or asked.tokens,
        teacher_loss=asked.teacher_loss,
    )
