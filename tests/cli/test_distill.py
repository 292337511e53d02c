"""``sizewise distill``: the plan, which needs no torch, and what is said before a training starts."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import sizewise as sw
from sizewise.__main__ import main

PLAN = ("distill", "llama-3.1-8b", "--student", "llama-3.2-1b", "--tokens", "20B")


def planned(capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, Any]:
    assert main([*PLAN, *more, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_flops_are_the_students_training_and_the_teachers_forward_passes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    flops = planned(capsys, "--seq", "2048")["flops"]
    sequences = 20e9 / 2048
    forward = sw.step_flops("llama-3.1-8b", tokens=2048).value
    assert forward == 32_938_104_193_024
    assert flops["teacher, forward"] == pytest.approx(forward * sequences)
    own = sw.plan_train_answer("llama-3.2-1b", tokens="20B", seq=2048).compute
    assert flops["student, forward and backward"] == pytest.approx(own.run_hardware, rel=0.01)
    assert flops["total"] == pytest.approx(flops["teacher, forward"] + flops["student, forward and backward"])
    assert flops["rule"] == pytest.approx((6 * 1_235_814_400 + 2 * 8_030_261_248) * 20e9)


def test_stored_logits_are_two_bytes_each_or_six_for_the_largest(capsys: pytest.CaptureFixture[str]) -> None:
    logits = planned(capsys, "--top", "32")["logits"]
    assert logits == {"all_bytes": 20_000_000_000 * 128_256 * 2, "top_bytes": 20_000_000_000 * 32 * 6}


def test_hours_are_the_students_stretched_by_the_teachers_flops(capsys: pytest.CaptureFixture[str]) -> None:
    plan = planned(capsys, "--on", "h100-sxm:8", "--seq", "2048")
    alone = sw.plan_train_answer("llama-3.2-1b", tokens="20B", on="h100-sxm:8", seq=2048)
    assert alone.time is not None
    assert alone.time.days is not None
    stretch = plan["flops"]["total"] / plan["flops"]["student, forward and backward"]
    assert plan["hours"]["value"] == pytest.approx(alone.time.days.value * 24 * stretch)
    assert plan["hours"]["low"] < plan["hours"]["value"] < plan["hours"]["high"]
    assert plan["hours"]["status"] == "assumed"
    assert planned(capsys)["hours"] is None


def test_a_loss_is_expected_where_something_is_known_of_the_teachers(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert planned(capsys)["expected_loss"] is None
    expected = planned(capsys, "--teacher-tokens", "15T")["expected_loss"]
    assert len(expected["cases"]) == 3
    teacher, student = 8_030_261_248 - 2 * 128_256 * 4096, 1_235_814_400 - 128_256 * 2048
    assert (expected["teacher"]["params"], expected["student"]["params"]) == (teacher, student)
    law = ["laws", "distill", "--teacher", str(teacher), "--teacher-tokens", "15T", "--student", str(student)]
    assert main([*law, "--student-tokens", "20B", "--json"]) == 0
    assert expected["cases"] == json.loads(capsys.readouterr().out)["cases"]
    given = planned(capsys, "--teacher-loss", "1.9")["expected_loss"]
    assert given["teacher"] == {**given["teacher"], "loss": 1.9, "loss_given": True}


def test_precedents_have_sources_and_days(capsys: pytest.CaptureFixture[str]) -> None:
    rows = planned(capsys)["precedents"]
    assert len(rows) == 3
    assert all(row["source"] and row["dated"] and row["scores"] for row in rows)


def test_a_student_is_cut_from_the_teachers_shape(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["distill", "llama-3.1-8b", "--depth", "0.5", "--width", "0.75", "--tokens", "94B", "--json"]
    assert main(command) == 0
    document = json.loads(capsys.readouterr().out)
    changes = ["num_hidden_layers=16", "hidden_size=3072", "intermediate_size=10752"]
    changes += ["num_attention_heads=24", "num_key_value_heads=6"]
    assert document["student"]["params"] == sw.parameters(sw.load("llama-3.1-8b", settings=changes)).value


@pytest.mark.parametrize("form", ["table", "md", "csv", "jsonl"])
def test_every_format_has_its_plan(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*PLAN, "--on", "h100-sxm:8", "--teacher-loss", "1.9", "--format", form]) == 0
    assert capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("distill", "llama-3.1-8b", "--student", "llama-3.2-1b"), 2, "--tokens"),
        (("distill", "llama-3.1-8b", "--tokens", "1B"), 2, "--depth"),
        ((*PLAN, "--depth", "0.5"), 2, "--student names another"),
        (("distill", "llama-3.1-8b", "--student", "qwen3-8b", "--tokens", "1B"), 3, "vocabulary_differs"),
        ((*PLAN, "-o", "out"), 2, "--steps"),
        ((*PLAN, "--text", "book.txt"), 2, "-o FOLDER"),
        ((*PLAN, "--resume"), 2, "-o FOLDER"),
        (("distill", "gpt2", "--depth", "0.5", "-o", "out", "--steps", "0"), 2, "--steps"),
        (("distill", "gpt2", "--depth", "0.5", "-o", "out", "--alpha", "2"), 2, "--alpha"),
    ],
)
def test_what_cannot_be_meant_is_said_in_one_line(
    arguments: tuple[str, ...], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_a_training_without_torch_names_the_extra(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distill", "gpt2", "--depth", "0.5", "-o", str(tmp_path / "out")]) == 3
    assert "sizewise distill needs torch; run: pip install 'sizewise[lab]'" in capsys.readouterr().err


@pytest.mark.parametrize("left", ["out", "out.student.checkpoint", "out.control.checkpoint"])
def test_what_exists_is_said_before_torch_is_needed(
    tmp_path: Path, left: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / left).touch()
    assert main(["distill", "gpt2", "--depth", "0.5", "-o", str(tmp_path / "out")]) == 3
    assert "error [exists]" in capsys.readouterr().err


def test_a_plan_imports_no_torch() -> None:
    program = "import sys; from sizewise.__main__ import main; main(sys.argv[1:]); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program, *PLAN, "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not {"torch", "transformers"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--tokens", "1B", "--steps", "7"], "--steps belongs to a training"),
        (["--tokens", "1B", "--no-control"], "--no-control belongs to a training"),
        (["--tokens", "1B", "--seed", "0"], "--seed belongs to a training"),
        (["-o", "out", "--students", "3"], "--students belongs to a plan"),
        (["-o", "out", "--seq", "4096"], "--seq belongs to a plan"),
    ],
)
def test_options_that_would_do_nothing_are_refused(
    options: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distill", "llama-3.1-8b", "--depth", "0.5", *options]) == 2
    assert named in capsys.readouterr().err
