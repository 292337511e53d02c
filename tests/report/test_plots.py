"""Pictures: made, reproducible, never over an existing file, and honest about a missing extra."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest


def test_without_matplotlib_the_extra_is_named(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    found = run("memory", "gpt2", "--plot", str(tmp_path / "a.svg"))
    assert (found.code, found.out) == (3, "")
    assert found.err.startswith("sizewise: error [missing_extra]")
    assert list(tmp_path.iterdir()) == []


def test_another_ending_is_a_bad_option(run: Callable, tmp_path: Path) -> None:
    found = run("params", "gpt2", "--plot", str(tmp_path / "a.doc"))
    assert found.code == 2
    assert "bad_option" in found.err


@pytest.mark.parametrize("command", ["memory", "params"])
def test_a_picture_names_its_parts_and_is_reproducible(run: Callable, tmp_path: Path, command: str) -> None:
    pytest.importorskip("matplotlib")
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    assert run(command, "llama-3.1-8b", "--plot", str(first)).code == 0
    assert run(command, "llama-3.1-8b", "--plot", str(second)).code == 0
    assert first.read_bytes() == second.read_bytes()
    assert b"<svg" in first.read_bytes()
    again = run(command, "llama-3.1-8b", "--plot", str(first))
    assert again.code == 3
    assert "exists" in again.err
