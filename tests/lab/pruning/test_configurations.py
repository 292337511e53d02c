"""A configuration with fewer layers: what is listed, numbered and counted per layer follows."""

from typing import Any

import pytest

from sizewise.lab.pruning.configurations import depth, narrower, without_layers

pytestmark = pytest.mark.lab

RAW = {
    "num_hidden_layers": 5,
    "layer_types": ["a", "b", "c", "d", "e"],
    "mlp_layer_types": ["dense", "dense", "sparse", "sparse", "sparse"],
    "no_rope_layers": [1, 1, 1, 0, 1],
    "mlp_only_layers": [0, 3, 4],
    "first_k_dense_replace": 2,
    "eos_token_id": [1, 2, 3, 4, 5],
    "hidden_size": 64,
}


def test_lists_numbers_and_counts_follow_the_layers_that_stay() -> None:
    assert without_layers(RAW, {1, 3}) == {
        "num_hidden_layers": 3,
        "layer_types": ["a", "c", "e"],
        "mlp_layer_types": ["dense", "sparse", "sparse"],
        "no_rope_layers": [1, 1, 1],
        "mlp_only_layers": [0, 2],
        "first_k_dense_replace": 1,
        "eos_token_id": [1, 2, 3, 4, 5],
        "hidden_size": 64,
    }
    assert RAW["num_hidden_layers"] == 5


@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("full_attn_idxs", [1, 2, 4], [1, 2]),
        ("rope_scaling_layers", [0, 1, 2, 3, 4], [0, 1, 2]),
        ("attn_layer_indices", [3], []),
        ("kv_source_layers", [0, 1, 2, 2, 2], [0, 1, 1]),
        ("indexer_types", ["a", "b", "c", "d", "e"], ["a", "c", "e"]),
        ("per_layer_config", {"01": {"head_dim": 512}, "04": {"head_dim": 256}}, {"2": {"head_dim": 256}}),
        ("num_kv_shared_layers", 2, 1),
        ("attention_types", [[["g", "l"], 2], [["x"], 1]], [[["g", "g", "x"], 1]]),
    ],
)
def test_what_families_say_of_single_layers_follows(name: str, value: Any, left: Any) -> None:
    assert without_layers({"num_hidden_layers": 5, name: value}, {1, 3})[name] == left


@pytest.mark.parametrize("name", ["n_layer", "num_layers", "n_layers"])
def test_other_names_of_the_depth_are_known(name: str) -> None:
    assert depth({name: 4}) == 4
    assert without_layers({name: 4}, {0}) == {name: 3}


def test_the_language_model_of_a_wrapper_is_the_one_that_loses_layers() -> None:
    raw = {"text_config": dict(RAW), "vision_config": {"num_hidden_layers": 5}}
    left = without_layers(raw, {4})
    assert depth(raw) == 5
    assert left["text_config"]["num_hidden_layers"] == 4
    assert left["vision_config"] == {"num_hidden_layers": 5}


def test_widths_are_named_and_the_rest_stays() -> None:
    raw = {"hidden_size": 64, "num_attention_heads": 8, "vocab_size": 9}
    assert narrower(raw, heads=4, kv_heads=2, head_size=8) == {
        "hidden_size": 64,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "vocab_size": 9,
    }
