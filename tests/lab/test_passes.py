"""A model whose own code fails is told in one line by every verb, and leaves nothing behind."""

import json
import os
from pathlib import Path

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

from sizewise.__main__ import main  # noqa: E402 - torch is optional
from sizewise.errors import InputError  # noqa: E402
from sizewise.lab.passes import told  # noqa: E402
from sizewise.lab.quiet import quiet_transformers  # noqa: E402

from .tiny import LLAMA, module  # noqa: E402

MIXTRAL = LLAMA | {
    "model_type": "mixtral",
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "vocab_size": 32,
    "num_hidden_layers": 2,
}
DISTILL = ["--depth", "0.5", "--steps", "2", "--batch", "2", "--length", "16"]


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """Return a folder that loads, and routes each token to more experts than there are."""
    folder = tmp_path / "broken"
    with quiet_transformers():
        module(MIXTRAL).save_pretrained(folder)
    raw = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(raw | {"num_experts_per_tok": 9}))
    return str(folder)


@pytest.mark.parametrize(
    "arguments",
    [
        ["profile", "--sequence", "16"],
        ["quantize", "-q", "nf4", "-o", "OUT"],
        ["prune", "--method", "wanda", "--amount", "20%", "-o", "OUT"],
        ["prune", "--method", "layers", "--amount", "1", "-o", "OUT"],
        ["distill", *DISTILL, "-o", "OUT"],
    ],
    ids=lambda arguments: "-".join(arguments[:3:2]),
)
def test_a_model_that_cannot_run_is_an_error_of_one_line(
    broken: str, tmp_path: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    verb, *options = [str(tmp_path / "out") if one == "OUT" else one for one in arguments]
    assert main([verb, broken, *options, "--json", "--quiet"]) == 3
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    assert "[bad_data]" in said[0]
    assert "failed: RuntimeError" in said[0]
    assert os.listdir(tmp_path) == ["broken"]


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory")])
def test_too_little_memory_is_no_fault_of_the_model(error: Exception) -> None:
    with pytest.raises(type(error)), told(torch.nn.Linear(1, 1), "a forward pass"):
        raise error


def test_an_error_of_ours_stays_what_it_is() -> None:
    with pytest.raises(InputError, match="mine") as caught, told(torch.nn.Linear(1, 1), "a forward pass"):
        raise InputError("diverged", "mine")
    assert caught.value.code == "diverged"
