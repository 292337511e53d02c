"""Distil a student from a teacher: a small real run, with the control that has no teacher."""

import copy
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from math import log
from typing import Any

from sizewise.errors import InputError
from sizewise.escaping import shorten
from sizewise.lab.columns import Columns, columns
from sizewise.lab.distilling.answer import Distilled, Standings
from sizewise.lab.distilling.asked import Schooling
from sizewise.lab.extras import required
from sizewise.lab.figures import Figure
from sizewise.lab.loading import Loaded, live_model, place_of
from sizewise.lab.memory import enough_memory
from sizewise.lab.outputs import check_absent, check_elsewhere
from sizewise.lab.quality.measure import Measured, Quality, measured
from sizewise.lab.quality.windows import MOST, Windows
from sizewise.lab.texts import Text, context_of, held_out_windows, training_windows
from sizewise.notices import Notice

Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Both models, the texts, and where checkpoints go."""

    teacher: Loaded
    student: Loaded
    training: Windows
    held_out: Windows
    schooling: Schooling
    output: str | None
    notices: tuple[Notice, ...]

    def checkpoint(self, who: str) -> str | None:
        """Return the file that keeps where a run stands."""
        return None if self.output is None else checkpoint_path(self.output, who)


def distill(
    teacher: Any,
    student: Any = None,
    *,
    depth: float = 1.0,
    width: float = 1.0,
    output: str | None = None,
    text: Text = None,
    held_out: Text = None,
    control: bool = True,
    resume: bool = False,
    force: bool = False,
    offline: bool = False,
    tell: Tell | None = None,
    **schooling: Any,
) -> Distilled:
    """Train a student on a teacher's answers, and the same student without, and write it into ``output``.

    ``teacher`` and ``student`` are references or live causal language models of transformers, which stay as
    they are; without a student one is drawn with ``depth`` and ``width`` shares of the teacher's shape. The
    text is the file ``text`` (or `Windows` of tokens), its last tenth held out unless ``held_out`` is
    another; shipped passages where none is named. Further options are those of `Schooling`. With an
    ``output`` checkpoints stand beside it until it is written; ``resume`` goes on from them. Under torchrun
    or accelerate every process takes its share of a step. Raises UsageError (bad_option), InputError
    (missing_extra, exists, replaces_source, vocabulary_differs, bad_data, diverged, out_of_memory,
    reload_differs, disk_full …), and KeyboardInterrupt once a step is kept.
    """
    wanted = Schooling(**schooling)
    if output is not None:
        read = (one for one in (text, held_out) if isinstance(one, str))
        check_elsewhere(output, place_of(teacher), place_of(student), *read)
    _check_output(output, resume=resume, force=force)
    required("torch", needed_for="sizewise distill")
    from sizewise.lab.distilling.processes import processes
    from sizewise.lab.distilling.pupils import NEEDED_FOR, check_same_tokens, load_student

    mentor = live_model(teacher, offline=offline, needed_for=NEEDED_FOR)
    pupil = load_student(student, mentor, deep=depth, wide=width, seed=wanted.seed, offline=offline)
    check_same_tokens(mentor, pupil)
    length, shortened = _length(wanted.length, mentor, pupil)
    given = isinstance(text, Windows) and (held_out is None or isinstance(held_out, Windows))
    training = training_windows(mentor, text, length=length, split=held_out is None)
    run = _Run(
        teacher=mentor,
        student=pupil,
        training=training,
        held_out=held_out_windows(mentor, text, held_out, length=length, most=MOST),
        schooling=replace(wanted, length=training.length),
        output=output,
        notices=(*mentor.notices, *pupil.notices, *(() if given else shortened)),
    )
    with enough_memory("take a smaller --batch or --length"), processes() as here:
        return _distilled(run, here, control=control, force=force, tell=tell)


def _length(wanted: int, *models: Loaded) -> tuple[int, tuple[Notice, ...]]:
    """Return the tokens of a sequence, no more than each model reads, and say so where it is fewer."""
    limit, name = min((context_of(one) or wanted, one.name) for one in models)
    if limit >= wanted:
        return wanted, ()
    text = f"sequences are of {limit:,} tokens, not {wanted:,}: {shorten(name, 120)} reads no more"
    return limit, (Notice(code="shortened", message=text),)


def checkpoint_path(output: str, who: str) -> str:
    """Return where the checkpoint of a run (student, control) stands while it is trained."""
    return f"{os.path.abspath(output)}.{who}.checkpoint"


def _check_output(output: str | None, *, resume: bool, force: bool) -> None:
    """Raise InputError (exists) for an output or checkpoints that are there already."""
    if output is None:
        return
    check_absent(output, force=force)
    for who in ("student", "control"):
        path = checkpoint_path(output, who)
        if not os.path.lexists(path) or resume:
            continue
        if not force:
            shown = shorten(path, 160)
            raise InputError(
                "exists", f"{shown} is left of a run; add --resume to go on with it, --force to start again"
            )
        _dropped(path)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lesson:
    """What the teacher takes, the FLOPs of a step, both trainings (no control: None) and how good all are."""

    takes: Columns
    flops: Figure
    taught: Any
    alone: Any
    standings: Standings


def _distilled(run: _Run, here: Any, *, control: bool, force: bool, tell: Tell | None) -> Distilled:
    lesson = _lesson(run, here, control=control, tell=tell)
    takes = _kept(run, here, force=force)
    here.wait()
    return Distilled(
        teacher_name=run.teacher.name,
        student_name=run.student.name,
        schooling=run.schooling,
        teacher=lesson.takes,
        student=takes,
        standings=lesson.standings,
        held_out=run.held_out,
        trained_on=run.training.title,
        sequences=run.training.count,
        step_flops=lesson.flops,
        losses=lesson.taught.losses,
        control_losses=() if lesson.alone is None else lesson.alone.losses,
        seconds=lesson.taught.seconds,
        processes=here.count,
        resumed_at=lesson.taught.resumed_at,
        folder=run.output,
        notices=run.notices,
    )


def _lesson(run: _Run, here: Any, *, control: bool, tell: Tell | None) -> _Lesson:
    """Train the student in place, and its copy without the teacher, who is where it was afterwards."""
    from sizewise.lab.distilling.step_flops import step_flops
    from sizewise.lab.profiling.untouched import untouched

    teacher, student = run.teacher.module, run.student.module
    home = next(teacher.parameters()).device
    try:
        with untouched(teacher):
            takes = columns(teacher, tokens=run.schooling.length)
            flops = step_flops(teacher, student, run.schooling)
            teacher.to(here.device)
            student.to(here.device)
            alone = copy.deepcopy(student) if control else None
            before = measured(teacher, student, run.held_out)
            taught = _school(run, student, here, who="student", tell=tell)
            after = measured(teacher, student, run.held_out)
            other = None if alone is None else _school(run, alone, here, who="control", tell=tell)
            standings = _standings(run, before, after, student, alone)
    finally:
        teacher.to(home)
    return _Lesson(takes=takes, flops=flops, taught=taught, alone=other, standings=standings)


def _kept(run: _Run, here: Any, *, force: bool) -> Columns:
    """Write the student where the first process is to, and return what it takes."""
    from sizewise.lab.saving import save_model

    student, tokens = run.student.module.cpu(), run.schooling.length
    if not here.is_first or run.output is None:
        return columns(student, tokens=tokens)
    takes = save_model(student, run.teacher.tokenizer, run.output, tokens=tokens, force=force)
    _drop_checkpoints(run)
    return takes


def _school(run: _Run, student: Any, here: Any, *, who: str, tell: Tell | None) -> Any:
    from sizewise.lab.distilling.loop import Class, school
    from sizewise.lab.distilling.pupils import fingerprint

    teacher = run.teacher.module if who == "student" else None
    listening = [] if teacher is None else [teacher]
    room = Class(
        student=student,
        teacher=teacher,
        sequences=run.training.ids,
        schooling=run.schooling,
        checkpoint=run.checkpoint(who),
        run=fingerprint(asdict(run.schooling), run.training.ids, student, *listening),
    )
    stage = f"steps of the {who}"
    return school(room, here, None if tell is None else lambda done, count: tell(stage, done, count))


def _standings(run: _Run, before: Quality, after: Quality, student: Any, alone: Any) -> Standings:
    without = None if alone is None else measured(run.teacher.module, alone, run.held_out)
    gain = None
    if alone is not None:
        added = measured(student, alone, run.held_out).added_nats
        gain = Measured(value=added.value, error=added.error)
    return Standings(
        teacher=_nats(before.reference_perplexity),
        before=_nats(before.perplexity),
        after=_nats(after.perplexity),
        control=None if without is None else _nats(without.perplexity),
        gain=gain,
        kl=after.kl_nats,
        control_kl=None if without is None else without.kl_nats,
    )


def _nats(perplexity: Measured) -> Measured:
    """Return the cross-entropy in nats per token that a perplexity is."""
    error = None if perplexity.error is None else perplexity.error / perplexity.value
    return Measured(value=log(perplexity.value), error=error)


def _drop_checkpoints(run: _Run) -> None:
    for who in ("student", "control"):
        path = run.checkpoint(who)
        if path is not None:
            _dropped(path)


def _dropped(path: str) -> None:
    """Remove a checkpoint, unless another process did so first."""
    with suppress(FileNotFoundError):
        os.unlink(path)
