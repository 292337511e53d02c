"""What a folder is: a path, a model, an adapter, or the state of a training; and headers that disagree."""

import json
import os
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest

import sizewise as sw

from ..corpus.writers import program, pt, sound_st, tensor
from .test_local import CONFIG, folder, tensors, write_checkpoint

__all__ = ["folder"]

WEIGHT = {"w": (7, 11)}
STATE = {"layer.weight": tensor("0", (4, 5)), "layer.bias": tensor("1", (4,))}
STORED = {"0": 80, "1": 16, "2": 80, "3": 80}
ADAM = {"state": {0: {"exp_avg": tensor("2", (4, 5)), "exp_avg_sq": tensor("3", (4, 5))}}, "param_groups": []}


def codes(found: Any) -> list[str]:
    return [warning["code"] for warning in found.document["warnings"]]


@pytest.mark.parametrize(
    "reference", ["gpt2/", "meta-llama/Llama-3.1-8B/", "meta-llama/Llama-3.1-8B", "7b/", "7b"]
)
def test_a_folder_that_exists_is_a_path(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / reference).mkdir(parents=True)
    write_checkpoint(tmp_path / reference / "model.safetensors", WEIGHT)
    assert run("params", reference, "--json").document["parameters"]["total"] == 77


@pytest.mark.parametrize("reference", ["f/lora", "f/tokenizer/", "meta-llama/Llama-3.1-8B"])
def test_a_folder_that_holds_no_model_is_no_request(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / reference).mkdir(parents=True)
    (tmp_path / reference / "tokenizer.json").write_text("{}")
    found = run("params", reference)
    assert (found.code, "not_found" in found.err) == (3, True)


def test_a_bare_name_is_a_path_only_where_the_folder_holds_a_model(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpt2").mkdir()
    assert run("params", "gpt2", "--json").document["parameters"]["total"] == 124_439_808
    (tmp_path / "gpt2" / "adapter_config.json").write_text('{"base_model_name_or_path": "gpt2"}')
    assert run("params", "gpt2").code == 3


@pytest.mark.parametrize(
    "name",
    [
        "optimizer.pt",
        "optimizer.bin",
        "scheduler.pt",
        "rng_state.pth",
        "rng_state_0.pth",
        "training_args.bin",
        "scaler.pt",
    ],
)
def test_what_a_training_leaves_beside_is_no_checkpoint(run: Callable, folder: Path, name: str) -> None:
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(pt(program(ADAM), STORED))
    found = run("params", str(folder), "--json")
    assert found.document["parameters"]["total"] == sum(map(prod, tensors().values()))
    assert (found.document["parameters"]["checkpoint"], codes(found)) == (None, [])
    (folder / "config.json").unlink()
    assert "not_found" in run("params", str(folder)).err


@pytest.mark.parametrize(
    "held",
    [
        {"epoch": 3, "state_dict": STATE, "optimizer_states": [ADAM]},
        {"model": STATE, "ema": {"a": tensor("2", (4, 5))}},
        {"model": STATE, "optimizer": ADAM, "lr_scheduler": {"x": tensor("3", (4, 5))}},
        {"optimizer": ADAM, "module": STATE},
        {"net": STATE, "optim_state": ADAM},
        {"state_dict": STATE, "loss": tensor("2", (1,))},
    ],
)
def test_of_a_training_only_the_model_counts(run: Callable, tmp_path: Path, held: dict[str, Any]) -> None:
    file = tmp_path / "last.ckpt"
    file.write_bytes(pt(program(held), STORED))
    for reference in (file, tmp_path):
        found = run("params", str(reference), "--json")
        assert found.document["parameters"]["total"] == 24
        assert found.document["parameters"]["checkpoint"] == 24
        assert codes(found) == ["training_state"]


def test_averages_alone_count_and_an_optimizer_alone_does_not(run: Callable, tmp_path: Path) -> None:
    file = tmp_path / "a.pt"
    file.write_bytes(pt(program({"ema": STATE, "optimizer": ADAM}), STORED))
    found = run("params", str(file), "--json")
    assert (found.document["parameters"]["total"], codes(found)) == (24, ["training_state"])
    file.write_bytes(pt(program(ADAM), STORED))
    assert "missing_tensor" in run("params", str(file)).err


def test_averages_inside_a_flat_state_are_left_out(run: Callable, tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "m.safetensors", {"model.a.weight": (4, 5), "model_ema.a.weight": (4, 5)})
    found = run("params", str(tmp_path), "--json")
    assert (found.document["parameters"]["total"], codes(found)) == (20, ["training_state"])


def write_adapter(folder: Path) -> None:
    written = {"peft_type": "LORA", "base_model_name_or_path": "meta-llama/Llama-3.1-8B"}
    (folder / "adapter_config.json").write_text(json.dumps(written))
    name = "base_model.model.model.layers.0.self_attn.q_proj.lora_{}.weight"
    shapes = {name.format("A"): (8, 64), name.format("B"): (64, 8)}
    write_checkpoint(folder / "adapter_model.safetensors", shapes)


def test_an_adapter_is_no_model(run: Callable, tmp_path: Path) -> None:
    write_adapter(tmp_path)
    for reference in (tmp_path, tmp_path / "adapter_config.json"):
        for question in ("params", "memory"):
            refused = run(question, str(reference))
            assert refused.code == 3
            assert "LORA adapter of meta-llama/Llama-3.1-8B" in refused.err
    found = run("params", str(tmp_path / "adapter_model.safetensors"), "--json")
    assert (found.document["parameters"]["total"], codes(found)) == (1024, ["adapter"])


def test_an_adapter_beside_a_configuration_is_left_out_and_said(run: Callable, folder: Path) -> None:
    total = sum(map(prod, tensors().values()))
    write_adapter(folder)
    assert run("params", str(folder), "--json").document["parameters"]["total"] == total
    (folder / "model.safetensors").unlink()
    found = run("params", str(folder), "--json")
    assert (found.document["parameters"]["total"], codes(found)) == (total, ["adapter"])


@pytest.mark.parametrize(
    "broken", ["{", '{"model_type": "nobody_knows_it"}', '{"model_type": "llama", "hidden_size": 0}']
)
def test_a_header_answers_beside_a_configuration_that_does_not(
    run: Callable, folder: Path, broken: str
) -> None:
    (folder / "config.json").write_text(broken)
    found = run("params", str(folder / "model.safetensors"), "--json")
    assert found.document["parameters"]["total"] == sum(map(prod, tensors().values()))
    assert len(codes(found)) == 1
    assert run("params", str(folder)).code == 3


def test_bytes_of_the_header_hold_whatever_the_method_of_quantization(run: Callable, folder: Path) -> None:
    settings = CONFIG | {"quantization_config": {"quant_method": "warp"}}
    (folder / "config.json").write_text(json.dumps(settings))
    total = sum(map(prod, tensors().values()))
    found = run("memory", str(folder), "--json")
    assert found.document["memory"]["weights"] == 2 * total
    assert found.document["memory"]["cache"] > 0
    assert found.document["scenario"]["quant"] == "warp"
    assert codes(found) == ["unknown_quantization"]
    (folder / "model.safetensors").unlink()
    assert "unsupported_format" in run("memory", str(folder)).err


def test_packed_codes_that_nothing_recognises_do_not_lower_the_total(run: Callable, folder: Path) -> None:
    settings = CONFIG | {"quantization_config": {"quant_method": "warp"}}
    (folder / "config.json").write_text(json.dumps(settings))
    name = "model.layers.0.mlp.up_proj.weight"
    held: dict[str, tuple[str, list[int]]] = {
        key: ("U8", [96, 32]) if key == name else ("BF16", list(shape)) for key, shape in tensors().items()
    }
    (folder / "model.safetensors").write_bytes(sound_st(held))
    found = run("params", str(folder), "--json")
    assert found.document["parameters"]["total"] == sum(map(prod, tensors().values()))
    assert "unknown_quantization" in codes(found)


def test_a_copy_of_a_tied_head_is_not_loaded(run: Callable, folder: Path) -> None:
    write_checkpoint(folder / "model.safetensors", tensors() | {"lm_head.weight": (300, 64)})
    found = run("memory", str(folder), "--json")
    assert found.document["memory"]["weights"] == 2 * sum(map(prod, tensors().values()))
    (notice,) = found.document["warnings"]
    assert notice["code"] == "tied_copy"
    assert f"{2 * 300 * 64:,}" in notice["message"]


def layer(index: int) -> dict[str, tuple[int, ...]]:
    return {
        name.replace("layers.0.", f"layers.{index}."): shape
        for name, shape in tensors().items()
        if "layers.0." in name
    }


def test_layers_beyond_the_depth_are_parameters(run: Callable, folder: Path) -> None:
    held = tensors() | layer(2)
    write_checkpoint(folder / "model.safetensors", held)
    document = run("params", str(folder), "--json").document
    assert document["parameters"]["total"] == sum(map(prod, held.values()))
    (warning,) = document["warnings"]
    assert warning["code"] == "inconsistent"
    assert "model.layers.2." in warning["message"]


def test_a_layer_that_joins_states_predicts(run: Callable, folder: Path) -> None:
    held = tensors() | layer(2) | {"model.layers.2.eh_proj.weight": (64, 128)}
    write_checkpoint(folder / "model.safetensors", held)
    document = run("params", str(folder), "--json").document
    assert document["parameters"]["total"] == sum(map(prod, tensors().values()))
    assert document["reconciliation"]["residual"] == 0
    assert document["warnings"] == []


def test_other_shapes_of_the_same_total_are_said(run: Callable, folder: Path) -> None:
    held = tensors()
    names = [name for name in held if name.endswith(("q_proj.weight", "k_proj.weight"))]
    held |= {name: (128, 64) if "q_proj" in name else (0, 64) for name in names}
    write_checkpoint(folder / "model.safetensors", held)
    (warning,) = run("params", str(folder), "--json").document["warnings"]
    assert warning["code"] == "inconsistent"
    assert f"{names[0]} is [128, 64]" in warning["message"]
    assert "[64, 64]" in warning["message"]


@pytest.mark.parametrize("length", [0x80, 0x180, 0x8B1F])
def test_a_length_may_begin_like_another_kind_of_file(tmp_path: Path, length: int) -> None:
    plain = json.dumps({"w": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}).encode()
    header = plain.ljust(length)
    for name in ("x.safetensors", "x"):
        (tmp_path / name).write_bytes(len(header).to_bytes(8, "little") + header + bytes(12))
        assert sw.parameters(os.fspath(tmp_path / name)).value == 3
