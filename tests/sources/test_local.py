"""A folder with a configuration, a header, or both: which of them says what."""

import json
from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any

import pytest

import sizewise as sw

CONFIG: dict[str, Any] = {
    "model_type": "llama",
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "vocab_size": 300,
    "tie_word_embeddings": True,
    "torch_dtype": "bfloat16",
}


def tensors() -> dict[str, tuple[int, ...]]:
    """The checkpoint of the configuration, as its class names it."""
    return {name: weight.shape for name, weight in sw.load(CONFIG).architecture.tensors()}


def write_checkpoint(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    header, end = {}, 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    write_checkpoint(tmp_path / "model.safetensors", tensors())
    return tmp_path


def test_both_agree(run: Callable, folder: Path) -> None:
    document = run("params", str(folder), "--json").document
    total = document["parameters"]["total"]
    assert document["parameters"]["checkpoint"] == total
    assert document["reconciliation"] == {"items": {}, "residual": 0}
    assert document["warnings"] == []
    memory = run("memory", str(folder), "--json").document
    assert memory["memory"]["weights"] == 2 * total
    assert memory["status"]["weights"] == "exact"


def test_a_tied_head_that_is_stored_again_is_an_item(run: Callable, folder: Path) -> None:
    write_checkpoint(folder / "model.safetensors", tensors() | {"lm_head.weight": (300, 64)})
    document = run("params", str(folder), "--json").document
    assert document["parameters"]["checkpoint"] - document["parameters"]["total"] == 300 * 64
    assert document["reconciliation"] == {"items": {"tied_lm_head_copy": 300 * 64}, "residual": 0}
    weights = run("memory", str(folder), "--json").document["memory"]["weights"]
    assert weights == 2 * document["parameters"]["total"]


def test_where_they_disagree_the_header_is_the_truth(run: Callable, folder: Path) -> None:
    held = tensors() | {"model.embed_tokens.weight": (310, 64)}
    write_checkpoint(folder / "model.safetensors", held)
    document = run("params", str(folder), "--json").document
    assert document["parameters"]["total"] == sum(map(prod, held.values()))
    assert sum(document["parameters"]["by_role"].values()) == document["parameters"]["total"]
    assert [warning["code"] for warning in document["warnings"]] == ["inconsistent"]


def test_a_header_alone_counts_but_does_not_run(run: Callable, folder: Path) -> None:
    (folder / "config.json").unlink()
    expected = sum(map(prod, tensors().values()))
    for reference in (folder, folder / "model.safetensors"):
        assert run("params", str(reference), "--json").document["parameters"]["total"] == expected
    refused = run("memory", str(folder))
    assert refused.code == 3
    assert "unsupported_architecture" in refused.err
    assert run("params", str(folder), "--set", "hidden_size=3").code in (0, 2)


def test_another_format_than_the_shipped_one_follows_the_configuration(run: Callable, folder: Path) -> None:
    shipped = run("memory", str(folder), "--json").document["memory"]["weights"]
    wide = run("memory", str(folder), "-q", "fp32", "--json").document["memory"]["weights"]
    assert wide == 2 * shipped
