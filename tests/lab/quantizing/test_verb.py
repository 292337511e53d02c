"""Real models quantized: the bytes that were said, the proof, and what is left after a failure."""

import json
import os
import shutil
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.lab

torch = pytest.importorskip("torch")
pytest.importorskip("bitsandbytes")

import transformers  # noqa: E402 - torch is optional
from safetensors.torch import load_file, save_file  # noqa: E402

from sizewise.catalog.formats import file_type_formats, formats  # noqa: E402
from sizewise.errors import InputError, UsageError  # noqa: E402
from sizewise.lab import quantize  # noqa: E402
from sizewise.lab.quantizing import bitsandbytes_files, planned, verb, writing  # noqa: E402
from sizewise.lab.quantizing.answer import QuantizeAnswer  # noqa: E402
from sizewise.lab.quantizing.methods import offered, offered_format  # noqa: E402

from .small_models import CONFIGS, config, saved  # noqa: E402

QUICK = {"windows": 3, "window": 32}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return folders of random models, by model type."""
    found = {}
    for model_type in ("llama", "qwen2", "mixtral", "falcon", "gpt2"):
        found[model_type] = tmp_path_factory.mktemp(model_type)
        saved(model_type, str(found[model_type]))
    return found


def codes(answer: QuantizeAnswer) -> set[str]:
    return {notice.code for notice in answer.notices}


@pytest.mark.parametrize("name", ["nf4", "nf4-dq", "fp4", "8bit"])
@pytest.mark.parametrize("model_type", ["llama", "qwen2", "mixtral", "falcon", "gpt2"])
def test_what_was_said_is_written_and_reads_back(
    folders: dict[str, Path], model_type: str, name: str, tmp_path: Path
) -> None:
    answer = quantize(str(folders[model_type]), name, output=str(tmp_path / "out"), **QUICK)
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes
    assert answer.saved.file_bytes == answer.plan.file_bytes
    assert answer.saved.proof.difference == 0
    assert answer.plan.spread == 0
    assert answer.quality is not None
    assert answer.quality.random
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "out", device_map={"": "cpu"})
    assert getattr(again, "is_quantized", False)


def test_what_does_not_run_here_is_written_and_measured_unpacked(tmp_path: Path) -> None:
    saved("deepseek_v3", str(tmp_path / "model"))
    answer = quantize(str(tmp_path / "model"), "8bit", output=str(tmp_path / "out"), **QUICK)
    assert "cannot_run_here" in codes(answer)
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes
    assert answer.saved.proof.difference == 0
    assert answer.quality is not None


def test_a_plan_alone_writes_nothing(folders: dict[str, Path], tmp_path: Path) -> None:
    before = os.listdir(folders["qwen2"])
    answer = quantize(str(folders["qwen2"]), "nf4")
    assert answer.saved is None
    assert answer.quality is None
    assert os.listdir(folders["qwen2"]) == before
    assert answer.from_fp32 == answer.plan.fp32 / answer.plan.bytes


def test_what_will_do_nothing_is_said_before(folders: dict[str, Path]) -> None:
    answer = quantize(str(folders["falcon"]), "nf4")
    assert "nothing_packed" in codes(answer)
    assert any("FalconLinear" in notice.message for notice in answer.notices)
    assert answer.plan.packed == ()


def test_experts_that_are_passed_over_are_said_before(folders: dict[str, Path]) -> None:
    answer = quantize(str(folders["mixtral"]), "nf4")
    assert "little_packed" in codes(answer)
    assert answer.plan.packed_share < 0.2


def test_what_does_not_run_on_this_cpu_is_said_before(
    folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(planned, "repacks_here", lambda: True)
    odd, even = (quantize(str(folders[name]), "nf4") for name in ("llama", "gpt2"))
    assert "cannot_run_here" in codes(odd)
    assert not odd.plan.runs_here
    assert even.plan.runs_here
    monkeypatch.setattr(planned, "repacks_here", lambda: False)
    assert quantize(str(folders["llama"]), "nf4").plan.runs_here


@pytest.mark.skipif("not bitsandbytes_files.repacks_here()", reason="this CPU repacks no weights")
def test_weights_that_a_forward_pass_repacked_are_caught(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load = bitsandbytes_files.load_packed

    def loaded_and_run(*given: Any, **options: Any) -> Any:
        packed = load(*given, **options)
        with torch.inference_mode():
            packed(input_ids=torch.arange(8)[None])
        return packed

    monkeypatch.setattr(bitsandbytes_files, "load_packed", loaded_and_run)
    with pytest.raises(InputError) as caught:
        quantize(str(folders["gpt2"]), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert caught.value.code == "proof_failed"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError, OSError(28, "No space left on device")])
@pytest.mark.parametrize("moment", ["load_packed", "saved_bytes", "read_back"])
def test_a_failure_in_the_middle_leaves_nothing(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str, error: Any
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(bitsandbytes_files, moment, fail)
        with pytest.raises((KeyboardInterrupt, MemoryError, InputError)):
            quantize(str(folders["qwen2"]), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert os.listdir(tmp_path) == []
    again = quantize(str(folders["qwen2"]), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert again.saved is not None


def test_other_bytes_than_were_said_are_not_kept(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing.bitsandbytes_files, "saved_bytes", lambda _: (1, 2))
    with pytest.raises(InputError, match="planned were"):
        quantize(str(folders["qwen2"]), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert os.listdir(tmp_path) == []


def test_an_output_is_replaced_only_with_force(folders: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine").write_text("kept")
    with pytest.raises(InputError) as caught:
        quantize(str(folders["qwen2"]), "nf4", output=str(out), **QUICK)
    assert caught.value.code == "exists"
    assert (out / "mine").read_text() == "kept"
    quantize(str(folders["qwen2"]), "nf4", output=str(out), force=True, quality=False)
    assert not (out / "mine").exists()
    assert (out / "model.safetensors").exists()


def test_a_full_disk_is_said_before_anything_is_read(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 1000

    monkeypatch.setattr(planned.shutil, "disk_usage", lambda _: Usage)
    with pytest.raises(InputError) as caught:
        quantize(str(folders["qwen2"]), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert caught.value.code == "disk_full"


def test_the_plan_is_announced_before_the_weights_are_read(folders: dict[str, Path], tmp_path: Path) -> None:
    order: list[str] = []
    quantize(
        str(folders["qwen2"]),
        "nf4",
        output=str(tmp_path / "out"),
        tell=lambda stage, _done, _of: order.append(stage),
        announce=lambda plan: order.append(f"plan of {plan.bytes}"),
        **QUICK,
    )
    assert order[0].startswith("plan of")
    assert order[1] == "weights read"


def test_a_packed_checkpoint_is_not_packed_again(folders: dict[str, Path], tmp_path: Path) -> None:
    quantize(str(folders["qwen2"]), "nf4", output=str(tmp_path / "out"), quality=False)
    with pytest.raises(InputError) as caught:
        quantize(str(tmp_path / "out"), "nf4")
    assert caught.value.code == "already_quantized"


def test_a_configuration_alone_is_quantized_with_random_weights(tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"model_type": "qwen2", **CONFIGS["qwen2"]}))
    answer = quantize(str(config), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert answer.saved is not None
    assert "random_weights" in codes(answer)


def test_a_live_module_is_left_as_it_was(folders: dict[str, Path], tmp_path: Path) -> None:
    module = transformers.AutoModelForCausalLM.from_pretrained(folders["gpt2"]).train()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    answer = quantize(module, "nf4", output=str(tmp_path / "out"), **QUICK)
    assert answer.saved is not None
    assert answer.saved.bytes == answer.plan.bytes
    assert module.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_the_source_is_never_replaced(folders: dict[str, Path], tmp_path: Path) -> None:
    above = tmp_path / "above"
    shutil.copytree(folders["qwen2"], above / "model")
    for out in (above, above / "model"):
        with pytest.raises(InputError) as caught:
            quantize(str(above / "model"), "nf4", output=str(out), force=True, **QUICK)
        assert caught.value.code == "replaces_source"
    assert sorted(os.listdir(above / "model")) == sorted(os.listdir(folders["qwen2"]))


def test_a_text_that_cannot_be_read_is_said_before_anything_is_written(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(InputError) as caught:
        quantize(
            str(folders["qwen2"]), "nf4", output=str(tmp_path / "a" / "out"), text="no such file", **QUICK
        )
    assert caught.value.code == "not_found"
    assert os.listdir(tmp_path) == []


def test_a_text_of_less_than_a_window_leaves_nothing(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tokenizer(text: str, **_: Any) -> dict[str, list[int]]:
        return {"input_ids": list(text.encode())}

    load = verb.load_module
    monkeypatch.setattr(verb, "load_module", lambda *a, **k: replace(load(*a, **k), tokenizer=tokenizer))
    (tmp_path / "text").write_text("few")
    with pytest.raises(InputError, match="less than a window"):
        quantize(
            str(folders["qwen2"]), "nf4", output=str(tmp_path / "out"), text=str(tmp_path / "text"), **QUICK
        )
    assert os.listdir(tmp_path) == ["text"]


def test_weights_that_a_checkpoint_lacks_are_not_packed(folders: dict[str, Path], tmp_path: Path) -> None:
    shutil.copytree(folders["qwen2"], tmp_path / "model")
    file = tmp_path / "model" / "model.safetensors"
    tensors = load_file(file)
    tensors.pop("model.layers.1.mlp.up_proj.weight")
    save_file(tensors, file, metadata={"format": "pt"})
    with pytest.raises(InputError) as caught:
        quantize(str(tmp_path / "model"), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert caught.value.code == "missing_weights"
    assert os.listdir(tmp_path) == ["model"]


def test_a_class_that_the_libraries_fail_on_is_an_error_of_one_line(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise NotImplementedError("\"normal_kernel_cpu\" not implemented\nfor 'Byte'")

    monkeypatch.setattr(bitsandbytes_files, "read_back", fail)
    with pytest.raises(InputError) as caught:
        quantize(str(folders["qwen2"]), "nf4", output=str(tmp_path / "out"), **QUICK)
    assert caught.value.code == "quantizer_failed"
    assert "\n" not in caught.value.message
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("model", [5, torch.nn.Linear(2, 2)])
def test_what_is_no_model_is_said(model: Any) -> None:
    with pytest.raises(UsageError, match="no reference and no model"):
        quantize(model, "nf4")


def test_a_live_module_without_a_language_head_is_refused(folders: dict[str, Path]) -> None:
    module = transformers.AutoModelForCausalLM.from_pretrained(folders["qwen2"])
    with pytest.raises(InputError, match="is no Qwen2ForCausalLM"):
        quantize(module.model, "nf4")


def test_a_live_module_is_described_by_its_configuration() -> None:
    module = transformers.AutoModelForCausalLM.from_config(config("deepseek_v3"))
    assert "cannot_run_here" in codes(quantize(module, "8bit"))
    assert quantize(module, "q8_0").plan.bytes > 0


@pytest.mark.parametrize(
    ("quant", "said"),
    [
        ("gptq", "pip install gptqmodel"),
        ("awq", "pip install llmcompressor"),
        ("w8a8", "bnb-int8 or q8_0"),
        ("w4a16", "nf4 or q4_k_m"),
        ("fp8", "llmcompressor"),
        ("mxfp4", "llmcompressor"),
        ("nvfp4", "llmcompressor"),
        ("hqq", "pip install hqq"),
        ("mlx-4bit", "pip install mlx-lm"),
        ("int4", "a width without a method"),
        ("iq2_xxs", "importance matrix"),
    ],
)
def test_what_is_made_elsewhere_says_where_in_one_short_line(quant: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        quantize("no/such/model", quant)
    assert caught.value.code == "made_elsewhere"
    assert said in caught.value.message
    assert len(caught.value.message) < 200


def test_every_format_is_made_here_or_elsewhere() -> None:
    for name in (*formats(), *file_type_formats()):
        with suppress(InputError):
            assert offered_format(name).name in offered()
    assert offered_format("fp16").name == "f16"


@pytest.mark.parametrize(
    ("quant", "options", "said"),
    [
        ("int5", {}, "is not a known format"),
        (None, {}, "no format given"),
        (",", {}, "no format given"),
        (4, {}, "not a text"),
        ("nf4", {"output": ""}, "names no place"),
        ("nf4", {"output": "a\0b"}, "names no place"),
        ("nf4", {"force": 1}, "not True or False"),
        ("nf4,fp4", {}, "need a --budget"),
        ("nf4", {"output": "x.gguf"}, "written into a folder"),
        ("q8_0", {"output": "folder"}, "written into a .gguf file"),
        ("q4_k_m", {"sensitivity": True}, "not measured here"),
        ("nf4,q8_0", {"budget": "1MB"}, "one file holds"),
        ("nf4", {"outptu": "folder"}, "did you mean output?"),
        ("nf4", {"window": 1}, "window"),
    ],
)
def test_what_cannot_be_meant_is_refused_first(quant: Any, options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        quantize("no/such/model", quant, **options)
    assert said in str(caught.value)
