"""A folder is the old one or the new one, never a part."""

import os
from pathlib import Path

import pytest

from sizewise.errors import InputError
from sizewise.lab.outputs import check_elsewhere, remove_leftovers, whole_folder

pytestmark = pytest.mark.lab


def write_half(path: Path, failure: BaseException, *, force: bool = False) -> None:
    with whole_folder(str(path), force=force) as temporary:
        (Path(temporary) / "model.safetensors").write_text("half")
        raise failure


def test_folders_above_go_with_a_failure_and_stay_with_the_result(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        write_half(tmp_path / "a" / "b" / "out", OSError(28, "full"))
    assert os.listdir(tmp_path) == []
    with whole_folder(str(tmp_path / "a" / "b" / "out")):
        pass
    assert (tmp_path / "a" / "b" / "out").is_dir()


def test_what_is_read_is_not_replaced(tmp_path: Path) -> None:
    source = tmp_path / "above" / "model"
    source.mkdir(parents=True)
    (tmp_path / "link").symlink_to(tmp_path / "above")
    for place in (source, tmp_path / "above", tmp_path / "link" / "model", tmp_path):
        with pytest.raises(InputError) as caught:
            check_elsewhere(str(place), str(source))
        assert caught.value.code == "replaces_source"
    for place in (source / "out", tmp_path / "abo", tmp_path / "link", tmp_path / "above" / "model2"):
        check_elsewhere(str(place), str(source))
    check_elsewhere(str(source), "", str(tmp_path / "other"))
    with pytest.raises(InputError):
        check_elsewhere(str(source), "", str(source / "text.txt"))


def test_a_folder_appears_whole(tmp_path: Path) -> None:
    with whole_folder(str(tmp_path / "out")) as temporary:
        (Path(temporary) / "config.json").write_text("{}")
        assert not (tmp_path / "out").exists()
    assert os.listdir(tmp_path) == ["out"]
    assert (tmp_path / "out" / "config.json").read_text() == "{}"


@pytest.mark.parametrize(
    "failure", [OSError(28, "full"), ValueError("x"), KeyboardInterrupt()], ids=["disk", "bug", "interrupt"]
)
@pytest.mark.parametrize("force", [False, True])
def test_a_failure_leaves_nothing_new_and_all_that_was_there(
    tmp_path: Path, failure: BaseException, force: bool
) -> None:
    if force:
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "mine").write_text("old")
    with pytest.raises((InputError, ValueError, KeyboardInterrupt)):
        write_half(tmp_path / "out", failure, force=force)
    assert os.listdir(tmp_path) == (["out"] if force else [])
    assert not force or os.listdir(tmp_path / "out") == ["mine"]


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch], ids=["folder", "file"])
def test_what_exists_is_replaced_only_by_force(tmp_path: Path, make: object) -> None:
    assert callable(make)
    make(tmp_path / "out")
    with pytest.raises(InputError) as refused, whole_folder(str(tmp_path / "out")):
        pass
    assert refused.value.code == "exists"
    with whole_folder(str(tmp_path / "out"), force=True) as temporary:
        (Path(temporary) / "new").touch()
    assert os.listdir(tmp_path) == ["out"]
    assert os.listdir(tmp_path / "out") == ["new"]


@pytest.mark.parametrize(
    "failure",
    [OSError(28, "No space left on device"), RuntimeError("IoError: No space left on device (os error 28)")],
    ids=["system", "package"],
)
def test_a_full_disk_has_its_code_whoever_says_it(tmp_path: Path, failure: Exception) -> None:
    with pytest.raises(InputError) as refused:
        write_half(tmp_path / "out", failure)
    assert refused.value.code == "disk_full"
    assert os.listdir(tmp_path) == []


def test_what_a_killed_run_left_is_removed_and_a_running_one_kept(tmp_path: Path) -> None:
    dead = next(pid for pid in range(2**21, 2**22) if not Path(f"/proc/{pid}").exists())
    left, own, other = (
        tmp_path / name for name in (f"out.{dead}.tmp", f"out.{os.getpid()}.tmp", "out.x.tmp")
    )
    for folder in (left, own, other):
        folder.mkdir()
    (tmp_path / f"out.gguf.{dead}.tmp").write_text("half")
    remove_leftovers(str(tmp_path / "out"))
    assert sorted(os.listdir(tmp_path)) == sorted([own.name, other.name, f"out.gguf.{dead}.tmp"])
    remove_leftovers(str(tmp_path / "out.gguf"))
    assert sorted(os.listdir(tmp_path)) == sorted([own.name, other.name])
