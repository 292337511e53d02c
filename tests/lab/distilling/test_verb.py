"""Distilling from references to a folder: what is compared, what is written, and what is left as it was."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

import sizewise.lab  # noqa: E402 - torch is optional
from sizewise.__main__ import main  # noqa: E402
from sizewise.errors import InputError, UsageError  # noqa: E402
from sizewise.lab.distilling.pupils import vocabulary_hash  # noqa: E402
from sizewise.lab.distilling.verb import checkpoint_path  # noqa: E402
from sizewise.lab.loading import Loaded, load_module  # noqa: E402
from sizewise.lab.quality.windows import Windows  # noqa: E402
from sizewise.lab.quiet import quiet_transformers  # noqa: E402

from ..tiny import LLAMA, answers, module  # noqa: E402

TEACHER = LLAMA | {"vocab_size": 32}
SHORT: dict[str, Any] = {"steps": 8, "batch": 2, "length": 16, "warmup": 1, "checkpoint_every": 4}


def counting_text(count: int, seed: int) -> Windows:
    """Return sequences that can be learnt: every token is the one before plus three."""
    source = torch.Generator().manual_seed(seed)
    first = torch.randint(32, (count, 1), generator=source)
    return Windows(ids=(first + 3 * torch.arange(16)[None]) % 32, title="counting")


@pytest.fixture
def teacher() -> Any:
    return module(TEACHER)


def test_the_student_learns_and_is_compared_with_its_control(teacher: Any, tmp_path: Path) -> None:
    schooled = sizewise.lab.distill(
        teacher,
        depth=0.5,
        text=counting_text(40, 0),
        held_out=counting_text(16, 1),
        alpha=0.0,
        output=str(tmp_path / "out"),
        **SHORT | {"steps": 60, "batch": 8, "learning_rate": 3e-3},
    )
    standings = schooled.standings
    assert standings.after.value < 0.5 * standings.before.value
    assert standings.control is not None
    assert standings.control.value == pytest.approx(standings.after.value, abs=1e-6)
    assert standings.gain is not None
    assert standings.gain.value == pytest.approx(0.0, abs=1e-6)
    again = load_module(str(tmp_path / "out")).module
    ids = counting_text(16, 1).ids
    loss = again(input_ids=ids, labels=ids).loss
    assert loss.item() == pytest.approx(standings.after.value, abs=1e-4)
    assert os.listdir(tmp_path) == ["out"]


def test_what_both_models_take_is_predicted_and_measured(teacher: Any, tmp_path: Path) -> None:
    schooled = sizewise.lab.distill(teacher, depth=0.5, width=0.5, output=str(tmp_path / "out"), **SHORT)
    for columns in (schooled.teacher, schooled.student):
        assert columns.parameters.ratio == columns.memory.ratio == columns.flops.ratio == 1.0
    assert schooled.student.disk.ratio == 1.0
    assert schooled.step_flops.ratio == pytest.approx(1.0, abs=1e-9)
    assert len(schooled.losses) == len(schooled.control_losses) == 8


def test_live_models_stay_as_they_are(teacher: Any) -> None:
    student = module(TEACHER | {"num_hidden_layers": 2}, seed=1).train()
    before = answers_of(teacher), {name: one.clone() for name, one in student.state_dict().items()}
    sizewise.lab.distill(teacher.train(), student, control=False, **SHORT)
    assert teacher.training
    assert student.training
    assert torch.equal(before[0], answers_of(teacher))
    assert all(torch.equal(before[1][name], one) for name, one in student.state_dict().items())
    assert all(weight.grad is None for one in (teacher, student) for weight in one.parameters())


def answers_of(made: Any) -> Any:
    training = made.training
    with torch.inference_mode():
        found = made.eval()(input_ids=counting_text(2, 5).ids).logits
    made.train(training)
    return found


def test_other_vocabularies_are_refused(teacher: Any) -> None:
    with pytest.raises(InputError) as refused:
        sizewise.lab.distill(teacher, module(LLAMA), **SHORT)
    assert refused.value.code == "vocabulary_differs"


class Tokens:
    """A tokenizer of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words

    def get_vocab(self) -> dict[str, int]:
        return {word: number for number, word in enumerate(self.words)}


def test_tokenizers_that_number_otherwise_are_refused(teacher: Any) -> None:
    def loaded(*words: str) -> Loaded:
        return Loaded(module=teacher, tokenizer=Tokens(*words), name="tiny", origin="folder")

    assert vocabulary_hash(Tokens("a", "b")) != vocabulary_hash(Tokens("b", "a"))
    with pytest.raises(InputError) as refused:
        sizewise.lab.distill(loaded("a", "b"), loaded("b", "a"), text=counting_text(4, 0), **SHORT)
    assert refused.value.code == "vocabulary_differs"


def test_a_student_has_to_be_named(teacher: Any) -> None:
    with pytest.raises(UsageError, match="--depth"):
        sizewise.lab.distill(teacher, **SHORT)
    with pytest.raises(UsageError, match="--student names another"):
        sizewise.lab.distill(teacher, module(TEACHER), depth=0.5, **SHORT)


@pytest.mark.parametrize("who", ["student", "control"])
def test_a_stopped_run_goes_on_to_the_same_end(teacher: Any, tmp_path: Path, who: str) -> None:
    options = {"depth": 0.5, "text": counting_text(20, 0), **SHORT}
    whole = sizewise.lab.distill(teacher, output=str(tmp_path / "whole"), **options)

    def stop(stage: str, done: int, _: int) -> None:
        if who in stage and done == 3:
            os.kill(os.getpid(), signal.SIGINT)

    out = str(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        sizewise.lab.distill(teacher, output=out, tell=stop, **options)
    assert not os.path.exists(out)
    assert os.path.exists(checkpoint_path(out, who))
    with pytest.raises(InputError, match="--resume"):
        sizewise.lab.distill(teacher, output=out, **options)
    rest = sizewise.lab.distill(teacher, output=out, resume=True, **options)
    assert rest.losses == whole.losses
    assert rest.control_losses == whole.control_losses
    assert rest.standings == whole.standings
    assert sorted(os.listdir(tmp_path)) == ["out", "whole"]
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("out", "whole")]
    assert files[0] == files[1]


def test_other_options_do_not_go_on_from_a_checkpoint(teacher: Any, tmp_path: Path) -> None:
    def stop(_: str, done: int, __: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    out = str(tmp_path / "out")
    with pytest.raises(KeyboardInterrupt):
        sizewise.lab.distill(teacher, depth=0.5, output=out, tell=stop, **SHORT)
    with pytest.raises(InputError) as refused:
        sizewise.lab.distill(teacher, depth=0.5, output=out, resume=True, **SHORT | {"temperature": 4.0})
    assert refused.value.code == "inconsistent"
    sizewise.lab.distill(teacher, depth=0.5, output=out, force=True, **SHORT | {"temperature": 4.0})
    assert os.listdir(tmp_path) == ["out"]


def test_a_run_that_diverges_says_so_and_writes_nothing(teacher: Any, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="learning-rate") as refused:
        sizewise.lab.distill(
            teacher, depth=0.5, output=str(tmp_path / "out"), learning_rate=1e30, weight_decay=0.0, **SHORT
        )
    assert refused.value.code == "diverged"
    assert not os.path.exists(tmp_path / "out")


def test_a_text_that_no_tokenizer_reads_is_refused(teacher: Any, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("words")
    with pytest.raises(InputError, match="no tokenizer"):
        sizewise.lab.distill(teacher, depth=0.5, text=str(tmp_path / "text"), **SHORT)


def test_folders_above_the_output_are_made(teacher: Any, tmp_path: Path) -> None:
    out = str(tmp_path / "one" / "two" / "out")
    sizewise.lab.distill(teacher, depth=0.5, control=False, output=out, **SHORT)
    assert os.listdir(os.path.dirname(out)) == ["out"]


def test_too_little_memory_is_one_error(teacher: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sizewise.lab.distilling import loop

    def full(*_: Any) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 7 bytes.")

    monkeypatch.setattr(loop, "_step", full)
    with pytest.raises(InputError, match="--batch") as refused:
        sizewise.lab.distill(teacher, depth=0.5, **SHORT)
    assert refused.value.code == "out_of_memory"


@pytest.fixture
def folder(tmp_path: Path, teacher: Any) -> str:
    with quiet_transformers():
        teacher.save_pretrained(tmp_path / "teacher")
    return str(tmp_path / "teacher")


def test_what_is_read_is_not_replaced_even_by_force(folder: str, tmp_path: Path, teacher: Any) -> None:
    options = {"output": folder, "force": True, **SHORT}
    (tmp_path / "teacher" / "text").write_text("words")
    asked: list[tuple[Any, dict[str, Any]]] = [
        (folder, {"depth": 0.5}),
        (teacher, {"student": folder}),
        (teacher, {"depth": 0.5, "text": str(tmp_path / "teacher" / "text")}),
        (teacher, {"depth": 0.5, "held_out": str(tmp_path / "teacher" / "text")}),
    ]
    before = sorted(os.listdir(folder))
    for one, more in asked:
        with pytest.raises(InputError) as refused:
            sizewise.lab.distill(one, **more, **options)
        assert refused.value.code == "replaces_source"
    assert sorted(os.listdir(folder)) == before


def test_sequences_are_no_longer_than_both_models_read_and_that_is_said(teacher: Any) -> None:
    student = module(TEACHER | {"max_position_embeddings": 24}, seed=1)
    for one, more, length in ((teacher, {"depth": 0.5}, 64), (teacher, {"student": student}, 24)):
        found = sizewise.lab.distill(one, control=False, **more, **SHORT | {"length": 100, "steps": 1})
        assert found.schooling.length == found.held_out.length == length
        said = [notice.message for notice in found.notices if notice.code == "shortened"]
        assert len(said) == 1
        assert f"{length} tokens, not 100" in said[0]
    found = sizewise.lab.distill(teacher, depth=0.5, control=False, **SHORT | {"steps": 1})
    assert "shortened" not in [notice.code for notice in found.notices]


TRAIN = ["--depth", "0.5", "--steps", "6", "--batch", "4", "--length", "16"]


@pytest.mark.parametrize("form", ["table", "md", "csv", "jsonl"])
def test_every_format_has_its_answer(
    folder: str, tmp_path: Path, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distill", folder, *TRAIN, "-o", str(tmp_path / "out"), "--format", form]) == 0
    assert "teacher" in capsys.readouterr().out


def test_an_interrupt_says_how_to_go_on(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sizewise.lab.distilling import loop

    step = loop._step

    def stopping(room: Any, optimizer: Any, number: int, here: Any) -> float:
        if number == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return step(room, optimizer, number, here)

    monkeypatch.setattr(loop, "_step", stopping)
    command = ["distill", folder, *TRAIN, "-o", str(tmp_path / "out")]
    assert main(command) == 130
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "--resume" in printed.err
    monkeypatch.undo()
    assert main([*command, "--resume", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["resumed_at"] == 3


def test_processes_that_were_started_together_do_the_step_of_one(folder: str, tmp_path: Path) -> None:
    losses = []
    for count in (1, 2):
        out = tmp_path / f"out{count}"
        done = subprocess.run(
            [
                *(sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"),
                *("-m", "sizewise", "distill", folder, *TRAIN, "--no-control", "--json", "-o", str(out)),
            ],
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
            env=os.environ | {"OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1"},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        document = json.loads(done.stdout)
        assert document["scenario"]["processes"] == count
        losses.append(document["losses"])
        assert sorted(os.listdir(out)) == ["config.json", "generation_config.json", "model.safetensors"]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)
    assert torch.allclose(
        *(answers(load_module(str(tmp_path / f"out{count}")).module) for count in (1, 2)), atol=1e-3
    )
