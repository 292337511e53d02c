"""Standard output and error as they come: closed, full, without Unicode, without a reader."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "sizewise"]


def shell(text: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    line = text.replace("sizewise", " ".join(COMMAND))
    return subprocess.run(
        ["bash", "-c", line], capture_output=True, text=True, env=environment, timeout=60, check=False
    )


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp932"])
def test_a_narrow_encoding_is_no_error(encoding: str) -> None:
    done = subprocess.run(
        [*COMMAND, "memory", "llama-3.1-8b", "--on", "rtx-4090"],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode(encoding)
    assert "weights" in shown
    assert "rtx-4090-24gb: 23.49 GiB" in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_full_disk_is_named(unbuffered: str) -> None:
    done = shell("sizewise params gpt2 > /dev/full", PYTHONUNBUFFERED=unbuffered)
    assert done.returncode == 3
    assert done.stderr.startswith("sizewise: error [disk_full]")
    assert shell("sizewise params nope 2> /dev/full", PYTHONUNBUFFERED=unbuffered).returncode == 2
    assert shell("sizewise memory llama-2-7b -c 8k 2> /dev/full", PYTHONUNBUFFERED=unbuffered).returncode == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_is_no_error(unbuffered: str) -> None:
    for command in ("params deepseek-v3 --tensors --json", "--help", "params gpt2"):
        done = shell(f"set -o pipefail; sizewise {command} | true", PYTHONUNBUFFERED=unbuffered)
        assert (done.returncode, done.stderr) == (0, ""), command


def test_closed_streams_are_no_bug() -> None:
    assert shell("sizewise params - <&-").returncode == 3
    assert shell("sizewise params gpt2 >&-").returncode == 0
    closed = shell("sizewise params gpt2 --json 2>&-")
    assert closed.returncode == 0
    assert closed.stdout.startswith("{")
    assert shell("sizewise params nope 2>&-").stdout == ""


def test_debug_keeps_the_exit_code() -> None:
    done = shell("sizewise params nope --debug")
    assert done.returncode == 2
    assert "Traceback" in done.stderr


def test_names_with_control_characters_are_escaped_everywhere(tmp_path: Path) -> None:
    file = tmp_path / "=e\x1b[31m\u202e.json"
    file.write_text('{"model_type": "gpt2"}')
    for arguments in (
        ["params", str(file), "gpt2"],
        ["memory", str(file), "gpt2"],
        ["memory", str(file), "--explain"],
    ):
        done = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "\x1b" not in done.stdout
        assert "\u202e" not in done.stdout


def test_a_list_of_tensors_is_bounded() -> None:
    done = shell("sizewise params llama-3.1-8b --set num_hidden_layers=100000 --tensors --json")
    assert done.returncode == 3
    assert "too_many_tensors" in done.stderr
