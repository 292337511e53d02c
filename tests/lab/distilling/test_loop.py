"""The loop: what a step does, what it leaves alone, and how a stopped run goes on."""

import copy
import os
import signal
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

from sizewise.errors import InputError, UsageError  # noqa: E402 - torch is optional
from sizewise.lab.distilling.asked import Schooling  # noqa: E402
from sizewise.lab.distilling.checkpoints import read_standing  # noqa: E402
from sizewise.lab.distilling.loop import Class, chosen, learning_rate, school  # noqa: E402
from sizewise.lab.distilling.processes import Processes  # noqa: E402

from ..tiny import LLAMA, module  # noqa: E402

HERE = Processes(rank=0, count=1, device=torch.device("cpu"))
DROPPING = LLAMA | {"attention_dropout": 0.3, "num_hidden_layers": 2}
SHORT = Schooling(steps=6, batch=2, length=12, checkpoint_every=2, warmup=2)


def room(
    checkpoint: Path | None = None, schooling: Schooling = SHORT, teacher: Any = None, run: str = "one"
) -> Class:
    ids = torch.randint(128, (5, 12), generator=torch.Generator().manual_seed(3))
    return Class(
        student=module(DROPPING, seed=1),
        teacher=teacher,
        sequences=ids,
        schooling=schooling,
        checkpoint=None if checkpoint is None else str(checkpoint),
        run=run,
    )


def weights(made: Any) -> dict[str, Any]:
    return {name: weight.clone() for name, weight in made.state_dict().items()}


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def stop_after(step: int) -> Any:
    def tell(done: int, _: int) -> None:
        if done == step:
            os.kill(os.getpid(), signal.SIGINT)

    return tell


def test_the_teacher_listens_in_evaluation_mode_and_stays_as_it_is() -> None:
    asleep, awake = module(DROPPING), module(DROPPING).train()
    before = weights(awake)
    one, other = room(teacher=asleep), room(teacher=awake)
    assert school(one, HERE).losses == school(other, HERE).losses
    assert awake.training
    assert not asleep.training
    assert equal(before, weights(awake))
    assert all(weight.grad is None for weight in awake.parameters())
    assert all(weight.requires_grad for weight in awake.parameters())


def test_a_student_moves_towards_its_teacher() -> None:
    teacher = module(DROPPING | {"attention_dropout": 0.0})
    with torch.no_grad():
        teacher.lm_head.weight.mul_(8.0)
    pupil = room(teacher=teacher, schooling=Schooling(steps=60, batch=5, length=12, alpha=1.0, warmup=5))
    found = school(pupil, HERE)
    assert found.losses[-1] < 0.5 * found.losses[0]
    assert not pupil.student.training


def test_the_random_state_is_not_moved() -> None:
    state = torch.random.get_rng_state()
    school(room(), HERE)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize("stopped_at", [1, 2, 3, 5])
def test_a_run_that_goes_on_is_the_run_that_was_not_stopped(tmp_path: Path, stopped_at: int) -> None:
    teacher = module(DROPPING)
    whole = room(teacher=teacher)
    expected = school(whole, HERE)
    with pytest.raises(KeyboardInterrupt):
        school(room(tmp_path / "at", teacher=teacher), HERE, stop_after(stopped_at))
    rest = room(tmp_path / "at", teacher=teacher)
    found = school(rest, HERE)
    assert found.resumed_at in (stopped_at, stopped_at + 1)
    assert found.losses == expected.losses
    assert equal(weights(rest.student), weights(whole.student))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_step_and_gives_back_the_handlers(tmp_path: Path, number: Any) -> None:
    before = signal.getsignal(number)

    def tell(done: int, _: int) -> None:
        if done == 3:
            os.kill(os.getpid(), number)

    with pytest.raises(KeyboardInterrupt):
        school(room(tmp_path / "at"), HERE, tell)
    assert signal.getsignal(number) is before
    standing = read_standing(str(tmp_path / "at"), run="one")
    assert standing.steps == len(standing.losses) == 4
    assert os.listdir(tmp_path) == ["at"]


def test_a_failure_while_writing_leaves_the_checkpoint_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, written = torch.save, []

    def failing(found: Any, path: Any) -> None:
        save(found, path)
        written.append(path)
        if len(written) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(torch, "save", failing)
    with pytest.raises(KeyboardInterrupt):
        school(room(tmp_path / "at"), HERE)
    assert os.listdir(tmp_path) == ["at"]
    assert read_standing(str(tmp_path / "at"), run="one").steps == 2


@pytest.mark.parametrize("content", [b"", b"nonsense", b"PK\x03\x04"])
def test_a_file_that_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "at").write_bytes(content)
    with pytest.raises(InputError) as refused:
        school(room(tmp_path / "at"), HERE)
    assert refused.value.code == "unreadable"


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save = torch.save

    def full(found: Any, _: Any) -> None:
        with open("/dev/full", "wb") as file:
            save(found, file)

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(InputError) as refused:
        school(room(tmp_path / "at"), HERE)
    assert refused.value.code == "disk_full"
    assert os.listdir(tmp_path) == []


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    school(room(tmp_path / "at"), HERE)
    with pytest.raises(InputError) as refused:
        school(room(tmp_path / "at", run="another"), HERE)
    assert refused.value.code == "inconsistent"


def test_every_sequence_comes_once_before_any_comes_again() -> None:
    seen = [place for step in range(10) for place in chosen(5, 2, 0, step)]
    rounds = [sorted(seen[start : start + 5]) for start in range(0, 20, 5)]
    assert rounds == [[0, 1, 2, 3, 4]] * 4
    assert seen[:5] != seen[5:10]
    assert chosen(5, 2, 0, 3) == chosen(5, 2, 0, 3)
    assert [chosen(50, 2, 0, step) for step in range(3)] != [chosen(50, 2, 1, step) for step in range(3)]


def test_the_learning_rate_rises_and_falls_to_a_tenth() -> None:
    schooling = Schooling(steps=100, warmup=10, learning_rate=1.0)
    rates = [learning_rate(schooling, step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[99] == pytest.approx(0.1)
    assert rates[10:] == sorted(rates[10:], reverse=True)


def test_processes_share_a_step_alike() -> None:
    three = Processes(rank=0, count=3, device=torch.device("cpu"))
    with pytest.raises(UsageError, match="3 processes"):
        school(room(), three)


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 0},
        {"length": 1},
        {"temperature": 0.0},
        {"alpha": 1.1},
        {"learning_rate": -1.0},
        {"learning_rate": float("inf")},
        {"temperature": float("nan")},
        {"seed": -1},
        {"seed": 10**20},
        {"batch": 0},
    ],
)
def test_values_that_nothing_is_trained_with_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        Schooling(**options)


def test_the_control_sees_the_same_sequences_without_the_teacher() -> None:
    taught, alone = room(teacher=module(LLAMA)), room()
    assert equal(weights(taught.student), weights(alone.student))
    changed = copy.deepcopy(alone.student)
    school(taught, HERE)
    school(alone, HERE)
    assert not equal(weights(taught.student), weights(alone.student))
    assert not equal(weights(changed), weights(alone.student))


def test_a_signal_to_another_process_stops_this_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(_: Processes, found: bool) -> bool:
        assert not found
        return True

    monkeypatch.setattr(Processes, "any", told)
    with pytest.raises(KeyboardInterrupt):
        school(room(tmp_path / "at"), HERE)
    assert read_standing(str(tmp_path / "at"), run="one").steps == 1
