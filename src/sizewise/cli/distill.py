"""``sizewise distill``: plan a student of a teacher, or train a small one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from sizewise.cli.emit import colour, emit
from sizewise.cli.laws.options import POSITIVE, Count
from sizewise.cli.options import Output, Tokens, answer_options, with_options
from sizewise.cli.progress import staged
from sizewise.errors import UsageError
from sizewise.lab.distilling.asked import Schooling
from sizewise.report.table import csv_text, markdown
from sizewise.streams import write_message

if TYPE_CHECKING:
    from sizewise.architecture import Model

USUAL = Schooling()
SHARE = click.FloatRange(min=0, min_open=True, max=1)

STUDENT: tuple[Any, ...] = (
    click.option("--student", metavar="MODEL", help="The student; a pruned teacher is a good one."),
    click.option("--depth", type=SHARE, default=1.0, help="Or a new one with this share of the layers."),
    click.option("--width", type=SHARE, default=1.0, help="And this share of the widths."),
)
PLAN: tuple[Any, ...] = (
    click.option("--tokens", type=Count(), help="Plan: tokens it is distilled on, e.g. 20B."),
    click.option("--seq", "sequence", type=Tokens(), default=4096, help="Plan: tokens of a sequence (4096)."),
    click.option("--on", metavar="DEVICE[:COUNT]", help="Plan: devices, for hours and money: h100-sxm:8."),
    click.option(
        "--top", type=click.IntRange(1, 10**6), default=64, help="Plan: logits stored a token (64)."
    ),
    click.option("--recompute", is_flag=True, help="Plan: the student's activations are done again."),
    click.option(
        "--teacher-tokens", type=Count(), help="Plan: tokens the teacher saw, for the expected loss."
    ),
    click.option("--teacher-loss", type=POSITIVE, help="Plan: or its loss in nats per token."),
    click.option(
        "--students", type=click.IntRange(1, 10**6), default=1, help="Plan: students that share it."
    ),
)
TRAINING: tuple[Any, ...] = (
    click.option("--output", "-o", "folder", metavar="FOLDER", help="Train, and write the student there."),
    click.option("--text", metavar="FILE", help="Text to learn from; its last tenth is held out."),
    click.option("--held-out", metavar="FILE", help="Another text to measure on."),
    click.option("--steps", type=int, default=USUAL.steps, help=f"Steps ({USUAL.steps})."),
    click.option("--batch", type=int, default=USUAL.batch, help=f"Sequences of a step ({USUAL.batch})."),
    click.option("--length", type=Tokens(), default=USUAL.length, help=f"Their tokens ({USUAL.length})."),
    click.option("--learning-rate", type=float, default=USUAL.learning_rate, help="Highest (0.001)."),
    click.option("--temperature", type=float, default=USUAL.temperature, help="Softens the answers (2)."),
    click.option("--alpha", type=float, default=USUAL.alpha, help="Weight of the teacher's answers (0.5)."),
    click.option("--seed", type=int, default=USUAL.seed, help="Of the student and of the order (0)."),
    click.option(
        "--checkpoint-every", type=int, default=USUAL.checkpoint_every, help="Steps between checkpoints (50)."
    ),
    click.option("--no-control", is_flag=True, help="Do not train the student without the teacher as well."),
    click.option("--resume", is_flag=True, help="Go on from the checkpoints of a run that was stopped."),
    click.option("--force", is_flag=True, help="Replace the folder, drop checkpoints."),
)


distill_options = with_options(*STUDENT, *PLAN, *TRAINING)
"""Adds the student, the plan and the training."""


@click.command("distill")
@click.argument("teacher", metavar="TEACHER")
@distill_options
@click.option("--offline", is_flag=True, help="Never open a connection.")
@answer_options
def command(*, teacher: str, folder: str | None, output: Output, **told: Any) -> None:
    """Plan to distil a teacher into a student; with -o FOLDER train a small one.

    The plan gives FLOPs, bytes, hours, the loss where a law is known, and what was reached before. The
    training is for small models on a CPU, and for larger ones under torchrun or accelerate; it shows the
    same student trained without the teacher beside it. Ctrl-C keeps the step that was done: --resume.
    """
    if output.plot:
        raise UsageError("bad_option", "this answer has no picture; drop --plot")
    if folder is None:
        _plan(teacher, output, told)
    else:
        _train(teacher, folder, output, told)


def _plan(teacher: str, output: Output, told: dict[str, Any]) -> None:
    from sizewise.lab.distilling.plan import PlanAsked, plan_distillation
    from sizewise.report.distilling import plan_document, plan_notes, plan_tables
    from sizewise.report.laws.exact import exact_csv
    from sizewise.report.terminal import render

    _refuse(TRAINING, "belongs to a training; add -o FOLDER")
    if told["tokens"] is None:
        raise UsageError("bad_option", "a plan needs --tokens, e.g. 20B; a training needs -o FOLDER")
    names = ("sequence", "on", "top", "recompute", "students", "teacher_tokens", "teacher_loss")
    asked = PlanAsked(tokens=int(told["tokens"]), **{name: told[name] for name in names})
    plan = plan_distillation(*_models(teacher, told), asked)
    document = plan_document(plan)
    tables = plan_tables(plan)
    emit(
        output,
        [document],
        text=lambda: render(tables, color=colour(output), notes=plan_notes(plan)),
        markdown=lambda: markdown(tables),
        csv=lambda: exact_csv([document["flops"]]),
        notices=(*plan.teacher.notices, *plan.student.notices, *plan.training.notices),
    )


def _refuse(options: tuple[Any, ...], reason: str) -> None:
    """Raise UsageError (bad_option) for an option that was given and would do nothing."""
    context = click.get_current_context()
    named = {parameter.name: parameter for parameter in context.command.params}
    for name in _names(options):
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise UsageError("bad_option", f"{named[name].opts[0]} {reason}")


def _names(options: tuple[Any, ...]) -> list[str]:
    """Return the parameters that options make of a command."""
    command = click.Command("options")
    for option in options:
        option(command)
    return [str(parameter.name) for parameter in command.params]


def _models(teacher: str, told: dict[str, Any]) -> "tuple[Model, Model]":
    """Return teacher and student, which may be cut from the teacher's shape."""
    from sizewise.lab.distilling.shapes import student_configuration
    from sizewise.sources.config_json import from_config
    from sizewise.sources.reference import load_reference, raw_configuration

    large = load_reference(teacher, offline=told["offline"])
    deep, wide = told["depth"], told["width"]
    if told["student"] is not None:
        if deep != 1.0 or wide != 1.0:
            raise UsageError("bad_option", "--depth and --width make a student; --student names another")
        return large, load_reference(told["student"], offline=told["offline"])
    if deep == wide == 1.0:
        raise UsageError(
            "bad_option", "name a --student, or its share of the teacher: --depth 0.5 --width 0.5"
        )
    raw = student_configuration(raw_configuration(teacher), deep=deep, wide=wide)
    return large, from_config(
        raw, name=f"{large.name}, depth {deep:g}, width {wide:g}", origin="--depth, --width"
    )


def _train(teacher: str, folder: str, output: Output, told: dict[str, Any]) -> None:
    from sizewise.lab import distill
    from sizewise.report.distilling import (
        distilled_document,
        distilled_notes,
        distilled_rows,
        distilled_tables,
    )
    from sizewise.report.terminal import render

    _refuse(PLAN, "belongs to a plan; a training with -o FOLDER takes --steps, --batch and --length")
    names = ("sequence", "top", "recompute", "students", "teacher_tokens", "teacher_loss", "tokens", "on")
    options = {name: value for name, value in told.items() if name not in names}
    control = not options.pop("no_control")
    with _kept(folder), staged(output) as tell:
        answer = distill(teacher, output=folder, control=control, tell=tell, **options)
    if os.environ.get("RANK", "0") != "0":
        return
    emit(
        output,
        [distilled_document(answer)],
        text=lambda: render(distilled_tables(answer), color=colour(output), notes=distilled_notes(answer)),
        markdown=lambda: markdown(distilled_tables(answer)),
        csv=lambda: csv_text(distilled_rows(answer), ("model", "nats", "error")),
        notices=answer.notices,
    )


@contextmanager
def _kept(folder: str) -> Iterator[None]:
    """Say after an interrupt that what was done is kept, where it is."""
    from sizewise.lab.distilling.verb import checkpoint_path

    try:
        yield
    except KeyboardInterrupt:
        if any(os.path.exists(checkpoint_path(folder, who)) for who in ("student", "control")):
            write_message("sizewise: stopped; what was done is kept: add --resume to go on")
        raise
