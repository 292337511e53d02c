"""``sizewise laws distill``: distil from a teacher, or train from scratch."""

import click

from sizewise.cli.laws.answer import Answered, emit_law, refuse_far
from sizewise.cli.laws.options import FORCE, POSITIVE, Count
from sizewise.cli.options import Output, output_options, with_options
from sizewise.report.laws.distillation import (
    distillation_document,
    distillation_notes,
    distillation_table,
)
from sizewise.report.laws.grounds import grounds_notices
from sizewise.scaling.questions.distillation import Plan, distil_or_train


@click.command("distill")
@click.option("--student", type=Count(), required=True, help="Parameters of the student, e.g. 1b.")
@click.option("--student-tokens", type=Count(), required=True, help="Tokens it is distilled on, e.g. 20B.")
@click.option("--teacher", type=Count(), required=True, help="Parameters of the teacher, e.g. 7b.")
@click.option("--teacher-tokens", type=Count(), required=True, help="Tokens it is trained on, e.g. 140B.")
@click.option("--teacher-loss", type=POSITIVE, help="Its loss in nats per token, where it is known.")
@click.option("--students", type=click.IntRange(1, 10**6), default=1, help="Students that share the teacher.")
@with_options(FORCE)
@output_options
def command(
    *,
    student: float,
    student_tokens: float,
    teacher: float,
    teacher_tokens: float,
    teacher_loss: float | None,
    students: int,
    force: bool,
    output: Output,
) -> None:
    """Distil a student from a teacher, or train it from scratch with the same compute.

    The constants are unverified: read the direction, not the digits.
    """
    plan = Plan(
        student_params=student,
        student_tokens=student_tokens,
        teacher_params=teacher,
        teacher_tokens=teacher_tokens,
        teacher_loss=teacher_loss,
    )
    answer = distil_or_train(plan, students=students)
    for ground in answer.grounds.laws:
        refuse_far(ground, force=force)
    document = distillation_document(answer)
    emit_law(
        output,
        Answered(
            document=document,
            tables=(distillation_table(answer),),
            rows=document["cases"],
            notes=distillation_notes(answer),
            notices=grounds_notices(answer.grounds),
        ),
    )
