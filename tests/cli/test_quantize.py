"""``sizewise quantize`` where torch is not installed, and where the options cannot be meant."""

from importlib.util import find_spec

import pytest

from sizewise.__main__ import main


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-q", "nf5"], "did you mean nf4"),
        ([], "no format given"),
        (["-q", "nf4", "-o", "x.gguf"], "written into a folder"),
        (["-q", "q4_0", "-o", "x"], "written into a .gguf file"),
        (["-q", "q4_k_m", "--sensitivity"], "not measured here"),
        (["-q", "nf4", "--budget", "many"], "amount of memory"),
    ],
)
def test_bad_options_are_said_before_torch_is_needed(
    options: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quantize", "gpt2", *options]) == 2
    assert said in capsys.readouterr().err


def test_a_format_that_another_tool_makes_names_the_tool(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "gpt2", "-q", "gptq"]) == 3
    assert "GPTQModel makes it (pip install gptqmodel)" in capsys.readouterr().err


def test_an_existing_folder_is_said_before_torch_is_needed(
    tmp_path: object, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["quantize", "gpt2", "-q", "nf4", "-o", str(tmp_path)]) == 3
    assert "error [exists]" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("torch") is not None, reason="torch is installed")
def test_a_missing_extra_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["quantize", "gpt2", "-q", "nf4"]) == 3
    expected = "error [missing_extra]: sizewise quantize needs torch; run: pip install 'sizewise[lab]'"
    assert expected in capsys.readouterr().err
