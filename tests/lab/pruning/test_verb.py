"""Pruning from a reference to a folder: what is said, what is written, and what is left as it was."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")

import sizewise.lab  # noqa: E402 - torch is optional
from sizewise.__main__ import main  # noqa: E402
from sizewise.errors import InputError, UsageError  # noqa: E402
from sizewise.lab.loading import load_module  # noqa: E402
from sizewise.lab.quiet import quiet_transformers  # noqa: E402

from ..tiny import LLAMA, QWEN3, module  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> str:
    with quiet_transformers():
        module(QWEN3).save_pretrained(tmp_path / "model")
    return str(tmp_path / "model")


@pytest.mark.parametrize(
    ("asked", "smaller"),
    [
        ({"method": "magnitude", "amount": "50%"}, False),
        ({"method": "wanda", "amount": "50%"}, False),
        ({"method": "2:4"}, False),
        ({"method": "layers", "amount": "2"}, True),
        ({"method": "width", "amount": "25%", "axes": ("ffn", "heads", "hidden")}, True),
    ],
)
def test_what_is_written_is_what_was_predicted_and_loads_again(
    folder: str, tmp_path: Path, asked: dict[str, Any], smaller: bool
) -> None:
    out = str(tmp_path / "out")
    answer = sizewise.lab.prune(folder, output=out, **asked)
    for name in ("parameters", "disk", "memory", "flops"):
        before, after = getattr(answer.before, name), getattr(answer.after, name)
        assert before.ratio == after.ratio == 1.0, name
        assert (after.measured < before.measured) is smaller, name
    assert answer.after.disk.measured == os.path.getsize(Path(out) / "model.safetensors")
    again = load_module(out).module
    assert sum(weight.numel() for weight in again.parameters()) == answer.after.parameters.measured
    if not smaller:
        assert answer.zeros is not None
        assert answer.zeros.share == pytest.approx(0.5, abs=0.01)
        assert "nothing_saved" in [notice.code for notice in answer.notices]
    assert answer.quality.kl_nats.value > 1e-4


def test_the_layer_that_does_nothing_goes_and_costs_nothing(tmp_path: Path) -> None:
    made = module(LLAMA)
    for name, weight in made.model.layers[2].named_parameters():
        if "o_proj" in name or "down_proj" in name:
            weight.data.zero_()
    answer = sizewise.lab.prune(made, method="layers", amount=1)
    assert answer.dropped == (2,)
    assert answer.kl is not None
    assert answer.kl.measured == pytest.approx(0.0, abs=1e-6)
    assert answer.quality.flips.value == 0.0


@pytest.mark.parametrize("method", ["magnitude", "wanda", "layers", "width"])
def test_a_live_model_stays_as_it_is(method: str) -> None:
    made = module(LLAMA).train()
    made.model.layers[1].eval()
    state = {name: weight.clone() for name, weight in made.state_dict().items()}
    random = torch.random.get_rng_state()
    sizewise.lab.prune(made, method=method, amount="25%")
    assert torch.equal(random, torch.random.get_rng_state())
    assert made.training
    assert not made.model.layers[1].training
    assert all(torch.equal(state[name], weight) for name, weight in made.state_dict().items())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in made.modules())
    assert len(made.model.layers) == made.config.num_hidden_layers == 4


def test_a_saved_model_that_is_another_never_appears(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoilt(path: str) -> Any:
        found = load_module(path)
        found.module.model.layers[0].mlp.up_proj.weight.data.mul_(1.5)
        return found

    monkeypatch.setattr("sizewise.lab.saving.load_module", spoilt)
    before = os.listdir(tmp_path)
    with pytest.raises(InputError) as refused:
        sizewise.lab.prune(folder, method="magnitude", amount="20%", output=str(tmp_path / "out"))
    assert refused.value.code == "reload_differs"
    assert os.listdir(tmp_path) == before


def test_an_interrupt_while_writing_leaves_nothing(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_: str) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("sizewise.lab.saving.load_module", interrupted)
    before = os.listdir(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        sizewise.lab.prune(folder, method="magnitude", amount="20%", output=str(tmp_path / "out"))
    assert os.listdir(tmp_path) == before


def test_what_exists_is_refused_before_any_work(folder: str) -> None:
    with pytest.raises(InputError) as refused:
        sizewise.lab.prune("no-such-model", method="magnitude", amount="20%", output=folder)
    assert refused.value.code == "exists"


def test_what_is_read_is_not_replaced_even_by_force(folder: str, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "text").write_text("words " * 400)
    places = [
        (folder, {}),
        (str(tmp_path), {}),
        (str(tmp_path / "out"), {"text": str(tmp_path / "out" / "text")}),
    ]
    for out, options in places:
        with pytest.raises(InputError) as refused:
            sizewise.lab.prune(folder, method="magnitude", amount="20%", output=out, force=True, **options)
        assert refused.value.code == "replaces_source"
    assert sorted(os.listdir(tmp_path)) == ["model", "out"]
    assert os.listdir(tmp_path / "out") == ["text"]


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(UsageError, match="no model"):
        sizewise.lab.prune(7, method="magnitude", amount="20%")


def test_the_command_prints_its_document(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prune", folder, "--method", "layers", "--amount", "50%", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["scenario"]["method"] == "layers"
    assert len(document["layers"]["dropped"]) == 2
    assert document["after"]["memory"]["ratio"] == 1.0
    assert 0.0 < document["saved"]["memory"] < 0.5
    assert document["quality"]["random"] is True
    assert document["folder"] is None


@pytest.mark.parametrize("form", ["table", "md", "csv", "jsonl"])
@pytest.mark.parametrize("method", [["wanda", "--amount", "50%"], ["2:4"], ["width", "--amount", "25%"]])
def test_every_format_has_its_answer(
    folder: str, method: list[str], form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["prune", folder, "--method", *method, "--format", form]) == 0
    printed = capsys.readouterr().out
    assert "memory" in printed
    assert "nan" not in printed.lower()


def test_packed_weights_are_refused(tmp_path: Path) -> None:
    made = module(LLAMA)
    packed = made.model.layers[0].mlp.up_proj
    packed.weight = torch.nn.Parameter(torch.zeros(128 * 96 // 2, 1, dtype=torch.uint8), requires_grad=False)
    with pytest.raises(InputError) as refused:
        sizewise.lab.prune(made, method="magnitude", amount="20%")
    assert refused.value.code == "unsupported_format"


def test_weights_in_sixteen_bit_are_pruned_as_they_are(tmp_path: Path) -> None:
    made = module(LLAMA).bfloat16()
    made.config.dtype = torch.bfloat16
    answer = sizewise.lab.prune(made, method="layers", amount=1, output=str(tmp_path / "out"))
    assert answer.dtype == "bfloat16"
    assert answer.after.disk.ratio == answer.after.memory.ratio == 1.0
    assert answer.after.memory.measured == 2 * answer.after.parameters.measured


def test_modules_that_are_handed_parameters_are_pruned() -> None:
    made = module(
        {
            "model_type": "gpt_neox_japanese",
            "hidden_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "vocab_size": 128,
            "max_position_embeddings": 64,
        }
    )
    answer = sizewise.lab.prune(made, method="magnitude", amount="20%")
    assert answer.after.flops.measured == answer.before.flops.measured
    assert all(weight.requires_grad for weight in made.parameters())


def test_a_model_that_answers_with_no_numbers_is_refused() -> None:
    made = module(LLAMA)
    made.lm_head.weight.data.fill_(float("nan"))
    with pytest.raises(InputError, match="no number"):
        sizewise.lab.prune(made, method="magnitude", amount="20%")
