import json
from collections.abc import Callable
from pathlib import Path

import pytest

LLAMA = {
    "model_type": "llama",
    "hidden_size": 4096,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "intermediate_size": 14336,
    "vocab_size": 128256,
    "torch_dtype": "bfloat16",
}


@pytest.mark.parametrize(
    ("reference", "total", "active"),
    [
        ("llama-3.1-8b", 8_030_261_248, 8_030_261_248),
        ("Llama 3.1 70B", 70_553_706_496, 70_553_706_496),
        ("deepseek-v3", 671_026_404_352, 37_552_282_624),
        ("openai/gpt-oss-120b", 116_829_156_672, 5_711_982_912),
        ("7b", 7_000_000_000, 7_000_000_000),
        ("8.03e9", 8_030_000_000, 8_030_000_000),
        ("qwen2.5:0.5b", 494_032_768, 494_032_768),
    ],
)
def test_totals_by_reference(run: Callable, reference: str, total: int, active: int) -> None:
    found = run("params", reference, "--json").document["parameters"]
    assert (found["total"], found["active"]) == (total, active)
    assert sum(found["by_role"].values()) == total
    assert found["trainable"] + found["non_trainable"] == total


def test_active_conventions_are_named(run: Callable) -> None:
    found = run("params", "gpt-oss-120b", "--json").document["parameters"]["active_by_convention"]
    assert found["all"] == 5_711_982_912
    assert found["without_input_embedding"] == 5_132_849_472


def test_file_folder_and_standard_input_agree(
    run: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps(LLAMA))
    with file.open() as stream:
        monkeypatch.setattr("sys.stdin", stream)
        from_stream = run("params", "-", "--json").document["parameters"]["total"]
    totals = {from_stream} | {
        run("params", reference, "--json").document["parameters"]["total"]
        for reference in (str(file), str(tmp_path))
    }
    assert totals == {8_030_261_248}


@pytest.mark.parametrize(
    ("options", "total"),
    [
        ((), 88_948_736),
        (("--tied",), 63_348_736),
        (("--biases", "--norms"), 89_029_632),
        (("--biases", "--norms", "--tied"), 63_429_632),
        (("--positions", "512"), 88_948_736 + 262_144),
        (("--gated",), 88_948_736 + 12 * 512 * 2048),
        (("--kv-heads", "2"), 88_948_736 - 12 * 2 * 512 * 384),
    ],
)
def test_shapes(run: Callable, options: tuple[str, ...], total: int) -> None:
    shape = ("--layers", "12", "--hidden", "512", "--heads", "8", "--vocab", "50000")
    assert run("params", *shape, *options, "--json").document["parameters"]["total"] == total


def test_set_changes_any_field(run: Callable) -> None:
    doubled = run("params", "llama-3.1-8b", "--set", "num_hidden_layers=64", "--json").document
    once = run("params", "llama-3.1-8b", "--json").document
    vocabulary = 128_256 * 4096
    assert doubled["parameters"]["total"] - 2 * vocabulary - 4096 == 2 * (
        once["parameters"]["total"] - 2 * vocabulary - 4096
    )
    assert run("params", "7b", "--set", "layers=10", "--json").code == 0
    misspelt = run("params", "llama-3.1-8b", "--set", "num_hiden_layers=64")
    assert misspelt.code == 2
    assert "num_hidden_layers" in misspelt.err


def test_several_models_stand_side_by_side(run: Callable) -> None:
    document = run("params", "llama-3.1-8b", "gpt2", "--json").document
    assert [entry["parameters"]["total"] for entry in document["compared"]] == [8_030_261_248, 124_439_808]
    lines = run("params", "llama-3.1-8b", "gpt2", "--format", "jsonl").out.splitlines()
    assert [json.loads(line)["parameters"]["total"] for line in lines] == [8_030_261_248, 124_439_808]
    table = run("params", "llama-3.1-8b", "gpt2").out
    assert "8,030,261,248" in table
    assert "124,439,808" in table


def test_tensors_are_listed_with_their_shapes(run: Callable) -> None:
    document = run("params", "gpt2", "--tensors", "--json").document
    tensors = {row["name"]: row["shape"] for row in document["tensors"]}
    assert tensors["transformer.h.11.attn.c_attn.weight"] == [768, 2304]
    assert len(tensors) == 148
    csv = run("params", "gpt2", "--tensors", "--format", "csv").out.splitlines()
    assert csv[0] == "model,tensor,shape,dtype,role"
    assert len(csv) == 149


def test_every_format_of_output_holds_the_total(run: Callable) -> None:
    assert "124,439,808" in run("params", "gpt2").out
    assert "124,439,808" in run("params", "gpt2", "--format", "md").out
    csv = run("params", "gpt2", "--format", "csv").out.splitlines()[1:]
    assert sum(int(line.split(",")[2]) for line in csv) == 124_439_808


def test_output_goes_to_a_new_file_only(run: Callable, tmp_path: Path) -> None:
    target = tmp_path / "answer.json"
    first = run("params", "gpt2", "--json", "-o", str(target))
    assert (first.code, first.out) == (0, "")
    assert json.loads(target.read_text())["parameters"]["total"] == 124_439_808
    second = run("params", "gpt2", "--json", "-o", str(target))
    assert second.code == 3
    assert second.err.startswith("sizewise: error [exists]")
    assert list(tmp_path.iterdir()) == [target]


def test_explain_shows_formulas(run: Callable) -> None:
    shown = run("params", "gpt2", "--explain").out
    assert "layers * rows * columns" in shown
    lines = run("params", "gpt2", "--explain", "--json").document["lines"]
    assert lines["value"] == 124_439_808


def test_tensors_are_listed_in_markdown(run: Callable) -> None:
    shown = run("params", "gpt2", "--tensors", "--format", "md").out
    assert "| transformer.h.11.attn.c_attn.weight | 768 × 2304 | attention |" in shown


@pytest.mark.parametrize(
    "options", [("--format", "md"), ("--format", "csv"), ("--tensors",), ("--tensors", "--format", "csv")]
)
def test_formulas_have_no_place_in_some_forms(run: Callable, options: tuple[str, ...]) -> None:
    found = run("params", "gpt2", "--explain", *options)
    assert (found.code, found.out, "bad_option" in found.err) == (2, "", True)


@pytest.mark.parametrize("columns", ["1", "10", "29"])
def test_a_narrow_terminal_loses_no_number(
    run: Callable, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert "124,439,808" in run("params", "gpt2").out
    weights = run("memory", "gpt2").out
    assert "0.23" in weights or "237" in weights
